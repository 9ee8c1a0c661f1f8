"""apply: what it does the first time and the second, and what a saved plan allows."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from imagesync.reference import Tag
from tests.cli.command import Cli, Mirror, Ran
from tests.conftest import MakeRegistry
from tests.images import make_image, make_index, push_image


def test_the_first_run_copies_and_the_second_asks_two_questions(mirror: Mirror) -> None:
    image = mirror.fill("1")
    first = mirror.cli("apply", mirror.spec("{name: app:1, attachments: none}"))
    assert first.code == 0
    assert f"+ app:1  {image.digest.short}" in first.out
    assert mirror.tags() == {"1": image.digest}
    mirror.forget()
    second = mirror.cli("apply", "sync.yaml")
    assert (second.code, second.err) == (0, "")
    assert second.out.startswith("No changes. 1 tag is as the spec wants it.")
    assert mirror.requests() == ["HEAD /v2/app/manifests/1 200"] * 2


def test_every_platform_arrives_byte_for_byte(mirror: Mirror) -> None:
    image = mirror.fill("1", image=make_index(platforms=("linux/amd64", "linux/arm/v7"), attestations=True))
    mirror.cli("apply", mirror.spec())
    arrived = mirror.destination.repository("app")
    for content in image.contents:
        assert arrived.fetch_manifest(content.digest).raw == content.raw


def test_a_dry_run_shows_the_plan_and_writes_nothing(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("apply", mirror.spec(), "--dry-run")
    assert ran.code == 0
    assert "Plan: 1 to add" in ran.out
    assert mirror.writes() == []


def test_a_saved_plan_copies_what_it_pinned_though_the_tag_has_moved(mirror: Mirror) -> None:
    planned = mirror.fill("1")
    spec = mirror.spec()
    mirror.cli("plan", spec, "-o", "plan.json")
    push_image(mirror.source.repository("app"), make_index("newer"), "1")
    assert mirror.cli("apply", spec, "--plan", "plan.json").code == 0
    assert mirror.tags() == {"1": planned.digest}


def test_a_saved_plan_of_another_spec_is_refused_without_a_request(mirror: Mirror) -> None:
    mirror.fill("1")
    spec = mirror.spec()
    mirror.cli("plan", spec, "-o", "plan.json")
    Path(spec).write_text(Path(spec).read_text() + "# changed\n")
    mirror.forget()
    ran = mirror.cli("apply", spec, "--plan", "plan.json")
    assert ran.code == 4
    assert "sync.yaml has changed since the plan was made" in ran.err
    assert "--approved FILE" in ran.err
    assert mirror.requests() == []


def _edit_destination(plan: dict[str, list[dict[str, dict[str, str]]]]) -> None:
    plan["actions"][0]["destination"]["path"] = "stolen"


def _edit_tag(plan: dict[str, list[dict[str, dict[str, str]]]]) -> None:
    plan["actions"][0]["destination"]["tag"] = "latest"


def _edit_manifest(plan: dict[str, dict[str, dict[str, str]]]) -> None:
    next(iter(plan["manifests"].values()))["content"] += " "


def _edit_form(plan: dict[str, object]) -> None:
    plan["actions"] = "all"


@pytest.mark.parametrize("edit", [_edit_destination, _edit_tag, _edit_manifest, _edit_form])
def test_an_edited_plan_is_refused_without_a_request(mirror: Mirror, edit: object) -> None:
    """Decision 7: a file cannot widen itself."""
    mirror.fill("1")
    spec = mirror.spec()
    mirror.cli("plan", spec, "-o", "plan.json")
    document = json.loads(Path("plan.json").read_text())
    edit(document)  # type: ignore[operator]
    Path("plan.json").write_text(json.dumps(document))
    mirror.forget()
    ran = mirror.cli("apply", spec, "--plan", "plan.json")
    assert ran.code == 4
    assert ran.err.startswith("imagesync: ")
    assert mirror.requests() == []


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"format_version": 3}', "\xff"])
def test_a_plan_file_that_is_none_is_refused(mirror: Mirror, text: str) -> None:
    Path("plan.json").write_bytes(text.encode("latin-1"))
    ran = mirror.cli("apply", mirror.spec(), "--plan", "plan.json")
    assert ran.code == 4
    assert "plan.json" in ran.err
    assert mirror.requests() == []


def test_a_plan_file_that_is_not_there_is_named(mirror: Mirror) -> None:
    ran = mirror.cli("apply", mirror.spec(), "--plan", "lost.json")
    assert (ran.code, "lost.json cannot be read: No such file" in ran.err) == (4, True)


def test_a_tag_that_moved_since_the_saved_plan_is_left_alone(mirror: Mirror) -> None:
    mirror.fill("1")
    other = mirror.fill("2")
    spec = mirror.spec("app:1", "app:2")
    mirror.cli("plan", spec, "-o", "plan.json")
    foreign = mirror.stand(make_image("by another hand"), "1")
    ran = mirror.cli("apply", spec, "--plan", "plan.json")
    assert ran.code == 3
    assert mirror.tags() == {"1": foreign.digest, "2": other.digest}
    assert "! app:1" in ran.out
    assert "was not there" in ran.out
    assert foreign.digest.short in ran.out


def test_an_approved_plan_carried_out_anew_copies_what_it_holds_and_leaves_the_rest(mirror: Mirror) -> None:
    approved = mirror.fill("1")
    spec = mirror.spec("app:1")
    mirror.cli("plan", spec, "-o", "plan.json")
    mirror.fill("2")
    ran = mirror.cli("apply", mirror.spec("app:1", "app:2"), "--approved", "plan.json")
    assert ran.code == 3
    assert mirror.tags() == {"1": approved.digest}
    assert "! app:2" in ran.out
    assert "not in the approved plan" in ran.out


def test_an_approved_plan_binds_the_digest(mirror: Mirror) -> None:
    """Decision 8: the tag moved after it was approved."""
    mirror.fill("1")
    mirror.cli("plan", mirror.spec(), "-o", "plan.json")
    push_image(mirror.source.repository("app"), make_index("newer"), "1")
    assert mirror.cli("apply", "sync.yaml", "--approved", "plan.json").code == 3
    assert mirror.tags() == {}


def test_an_approved_plan_shows_in_a_dry_run_what_would_be_left_alone(mirror: Mirror) -> None:
    mirror.fill("1", "2")
    mirror.cli("plan", mirror.spec("app:1"), "-o", "plan.json")
    ran = mirror.cli("apply", mirror.spec("app:1", "app:2"), "--approved", "plan.json", "--dry-run")
    assert ran.code == 3
    assert "1 blocked" in ran.out
    assert mirror.writes() == []


def test_a_plan_cannot_be_both_exact_and_approved(mirror: Mirror) -> None:
    ran = mirror.cli("apply", mirror.spec(), "--plan", "a", "--approved", "b")
    assert (ran.code, "not allowed with argument" in ran.err) == (4, True)


@pytest.mark.parametrize("option", [("--only", "sync[0]"), ("--shard", "1/2")])
def test_a_saved_plan_is_carried_out_whole(mirror: Mirror, option: tuple[str, str]) -> None:
    mirror.fill("1")
    mirror.cli("plan", mirror.spec(), "-o", "plan.json")
    ran = mirror.cli("apply", "sync.yaml", "--plan", "plan.json", *option)
    assert (ran.code, "--plan carries out the whole file" in ran.err) == (4, True)


def _mixed_run(mirror: Mirror, *options: str) -> Ran:
    mirror.fill("1")
    return mirror.cli("apply", mirror.spec("app:1", "app:lost"), *options)


def test_one_image_that_fails_leaves_the_others_done(mirror: Mirror) -> None:
    ran = _mixed_run(mirror)
    assert ran.code == 1
    assert set(mirror.tags()) == {"1"}
    assert "Not all done: 1 added, 0 updated, 1 failed, 0 unchanged." in ran.out


def test_a_json_report_has_both_digests_of_every_tag_and_what_became_of_it(mirror: Mirror) -> None:
    _mixed_run(mirror, "--report", "report.json")
    report = json.loads(Path("report.json").read_text())
    done, lost = report["outcomes"]
    assert (done["status"], lost["status"]) == ("copied", "failed")
    assert done["source_digest"] == done["destination_digest"] == mirror.tags()["1"]
    assert "not found" in lost["reason"]
    assert report["summary"]["exit_code"] == 1


def test_a_junit_report_counts_cases_and_failures(mirror: Mirror) -> None:
    _mixed_run(mirror, "--report", "report.xml")
    root = ET.fromstring(Path("report.xml").read_text())
    assert (root.get("tests"), root.get("failures")) == ("2", "1")


def test_a_markdown_report_says_what_to_do(mirror: Mirror) -> None:
    _mixed_run(mirror, "--report", "report.md")
    assert "what to do" in Path("report.md").read_text()


def test_the_json_form_on_stdout_is_the_report(mirror: Mirror) -> None:
    ran = _mixed_run(mirror, "--format", "json")
    assert [outcome["status"] for outcome in ran.json()["outcomes"]] == ["copied", "failed"]


def test_a_report_of_no_known_form_is_refused_before_any_request(mirror: Mirror) -> None:
    ran = mirror.cli("apply", mirror.spec(), "--report", "report.txt")
    assert ran.code == 4
    assert "name it .json, .xml (JUnit) or .md" in ran.err
    assert mirror.requests() == []


def test_a_report_into_a_folder_that_is_not_there_is_refused_before_any_request(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("apply", mirror.spec(), "--report", "no/such/report.json")
    assert ran.code == 4
    assert "no/such" in ran.err
    assert mirror.requests() == []


def test_every_destination_of_an_entry_is_written(cli: Cli, make_registry: MakeRegistry) -> None:
    mirror, second = Mirror(cli, make_registry(), make_registry()), make_registry()
    image = mirror.fill("1")
    ran = cli("apply", mirror.spec(to=f"[{mirror.destination.host}, {second.host}/mirror]"))
    assert ran.code == 0
    assert mirror.tags() == {"1": image.digest}
    assert second.repository("mirror/app").resolve(Tag("1")).digest == image.digest


def test_a_destination_that_fails_leaves_the_other_done(cli: Cli, make_registry: MakeRegistry) -> None:
    mirror, second = Mirror(cli, make_registry(), make_registry()), make_registry()
    image = mirror.fill("1")
    second.script("PUT", "/manifests/", status=403)
    ran = cli("apply", mirror.spec(to=f"[{mirror.destination.host}, {second.host}]"))
    assert ran.code == 1
    assert mirror.tags() == {"1": image.digest}
    assert f"x {second.host}/app:1  failed" in ran.out
    assert "destination" in ran.out


def test_a_layout_is_a_destination_and_then_a_source(mirror: Mirror) -> None:
    image = mirror.fill("1")
    assert mirror.cli("apply", mirror.spec(to="oci:./gap")).code == 0
    assert (Path("gap") / "app" / "index.json").exists()
    mirror.forget()
    back = mirror.cli.file(
        f"""\
        version: 1
        sync:
          - source: oci:./gap
            destination: {mirror.destination.host}
            images:
              - app:1
        """,
        "back.yaml",
    )
    assert mirror.cli("apply", back).code == 0
    assert mirror.tags() == {"1": image.digest}
    assert len(mirror.source.log) == 0


def test_paths_count_from_the_folder_of_the_spec(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.spec(to="oci:./gap", name="deep/er/sync.yaml")
    assert mirror.cli("apply", "deep/er/sync.yaml").code == 0
    assert Path("deep/er/gap/app/index.json").exists()


def test_an_archive_is_a_source(mirror: Mirror) -> None:
    import tarfile

    image = mirror.fill("1")
    mirror.cli("apply", mirror.spec(to="oci:./gap"))
    with tarfile.open("gap.tar", "w") as archive:
        archive.add("gap", arcname=".")
    spec = Path(mirror.spec())
    spec.write_text(spec.read_text().replace(f"source: {mirror.source.host}", "source: oci-archive:gap.tar"))
    ran = mirror.cli("apply", "sync.yaml")
    assert (ran.code, mirror.tags()) == (0, {"1": image.digest})


def test_a_glob_copies_what_it_matches(mirror: Mirror) -> None:
    mirror.fill("1.0", "1.1", "2.0")
    assert mirror.cli("apply", mirror.spec('{name: app, tags: ["1.*"]}')).code == 0
    assert set(mirror.tags()) == {"1.0", "1.1"}


def test_a_tag_is_renamed_on_the_way(mirror: Mirror) -> None:
    mirror.fill("1")
    assert mirror.cli("apply", mirror.spec('{name: app, tags: "1", retag: "{tag}-mirror", as: base/app}')).code == 0
    assert set(mirror.tags("base/app")) == {"1-mirror"}


def test_a_filter_that_keeps_nothing_fails_and_says_how_to_allow_it(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("apply", mirror.spec('{name: app, tags: ["9.*"]}'))
    assert ran.code == 1
    assert "on_empty: warn" in ran.out


def test_a_filter_that_keeps_nothing_may_be_allowed(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("apply", mirror.spec('{name: app, tags: ["9.*"], on_empty: warn}'))
    assert ran.code == 0
    assert "app" in ran.out
    assert mirror.writes() == []


def test_the_time_of_a_run_holds_its_planning(mirror: Mirror) -> None:
    mirror.stand(mirror.fill("1"), "1")
    mirror.source.script("HEAD", "/manifests/", delay_seconds=0.3)
    ran = mirror.cli("apply", mirror.spec(), "--format", "json")
    assert ran.json()["summary"]["seconds"] >= 0.3


def test_an_immutable_tag_is_not_moved_and_the_rest_is_carried_out(mirror: Mirror) -> None:
    mirror.fill("1")
    spec = mirror.spec('{name: app, tags: ["1", "2"], immutable: ["1"]}')
    there = mirror.stand(make_image("of another hand"), "1")
    image = mirror.fill("2")
    ran = mirror.cli("apply", spec)
    assert ran.code == 3
    assert f"! app:1  blocked: immutable tag has {there.digest.short}, the source has " in ran.out
    assert "→ bring it under another tag (`retag`), or delete the tag at the destination\n" in ran.out
    assert "Not all done: 1 added, 0 updated, 1 blocked, 0 unchanged." in ran.out
    assert mirror.tags() == {"1": there.digest, "2": image.digest}


def test_with_a_trusted_list_a_run_says_how_many_tags_it_has_assumed(mirror: Mirror) -> None:
    image = mirror.fill("1", "2")
    mirror.stand(image, "1", "2")
    spec = mirror.spec('{name: app, tags: ["1", "2"], immutable: {tags: ["*"], trust: list}}')
    ran = mirror.cli("apply", spec)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("No changes. 2 tags are as the spec wants them by the tag list, 2 assumed.")
    assert mirror.requests() == ["GET /v2/app/tags/list 200"]
    assert mirror.cli("plan", spec, "--format", "json").json()["summary"]["assumed"] == 2
    assert "2 assumed" in mirror.cli("plan", spec, "--format", "markdown").out


def test_one_thread_is_enough(mirror: Mirror) -> None:
    """Decision 30."""
    image = mirror.fill("1", "2")
    ran = mirror.cli("apply", mirror.spec("app:1", "app:2"), "--concurrency", "1", "--timeout", "60s")
    assert (ran.code, mirror.tags()) == (0, {"1": image.digest, "2": image.digest})
