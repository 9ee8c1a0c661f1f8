"""plan: what it shows, what it saves, what it ends with; and that it writes nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path

import jsonschema
import pytest

from imagesync.server.auth import BasicAuth, TokenAuth
from tests.cli.command import Cli, Mirror
from tests.conftest import MakeRegistry
from tests.images import make_image, make_index, push_image


def test_a_plan_shows_what_would_be_added_and_writes_nothing(mirror: Mirror) -> None:
    image = mirror.fill("1")
    ran = mirror.cli("plan", mirror.spec())
    assert (ran.code, ran.err) == (0, "")
    assert f"+ app:1  {image.digest.short}" in ran.out
    assert "Plan: 1 to add, 0 to update, 0 unchanged." in ran.out
    assert {line.partition(" ")[0] for line in mirror.requests()} == {"HEAD", "GET"}
    assert mirror.tags() == {}


def test_a_plan_shows_what_a_tag_moves_from_and_to(mirror: Mirror) -> None:
    old, new = mirror.stand(make_image("old"), "1"), mirror.fill("1")
    ran = mirror.cli("plan", mirror.spec())
    assert f"~ app:1  {old.digest.short} → {new.digest.short}" in ran.out
    assert "0 to add, 1 to update" in ran.out


def test_a_plan_holds_what_the_steps_of_a_selection_keep_under_its_new_names(mirror: Mirror) -> None:
    mirror.fill("7.2.0", "7.4", "7.4.1", "8.0-rc1", "8.0.0", "latest")
    tags = '{versions: "<9", newest: 2}'
    ran = mirror.cli("plan", mirror.spec(f"{{name: app, tags: {tags}, retag: '{{major}}.{{minor}}'}}"))
    assert ran.code == 0
    assert {line.split()[1] for line in ran.out.splitlines() if line.startswith("  + ")} == {"app:7.4", "app:8.0"}
    assert len([line for line in mirror.source.log.lines() if "/tags/list" in line]) == 1


def test_two_tags_that_a_retag_gives_one_name_are_a_conflict_and_neither_is_planned(mirror: Mirror) -> None:
    mirror.fill("7.2.0", "7.2.1")
    ran = mirror.cli("plan", mirror.spec("{name: app, tags: {newest: 2}, retag: '{major}.{minor}'}"))
    assert ran.code == 1
    assert ran.out.count("would be written there, and so would") == 2


def test_a_plan_with_nothing_to_do_says_so(mirror: Mirror) -> None:
    mirror.stand(mirror.fill("1"), "1")
    ran = mirror.cli("plan", mirror.spec())
    assert ran.out == "No changes. 1 tag is as the spec wants it.\n"


def test_the_json_form_is_a_plan_file_and_fits_its_schema(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.stand(mirror.fill("2", path="same"), "2", path="same")
    spec = mirror.spec("app:1", "same:2", "app:lost")
    schema = mirror.cli("schema", "--plan").json()
    ran = mirror.cli("plan", spec, "--format", "json")
    jsonschema.Draft7Validator(schema).validate(ran.json())
    assert [action["action"] for action in ran.json()["actions"]] == ["copy", "keep", "failure"]
    assert ran.json()["summary"]["changes"] == 1


def test_the_markdown_form_is_a_table_of_troubles_and_a_diff(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("plan", mirror.spec("app:1", "app:lost"), "--format", "markdown")
    assert ran.out.startswith("**Plan: 1 to add, 0 to update, 1 failed, 0 unchanged.")
    assert "| failed | `" in ran.out
    assert "\n```diff\n" in ran.out


def test_a_saved_plan_is_what_the_json_form_shows_and_when_it_was_made(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("plan", mirror.spec(), "-o", "saved.json", "--format", "json")
    saved = json.loads(Path("saved.json").read_text())
    assert saved.pop("created").endswith("Z")
    assert saved == ran.json()


def test_a_plan_that_cannot_be_saved_says_why(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("plan", mirror.spec(), "-o", "no/such/folder/saved.json")
    assert ran.code == 4
    assert "no/such/folder/saved.json cannot be written: there is no directory no/such/folder" in ran.err
    assert mirror.requests() == []


@pytest.mark.parametrize(("option", "code"), [((), 0), (("--detailed-exitcode",), 2)])
def test_pending_changes_end_with_2_where_that_is_asked_for(mirror: Mirror, option: tuple[str, ...], code: int) -> None:
    mirror.fill("1")
    assert mirror.cli("plan", mirror.spec(), *option).code == code


def test_no_changes_end_with_0_though_the_detailed_exit_code_is_asked_for(mirror: Mirror) -> None:
    mirror.stand(mirror.fill("1"), "1")
    assert mirror.cli("plan", mirror.spec(), "--detailed-exitcode").code == 0


@pytest.mark.parametrize("option", [(), ("--detailed-exitcode",)])
def test_a_missing_tag_fails_alone_and_names_image_side_place_and_remedy(
    mirror: Mirror, option: tuple[str, ...]
) -> None:
    mirror.fill("1")
    ran = mirror.cli("plan", mirror.spec("app:1", "app:lost"), *option)
    assert ran.code == 1
    assert "+ app:1" in ran.out
    for part in (
        f"x {mirror.destination.host}/app:lost  failed",
        f"source {mirror.source.host}/app:lost: not found",
        f"`imagesync tags --repository {mirror.source.host}/app`",
        "sync.yaml:7:9",
    ):
        assert part in ran.out


def test_a_source_that_fails_is_named_as_the_source(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.source.script("HEAD", "/manifests/", status=400)
    ran = mirror.cli("plan", mirror.spec())
    assert ran.code == 1
    assert f"source {mirror.source.host}/app:1: HEAD manifest: answered status 400" in ran.out


def test_anonymous_sends_no_credentials(cli: Cli, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork's pull request plans without the secrets, which are not set there."""
    monkeypatch.delenv("MIRROR_TOKEN", raising=False)
    users = {"robot": "secret"}
    source = make_registry(auth=TokenAuth(users, anonymous_pull=True))
    mirror = Mirror(cli, source, make_registry(auth=TokenAuth(users, anonymous_pull=True)))
    mirror.fill("1")
    login = '{auth: {username: robot, password: "${secret:MIRROR_TOKEN}"}}'
    spec = mirror.spec(registries={mirror.source.host: login, mirror.destination.host: login})
    assert mirror.cli("plan", spec).code == 1
    mirror.forget()
    ran = mirror.cli("plan", spec, "--anonymous")
    assert (ran.code, ran.err) == (0, "")
    assert "+ app:1" in ran.out
    sent = [*mirror.source.log.entries(path="/token"), *mirror.destination.log.entries(path="/token")]
    assert sent
    assert not any(entry.has_authorization for entry in sent)


def test_a_destination_that_refuses_to_say_is_planned_as_a_try(cli: Cli, make_registry: MakeRegistry) -> None:
    """Decision 22: GHCR answers 403 for what does not exist yet."""
    mirror = Mirror(cli, make_registry(), make_registry(auth=TokenAuth({"robot": "secret"})))
    mirror.fill("1")
    mirror.destination.script("HEAD", "/manifests/1$", status=403, skip=1)
    login = {mirror.destination.host: "{auth: {username: robot, password: secret}}"}
    ran = mirror.cli("plan", mirror.spec(registries=login))
    assert ran.code == 0
    assert "+ app:1" in ran.out
    assert "(not readable, will try)" in ran.out


def test_a_wrong_password_at_a_destination_is_a_failure(cli: Cli, make_registry: MakeRegistry) -> None:
    mirror = Mirror(cli, make_registry(), make_registry(auth=BasicAuth({"robot": "secret"})))
    mirror.fill("1")
    login = {mirror.destination.host: "{auth: {username: robot, password: wrong-guess}}"}
    ran = mirror.cli("plan", mirror.spec(registries=login))
    assert ran.code == 1
    assert f"destination {mirror.destination.host}/app:1" in ran.out
    assert "wrong-guess" not in ran.text


def test_only_plans_one_entry_or_one_image(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.fill("1", path="other")
    spec = mirror.spec("app:1", "other:1")
    named = Path(spec).read_text().replace("- source:", "- name: bases\n    source:")
    Path(spec).write_text(named)
    ran = mirror.cli("plan", spec, "--only", "bases/other")
    assert "other:1" in ran.out
    assert "app:1" not in ran.out
    both = mirror.cli("plan", spec, "--only", "bases")
    assert "Plan: 2 to add" in both.out


def test_only_with_a_near_miss_shows_the_name_probably_meant(mirror: Mirror) -> None:
    spec = mirror.spec("app:1")
    Path(spec).write_text(Path(spec).read_text().replace("- source:", "- name: bases\n    source:"))
    ran = mirror.cli("plan", spec, "--only", "base")
    assert ran.code == 4
    assert "did you mean bases?" in ran.err
    assert mirror.requests() == []


@pytest.mark.parametrize("whole", [1, 2, 3])
def test_the_shards_are_disjoint_and_complete(mirror: Mirror, whole: int) -> None:
    paths = [f"team{number}/app" for number in range(8)]
    for path in paths:
        push_image(mirror.source.repository(path), make_image(path), "1")
    spec = mirror.spec(*(f"{path}:1" for path in paths))
    found = []
    for part in range(1, whole + 1):
        ran = mirror.cli("plan", spec, "--shard", f"{part}/{whole}", "--format", "json")
        found += [action["source"]["path"] for action in ran.json()["actions"]]
    assert sorted(found) == paths


@pytest.mark.parametrize("share", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_a_share_that_is_none_is_a_usage_error(mirror: Mirror, share: str) -> None:
    ran = mirror.cli("plan", mirror.spec(), "--shard", share)
    assert ran.code == 4
    assert "is not I/N with I from 1 to N" in ran.err


def test_a_plan_stops_at_its_timeout(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.source.script("HEAD", "/manifests/", delay_seconds=2)
    started = time.monotonic()
    ran = mirror.cli("plan", mirror.spec(), "--timeout", "1s", "-o", "saved.json")
    assert ran.code == 130
    assert "the deadline has passed" in ran.err
    assert "--timeout was too short, or a registry hangs" in ran.err
    assert time.monotonic() - started < 10
    assert not Path("saved.json").exists()


def test_a_plan_counts_platforms_and_blobs_that_are_there(mirror: Mirror) -> None:
    image = mirror.fill("1", image=make_index(platforms=("linux/amd64", "linux/arm64", "linux/s390x")))
    mirror.stand(image, "older")
    ran = mirror.cli("plan", mirror.spec())
    assert "3 platforms" in ran.out
    assert "0 B to copy" in ran.out


@pytest.mark.parametrize("command", [("plan",), ("apply", "--dry-run")])
def test_a_report_of_a_plan_is_fit_for_a_comment_or_for_programs(mirror: Mirror, command: tuple[str, ...]) -> None:
    mirror.fill("1")
    for name in ("plan.md", "plan.json"):
        assert mirror.cli(*command, mirror.spec(), "--report", name).code == 0
    assert Path("plan.md").read_text().startswith("**Plan: 1 to add, ")
    assert json.loads(Path("plan.json").read_text())["summary"]["changes"] == 1
    assert mirror.writes() == []


@pytest.mark.parametrize("command", [("plan",), ("apply", "--dry-run")])
def test_a_report_of_a_plan_that_has_no_form_is_refused_before_any_request(
    mirror: Mirror, command: tuple[str, ...]
) -> None:
    ran = mirror.cli(*command, mirror.spec(), "--report", "plan.xml")
    assert (ran.code, mirror.requests()) == (4, [])
    assert "name it .json or .md (Markdown)" in ran.err


ALIASED = "{name: app, tags: {versions: '*'}, aliases: ['{major}.{minor}', stable]}"


def test_a_plan_shows_the_versions_between_which_an_alias_moves(mirror: Mirror) -> None:
    mirror.fill("7.4.2")
    mirror.cli("apply", mirror.spec(ALIASED))
    mirror.fill("7.4.3", image=make_image("new"))
    mirror.fill("8.0.0", image=make_image("newer"))
    out = " ".join(mirror.cli("plan", "sync.yaml").out.split())
    assert "~ app:7.4 7.4.2 → 7.4.3" in out
    assert "~ app:stable 7.4.2 → 8.0.0" in out
    assert "+ app:8.0 8.0.0" in out
    found = mirror.cli("plan", "sync.yaml", "--format", "json").json()
    jsonschema.Draft7Validator(mirror.cli("schema", "--plan").json()).validate(found)
    told = {one["destination"]["tag"]: one["alias"] for one in found["actions"] if "alias" in one}
    assert told["7.4"] == {"version": "7.4.3", "before": "7.4.2"}


def test_an_alias_that_would_go_back_waits_and_that_is_no_failure(mirror: Mirror) -> None:
    new = mirror.fill("7.4.3", image=make_image("new"))
    mirror.fill("7.4.2")
    mirror.cli("apply", mirror.spec(ALIASED))
    spec = mirror.spec("{name: app, tags: {versions: '*', exclude: 7.4.3}, aliases: [stable]}")
    ran = mirror.cli("plan", spec)
    assert ran.code == 0
    assert "… app:stable  waits: it carries 7.4.3, and the highest selected version is 7.4.2" in ran.out
    assert "1 waiting" in ran.out
    assert mirror.cli("apply", spec).code == 0
    assert mirror.tags()["stable"] == new.digest


def test_a_saved_plan_with_an_alias_of_a_version_that_no_rule_gives_it_is_refused(mirror: Mirror) -> None:
    mirror.fill("7.4.2")
    spec = mirror.spec(ALIASED)
    mirror.cli("plan", spec, "-o", "plan.json")
    text = Path("plan.json").read_text()
    for was, then in (('"tag": "stable"', '"tag": "latest"'), ('"version": "7.4.2"', '"version": "7.4.1"')):
        assert was in text
        Path("edited.json").write_text(text.replace(was, then))
        ran = mirror.cli("apply", spec, "--plan", "edited.json")
        assert (ran.code, "no rule of the spec yields" in ran.err) == (4, True)
    assert mirror.writes() == []


def test_an_alias_of_a_narrowed_version_has_what_its_version_has(mirror: Mirror) -> None:
    narrowed = ALIASED.replace("aliases", "platforms: [linux/amd64], aliases")
    mirror.fill("7.4.2")
    mirror.cli("apply", mirror.spec(narrowed))
    again = mirror.cli("apply", "sync.yaml")
    assert "No changes. 3 tags are as the spec wants them." in again.out
    mirror.fill("7.4.3", image=make_index("new"))
    assert "~ app:stable 7.4.2 → 7.4.3" in " ".join(mirror.cli("plan", "sync.yaml").out.split())
    assert mirror.cli("apply", "sync.yaml").code == 0
    assert mirror.tags()["stable"] == mirror.tags()["7.4"] == mirror.tags()["7.4.3"] != mirror.tags()["7.4.2"]
    assert mirror.cli("audit", "sync.yaml").code == 0


def test_an_audit_and_a_repair_know_aliases(mirror: Mirror) -> None:
    mirror.fill("7.4.2")
    mirror.fill("8.0.0", image=make_image("eight"))
    mirror.cli("apply", mirror.spec(ALIASED))
    assert mirror.cli("audit", "sync.yaml").code == 0
    mirror.stand(make_image("drifted"), "7.4")
    ran = mirror.cli("audit", "sync.yaml")
    assert ran.code == 2
    assert "app:7.4  other digest" in ran.out
    mirror.stand(make_image("eight"), "7.4.2", "7.4", "stable")
    repaired = mirror.cli("apply", "sync.yaml", "--repair")
    assert repaired.code == 0, repaired.text
    assert mirror.tags()["7.4"] == mirror.tags()["7.4.2"] == make_index("app 7.4.2").digest


DEAD = "{name: app, tags: {include: ['v*', 'x*'], exclude: '*-rc'}, immutable: [stable]}"


@pytest.mark.parametrize("command", ["plan", "apply", "tags"])
def test_what_of_a_spec_comes_to_nothing_is_a_warning_with_its_place(mirror: Mirror, command: str) -> None:
    mirror.fill("v1", "other")
    ran = mirror.cli(command, mirror.spec(DEAD))
    assert ran.code == 0
    assert [line for line in ran.err.splitlines() if "warning" in line] == [
        "sync.yaml:6:44: warning: x* takes nothing: no tag that is listed is like it",
        "sync.yaml:6:60: warning: *-rc leaves out nothing: no tag that is listed is like it",
        "sync.yaml:6:81: warning: stable is immutable, and no tag that is written is like it",
    ]
    assert "warning" not in mirror.cli(command, "sync.yaml", "--quiet").err


def test_validate_tells_of_what_comes_to_nothing_whatever_the_registries_have(mirror: Mirror) -> None:
    ran = mirror.cli("validate", mirror.spec("{name: app, tags: ['1'], immutable: ['1', stable]}", DEAD))
    assert ran.code == 0
    assert ran.err == "sync.yaml:6:51: warning: stable is immutable, and no tag that is written is like it\n"


def test_a_part_of_a_spec_is_not_judged(mirror: Mirror) -> None:
    mirror.fill("v1")
    spec = mirror.spec(DEAD, "other:1")
    assert mirror.cli("plan", spec, "--only", "sync[0]/app").err == ""


def test_what_comes_to_nothing_is_in_the_json_form_and_annotated(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.fill("v1")
    found = mirror.cli("plan", mirror.spec(DEAD), "--format", "json").json()
    jsonschema.Draft7Validator(mirror.cli("schema", "--plan").json()).validate(found)
    assert found["warnings"][0]["place"] == {"file": "sync.yaml", "line": 6, "column": 44}
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::warning file=sync.yaml,line=6,col=44" in mirror.cli("plan", "sync.yaml").err
