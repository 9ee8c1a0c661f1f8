"""lock, --locked, --lock: what is written for review, and that runs are held to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from tests.cli.command import Mirror
from tests.images import make_image, make_index

LOCK = Path("sync.lock")
FILTER = "{name: app, tags: {include: 'v*', always: latest}}"


@pytest.fixture
def locked(mirror: Mirror) -> Iterator[Mirror]:
    """A mirror whose spec is locked, and not yet applied: v1, v2 and latest of `app`."""
    mirror.fill("v1")
    mirror.fill("v2", "latest", image=make_index("two"))
    assert mirror.cli("lock", mirror.spec(FILTER)).code == 0
    mirror.forget()
    return mirror


def test_lock_writes_what_exact_tags_and_filters_take_and_asks_no_destination(mirror: Mirror) -> None:
    one = mirror.fill("v1")
    two = mirror.fill("v2", "latest", "other", image=make_image("two"))
    ran = mirror.cli("lock", mirror.spec(FILTER))
    assert ran.code == 0
    assert LOCK.read_text().splitlines()[1:] == [
        "version: 1",
        "tags:",
        f"  {mirror.source.host}/app:latest: {two.digest}",
        f"  {mirror.source.host}/app:v1: {one.digest}",
        f"  {mirror.source.host}/app:v2: {two.digest}",
    ]
    assert f"  + {mirror.source.host}/app:v1  {one.digest.short}\n" in ran.out
    assert ran.out.endswith("sync.lock holds 3 tags: 3 added.\n")
    assert mirror.destination.log.lines() == []
    assert {line.partition(" ")[0] for line in mirror.source.log.lines()} == {"GET", "HEAD"}


def test_lock_written_twice_is_the_same_file(locked: Mirror) -> None:
    before = LOCK.stat().st_mtime_ns, LOCK.read_bytes()
    ran = locked.cli("lock", "sync.yaml")
    assert (ran.code, ran.out) == (0, "No changes. sync.lock holds 3 tags.\n")
    assert (LOCK.stat().st_mtime_ns, LOCK.read_bytes()) == before


def test_lock_shows_what_came_moved_and_went(locked: Mirror) -> None:
    old, new = make_index("two").digest, locked.fill("v2", image=make_image("new")).digest
    locked.fill("v3")
    locked.spec("{name: app, tags: {include: 'v*', exclude: v1, always: latest}}")
    out = locked.cli("lock", "sync.yaml").out
    assert f"  - {locked.source.host}/app:v1\n" in out
    assert f"  ~ {locked.source.host}/app:v2  {old.short} → {new.short}\n" in out
    assert "sync.lock holds 3 tags: 1 added, 1 moved, 1 removed." in out


def test_check_writes_nothing_and_ends_with_2_where_the_lock_would_change(locked: Mirror) -> None:
    before = LOCK.read_bytes()
    assert locked.cli("lock", "sync.yaml", "--check").code == 0
    locked.fill("v2", image=make_image("new"))
    ran = locked.cli("lock", "sync.yaml", "--check")
    assert (ran.code, LOCK.read_bytes()) == (2, before)
    assert "sync.lock would hold 3 tags: 1 moved." in ran.out


def test_check_without_a_lock_ends_with_2(mirror: Mirror) -> None:
    mirror.fill("1")
    assert mirror.cli("lock", mirror.spec(), "--check").code == 2
    assert not LOCK.exists()


def test_a_lock_that_was_edited_without_effect_is_written_anew(locked: Mirror) -> None:
    text = LOCK.read_text()
    LOCK.write_text(f"# Reviewed.\n{text}")
    assert locked.cli("lock", "sync.yaml", "--check").code == 2
    assert "3 tags: the same, written anew." in locked.cli("lock", "sync.yaml").out
    assert LOCK.read_text() == text


def test_update_renews_the_named_image_and_asks_for_no_other(mirror: Mirror) -> None:
    old = mirror.fill("1", path="other")
    mirror.fill("1")
    spec = mirror.spec("app:1", "other:1")
    mirror.cli("lock", spec)
    new = mirror.fill("1", image=make_image("new"))
    mirror.fill("1", path="other", image=make_image("newer"))
    mirror.forget()
    ran = mirror.cli("lock", spec, "--update", "sync[0]/app")
    assert ran.code == 0
    assert mirror.source.log.lines() == ["HEAD /v2/app/manifests/1 200"]
    assert f"app:1: {new.digest}" in LOCK.read_text()
    assert f"other:1: {old.digest}" in LOCK.read_text()


def test_update_with_a_near_miss_shows_the_name_probably_meant(locked: Mirror) -> None:
    ran = locked.cli("lock", "sync.yaml", "--update", "sync[0]/ap")
    assert ran.code == 4
    assert "--update 'sync[0]/ap' names no entry and no image of the spec" in ran.err
    assert "did you mean sync[0]/app?" in ran.err


def test_update_without_a_lock_is_a_mistake(mirror: Mirror) -> None:
    ran = mirror.cli("lock", mirror.spec(), "--update", "sync[0]")
    assert ran.code == 4
    assert "there is no lock sync.lock" in ran.err
    assert mirror.requests() == []


def test_what_cannot_be_read_leaves_the_lock_as_it_is(locked: Mirror) -> None:
    before = LOCK.read_bytes()
    locked.fill("v1", image=make_image("new"))
    locked.spec(FILTER, "app:lost")
    ran = locked.cli("lock", "sync.yaml")
    assert (ran.code, ran.out, LOCK.read_bytes()) == (1, "", before)
    assert f"source {locked.source.host}/app:lost: not found" in ran.err
    assert "Not everything could be read: sync.lock is left as it is." in ran.err


def test_the_json_form_has_whole_digests(mirror: Mirror) -> None:
    image = mirror.fill("1")
    found = mirror.cli("lock", mirror.spec(), "--format", "json").json()
    change = {"tag": f"{mirror.source.host}/app:1", "before": None, "after": image.digest}
    assert found == {"lock": "sync.lock", "tags": 1, "changed": True, "changes": [change]}


def test_the_lock_may_lie_elsewhere(mirror: Mirror) -> None:
    mirror.fill("1")
    assert mirror.cli("lock", mirror.spec(), "-o", "pins.yaml").code == 0
    assert not LOCK.exists()
    assert mirror.cli("plan", "sync.yaml", "--locked").code == 4
    assert "1 to add" in mirror.cli("plan", "sync.yaml", "--lock", "pins.yaml").out


def test_a_spec_from_standard_input_has_no_lock_beside_it(mirror: Mirror) -> None:
    ran = mirror.cli("lock", "-")
    assert ran.code == 4
    assert "no lock lies beside it" in ran.err


def test_a_locked_apply_brings_exactly_what_the_lock_has(locked: Mirror) -> None:
    """Also of a tag that moved since, and nothing of one that is new."""
    locked.fill("v2", image=make_image("new"))
    locked.fill("v3")
    ran = locked.cli("apply", "sync.yaml", "--locked", "--report", "report.json")
    assert ran.code == 0
    two = make_index("two").digest
    assert locked.tags() == {"latest": two, "v1": make_index("app v1").digest, "v2": two}
    new = make_image("new").digest
    assert f"(upstream moved: the source has {new.short} now)" in ran.out
    report = json.loads(Path("report.json").read_text())
    assert report["summary"]["upstream_moved"] == 1
    assert [one["upstream_moved"] for one in report["outcomes"] if one["upstream_moved"]] == [{"now": new}]


def test_upstream_moved_is_told_apart_from_what_is_pending(locked: Mirror) -> None:
    locked.cli("apply", "sync.yaml", "--locked")
    new = locked.fill("v2", image=make_image("new")).digest
    held = locked.cli("plan", "sync.yaml", "--locked")
    assert f"  = app:v2  {make_index('two').digest.short}  upstream moved: the source has {new.short} now\n" in held.out
    assert "No changes. 3 tags are as the spec wants them, 1 upstream moved." in held.out
    assert "~ app:v2" in (free := locked.cli("plan", "sync.yaml").out)
    assert "upstream" not in free
    markdown = locked.cli("plan", "sync.yaml", "--locked", "--format", "markdown").out
    assert "1 upstream moved" in markdown.splitlines()[0]
    assert "upstream moved: the source has" in markdown.partition("```diff")[2]
    found = locked.cli("plan", "sync.yaml", "--locked", "--format", "json").json()
    assert found["summary"]["upstream_moved"] == 1
    assert [one["upstream_moved"]["now"] for one in found["actions"] if "upstream_moved" in one] == [new]


def test_with_a_locked_plan_nothing_changes_though_detailed_exit_codes_are_asked_for(locked: Mirror) -> None:
    locked.cli("apply", "sync.yaml", "--locked")
    locked.fill("v2", image=make_image("new"))
    assert locked.cli("plan", "sync.yaml", "--locked", "--detailed-exitcode").code == 0


def test_without_a_lock_locked_is_a_mistake_before_any_request(mirror: Mirror) -> None:
    ran = mirror.cli("apply", mirror.spec(), "--locked")
    assert ran.code == 4
    assert "there is no lock sync.lock" in ran.err
    assert "run `imagesync lock`" in ran.err
    assert mirror.requests() == []


def test_a_rule_that_the_lock_lacks_is_a_mistake_before_any_request(locked: Mirror) -> None:
    locked.spec(FILTER, "other:1")
    ran = locked.cli("apply", "sync.yaml", "--locked")
    assert ran.code == 4
    assert f"sync.yaml:7:9: sync.lock has no {locked.source.host}/other:1 for sync[0]/other" in ran.err
    assert "1 mistake in the lock; nothing was touched." in ran.err
    assert locked.requests() == []


def test_only_asks_no_more_of_the_lock_than_its_rules_want(locked: Mirror) -> None:
    locked.spec(FILTER, "other:1")
    ran = locked.cli("plan", "sync.yaml", "--locked", "--only", "sync[0]/app")
    assert (ran.code, ran.err) == (0, "")


def test_what_no_rule_wants_is_a_warning(locked: Mirror) -> None:
    locked.spec("{name: app, tags: {include: v1, always: latest}}")
    ran = locked.cli("plan", "sync.yaml", "--locked")
    assert ran.code == 0
    said = f"no rule wants {locked.source.host}/app:v2: `imagesync lock` would drop it"
    assert ran.err == f"sync.lock:6:3: warning: {said}\n"


def test_a_damaged_lock_is_told_with_its_lines(locked: Mirror) -> None:
    LOCK.write_text(LOCK.read_text().replace("sha256:", "sha257:", 1).replace("version: 1", "version: 7"))
    ran = locked.cli("plan", "sync.yaml", "--locked")
    assert ran.code == 4
    assert ran.err.startswith("sync.lock:2:10: this imagesync reads locks of version 1")
    assert "sync.lock:4:" in ran.err
    assert "2 mistakes in the lock" in ran.err


def test_a_saved_plan_names_the_lock_and_is_carried_out_with_that_very_one(locked: Mirror) -> None:
    schema = locked.cli("schema", "--plan").json()
    locked.cli("plan", "sync.yaml", "--locked", "-o", "plan.json")
    plan = json.loads(Path("plan.json").read_text())
    jsonschema.Draft7Validator(schema).validate(plan)
    assert [pin["path"] for pin in plan["specs"]] == ["sync.yaml", "sync.lock"]
    without = locked.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert without.code == 4
    assert "give --locked if that plan was made with it" in without.err
    locked.fill("v2", image=make_image("new"))
    assert locked.cli("apply", "sync.yaml", "--plan", "plan.json", "--locked").code == 0
    assert locked.tags()["v2"] == make_index("two").digest


def test_a_saved_plan_is_refused_with_another_lock(locked: Mirror) -> None:
    locked.cli("plan", "sync.yaml", "--locked", "-o", "plan.json")
    locked.fill("v2", image=make_image("new"))
    locked.cli("lock", "sync.yaml")
    ran = locked.cli("apply", "sync.yaml", "--plan", "plan.json", "--locked")
    assert ran.code == 4
    assert "sync.lock has changed since the plan was made" in ran.err


def test_a_plan_file_cannot_go_beyond_the_lock(locked: Mirror) -> None:
    """A plan that was made without the lock, dressed up as one that was made with it."""
    new = locked.fill("v2", image=make_image("new")).digest
    locked.cli("plan", "sync.yaml", "--locked", "-o", "held.json")
    locked.cli("plan", "sync.yaml", "-o", "free.json")
    held, free = (json.loads(Path(name).read_text()) for name in ("held.json", "free.json"))
    Path("free.json").write_text(json.dumps({**free, "specs": held["specs"]}))
    ran = locked.cli("apply", "sync.yaml", "--plan", "free.json", "--locked")
    assert ran.code == 4
    assert f"no rule of the spec yields {locked.source.host}/app:v2@{new}" in ran.err
    assert locked.tags() == {}


def test_an_audit_that_is_held_to_the_lock_takes_its_digests_for_promised(locked: Mirror) -> None:
    locked.cli("apply", "sync.yaml", "--locked")
    locked.fill("v2", image=make_image("new"))
    assert locked.cli("audit", "sync.yaml").code == 2
    assert locked.cli("audit", "sync.yaml", "--locked").code == 0
    locked.stand(make_image("drifted"), "v2")
    ran = locked.cli("audit", "sync.yaml", "--locked")
    assert f"the tag has {make_image('drifted').digest.short}, the lock has {make_index('two').digest.short}" in ran.out


def test_a_tag_of_a_layout_is_locked_by_the_folder_as_the_spec_has_it(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.cli("apply", mirror.spec("app:1", to="oci:./airgap"))
    text = f"version: 1\nsync: [{{source: 'oci:./airgap', destination: {mirror.destination.host}, images: [app:1]}}]\n"
    spec = mirror.cli.file(text, "deep/site.yaml")
    Path("airgap").rename("deep/airgap")
    assert mirror.cli("lock", spec).code == 0
    assert "  oci:airgap/app:1: sha256:" in Path("deep/site.lock").read_text()
    assert mirror.cli("apply", spec, "--locked").code == 0


GLOB = "{name: 'team/*', tags: 'v*'}"


def test_a_glob_finds_in_the_lock_what_it_found_and_asks_for_no_catalog(mirror: Mirror) -> None:
    mirror.fill("v1", path="team/one")
    mirror.fill("v1", path="team/two")
    assert mirror.cli("lock", mirror.spec(GLOB)).code == 0
    mirror.fill("v1", path="team/three")
    mirror.forget()
    ran = mirror.cli("apply", "sync.yaml", "--locked")
    assert (ran.code, "2 added" in ran.out) == (0, True)
    assert mirror.tags("team/three") == {}
    assert [line for line in mirror.source.log.lines() if "_catalog" in line] == []


def test_a_glob_that_finds_nothing_in_the_lock_is_a_mistake(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.cli("lock", mirror.spec())
    mirror.forget()
    ran = mirror.cli("plan", mirror.spec("app:1", GLOB), "--locked")
    assert ran.code == 4
    assert f"sync.lock has no repository like {mirror.source.host}/team/* for sync[0]/team/*" in ran.err
    assert mirror.requests() == []


def test_update_renews_one_repository_of_a_glob(mirror: Mirror) -> None:
    mirror.fill("v1", path="team/one")
    two = mirror.fill("v1", path="team/two")
    mirror.cli("lock", mirror.spec(GLOB))
    new = mirror.fill("v2", path="team/one", image=make_image("new"))
    mirror.fill("v1", path="team/two", image=make_image("newer"))
    assert mirror.cli("lock", "sync.yaml", "--update", "sync[0]/team/one").code == 0
    text = LOCK.read_text()
    assert f"team/one:v2: {new.digest}" in text
    assert f"team/two:v1: {two.digest}" in text


def test_update_of_a_glob_drops_what_it_finds_no_more(mirror: Mirror) -> None:
    mirror.fill("v1", path="team/one")
    mirror.fill("1")
    mirror.cli("lock", mirror.spec("app:1", GLOB))
    text = LOCK.read_text()
    LOCK.write_text(text + text.splitlines()[-1].replace("team/one:v1", "team/zero:v1") + "\n")
    assert mirror.cli("lock", "sync.yaml", "--update", "sync[0]/team/*").code == 0
    assert LOCK.read_text() == text


def test_validate_says_without_a_request_whether_the_lock_has_all_that_the_spec_takes(locked: Mirror) -> None:
    assert locked.cli("validate", "sync.yaml", "--locked").code == 0
    ran = locked.cli("validate", locked.spec(FILTER, "other:1"), "--locked")
    assert (ran.code, "sync.lock has no" in ran.err) == (4, True)
    assert locked.requests() == []
