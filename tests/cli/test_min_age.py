"""`min_age` as a user meets it: what waits and is told, when its clock starts, and what stays meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from imagesync.reference import Tag
from tests.cli.command import Mirror
from tests.images import MadeImage, make_image

STATE = Path("state.json")


def spec(mirror: Mirror, tags: str = "{versions: '*', min_age: 72h, newest: 1}", more: str = "") -> str:
    name = mirror.spec(f"{{name: app, tags: {tags}{more}}}")
    text = Path(name).read_text(encoding="utf-8")
    Path(name).write_text(text.replace("version: 1\n", f"version: 1\nstate: {STATE}\n"), encoding="utf-8")
    return name


def fill(mirror: Mirror, *tags: str) -> list[MadeImage]:
    return [mirror.fill(tag, image=make_image(f"{tag} {len(mirror.tags())}", layers=1)) for tag in tags]


def grow_older(hours: int) -> None:
    """Let all that the state has seen have been seen so much earlier."""
    document = json.loads(STATE.read_text())
    for sight in document["first_seen"]:
        at = datetime.fromisoformat(sight["at"]).astimezone(UTC) - timedelta(hours=hours)
        sight["at"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    STATE.write_text(json.dumps(document))


def seen() -> set[str]:
    return {sight["tag"] for sight in json.loads(STATE.read_text())["first_seen"]}


def test_a_tag_waits_until_it_is_old_enough_and_is_then_copied(mirror: Mirror) -> None:
    fill(mirror, "1.0")
    name = spec(mirror)
    ran = mirror.cli("apply", name)
    assert ran.code == 0
    assert "… app:1.0  waiting: 0 of 72 h old\n      → its clock starts with the first apply that sees it\n" in ran.out
    assert "Done: 0 added, 0 updated, 1 waiting" in ran.out
    grow_older(41)
    ran = mirror.cli("plan", name)
    assert ran.code == 0
    assert "… app:1.0  waits: 41 of 72 h old" in ran.out
    assert "1 waiting" in ran.out
    assert mirror.tags() == {}
    grow_older(31)
    assert "1 added" in mirror.cli("apply", name).out
    assert [*mirror.tags()] == ["1.0"]


def test_a_plan_starts_no_clock(mirror: Mirror) -> None:
    fill(mirror, "1.0")
    ran = mirror.cli("plan", spec(mirror))
    assert "its clock starts with the first apply that sees it" in ran.out
    assert not STATE.exists()


def test_all_that_was_judged_is_remembered_and_not_the_kept_alone(mirror: Mirror) -> None:
    fill(mirror, "1.0", "1.1", "1.2")
    mirror.cli("apply", spec(mirror))
    assert seen() == {"1.0", "1.1", "1.2"}


def test_a_new_release_waits_and_what_stands_stays(mirror: Mirror) -> None:
    fill(mirror, "1.0")
    name = spec(mirror)
    mirror.cli("apply", name)
    grow_older(80)
    mirror.cli("apply", name)
    fill(mirror, "1.1")
    ran = mirror.cli("apply", name)
    assert ran.code == 0
    assert "… app:1.1  waiting: 0 of 72 h old" in ran.out
    assert "1 waiting, 1 unchanged" in ran.out
    assert [*mirror.tags()] == ["1.0"]


def test_a_tag_that_moves_is_copied_with_what_it_was_when_that_is_old_enough(mirror: Mirror) -> None:
    name = spec(mirror, "{include: nightly, min_age: 72h}")
    digests = []
    for day in range(4):
        digests.append(mirror.fill("nightly", image=make_image(f"day {day}", layers=1)).digest)
        mirror.cli("apply", name)
        grow_older(25)
    ran = mirror.cli("apply", name)
    assert ran.code == 0
    assert mirror.tags() == {"nightly": digests[1]}


def test_a_saved_plan_of_an_earlier_digest_is_carried_out(mirror: Mirror) -> None:
    name = spec(mirror, "{include: nightly, min_age: 72h}")
    old = mirror.fill("nightly", image=make_image("old", layers=1)).digest
    mirror.cli("apply", name)
    grow_older(80)
    mirror.fill("nightly", image=make_image("new", layers=1))
    assert mirror.cli("plan", name, "-o", "plan.json").code == 0
    assert mirror.cli("apply", name, "--plan", "plan.json").code == 0
    assert mirror.tags() == {"nightly": old}


def test_json_and_markdown_tell_of_what_waits(mirror: Mirror) -> None:
    fill(mirror, "1.0")
    name = spec(mirror)
    found = mirror.cli("apply", name, "--format", "json").json()
    assert found["summary"]["waiting"] == 1
    (outcome,) = found["outcomes"]
    assert (outcome["status"], outcome["reason"]) == ("waiting", "0 of 72 h old")
    planned = mirror.cli("plan", name, "--format", "json").json()
    (action,) = planned["actions"]
    assert (action["action"], action["waits_for"], action["exit_code"]) == ("waiting", "age", 0)
    assert "app:1.0" in mirror.cli("plan", name, "--format", "markdown").out


def test_what_waits_needs_no_pulls(mirror: Mirror) -> None:
    """`at least 1 more needed` is for what a budget holds up."""
    fill(mirror, "1.0")
    name = spec(mirror)
    text = Path(name).read_text(encoding="utf-8")
    budget = f'registries:\n  "{mirror.source.host}": {{pulls: {{budget: 9/6h}}}}\n'
    Path(name).write_text(text.replace("sync:", f"{budget}sync:"), encoding="utf-8")
    out = mirror.cli("plan", name).out
    assert f"Used 0 pulls on {mirror.source.host}, 9 left." in out


def test_tags_drift_and_audit_judge_by_the_same_state(mirror: Mirror) -> None:
    fill(mirror, "1.0")
    name = spec(mirror)
    mirror.cli("apply", name)
    assert "  - 1.0  0 of 72 h old" in mirror.cli("tags", name).out
    assert mirror.cli("audit", name).code == 0
    assert mirror.cli("drift", name).code == 0
    grow_older(80)
    assert "  + 1.0" in mirror.cli("tags", name).out
    assert mirror.cli("audit", name).code == 2
    mirror.cli("apply", name)
    assert mirror.cli("audit", name).code == 0


def test_a_lock_holds_what_is_old_enough(mirror: Mirror) -> None:
    fill(mirror, "1.0")
    old = mirror.fill("nightly", image=make_image("old", layers=1)).digest
    name = spec(mirror, "{min_age: 72h}")
    mirror.cli("apply", name)
    grow_older(80)
    fill(mirror, "1.1")
    mirror.fill("nightly", image=make_image("new", layers=1))
    assert mirror.cli("lock", name).code == 0
    text = Path("sync.lock").read_text()
    assert old in text
    assert ":1.0" in text
    assert ":1.1" not in text
    mirror.forget()
    assert mirror.cli("apply", name, "--locked").code == 0
    assert mirror.tags()["nightly"] == old


def test_without_a_state_the_spec_is_wrong_before_any_request(mirror: Mirror) -> None:
    ran = mirror.cli("plan", mirror.spec("{name: app, tags: {min_age: 72h}}"))
    assert (ran.code, mirror.requests()) == (4, [])
    assert "there is no `state` that remembers it" in ran.err


def test_a_prune_leaves_what_waits(mirror: Mirror) -> None:
    """The tag is wanted: what stands at its destination stays until its successor is old enough."""
    fill(mirror, "1.0", "1.1")
    name = spec(mirror, "{versions: '*', min_age: 72h, newest: 1}", ", prune: {max: 5}")
    mirror.cli("apply", name)
    grow_older(80)
    mirror.cli("apply", name)
    mirror.fill("1.1", image=make_image("moved", layers=1))
    document = json.loads(STATE.read_text())
    STATE.write_text(json.dumps({**document, "first_seen": []}))
    ran = mirror.cli("prune", name, "--confirm")
    assert ran.code == 0, ran.text
    assert [*mirror.tags()] == ["1.1"]


def test_a_prune_by_dates_lets_go_of_what_is_no_more_among_the_newest(mirror: Mirror) -> None:
    for day, tag in enumerate(["c", "b"], start=1):
        mirror.fill(tag, image=make_image(tag, layers=1, created=f"2025-01-0{day}T00:00:00Z"))
    name = spec(mirror, "{sort: created, newest: 1}", ", prune: {max: 5}")
    mirror.cli("apply", name)
    assert [*mirror.tags()] == ["b"]
    mirror.fill("a", image=make_image("a", layers=1, created="2025-01-09T00:00:00Z"))
    mirror.cli("apply", name)
    ran = mirror.cli("prune", name, "--confirm")
    assert ran.code == 0, ran.text
    assert [*mirror.tags()] == ["a"]


def test_a_lock_keeps_what_it_has_of_a_tag_that_is_too_young_by_now(mirror: Mirror) -> None:
    """Otherwise every later run that is held to it would lack the tag."""
    fill(mirror, "latest")
    name = spec(mirror, "{include: latest, min_age: {age: 72h, clock: first_seen}}")
    mirror.cli("apply", name)
    grow_older(80)
    assert mirror.cli("lock", name).code == 0
    before = Path("sync.lock").read_text(encoding="utf-8")
    STATE.write_text(json.dumps({**json.loads(STATE.read_text()), "first_seen": []}))
    fill(mirror, "latest")
    assert mirror.cli("lock", name).code == 0
    assert Path("sync.lock").read_text(encoding="utf-8") == before
    assert mirror.cli("plan", name, "--locked").code == 0


def test_a_repair_brings_what_is_old_enough_and_not_what_the_tag_points_to_now(mirror: Mirror) -> None:
    name = spec(mirror, "{include: nightly, min_age: 72h}")
    old = mirror.fill("nightly", image=make_image("old", layers=1)).digest
    mirror.cli("apply", name)
    grow_older(80)
    mirror.fill("nightly", image=make_image("new", layers=1))
    mirror.cli("apply", name)
    mirror.destination.repository("app").delete_tag(Tag("nightly"))
    ran = mirror.cli("apply", name, "--repair")
    assert ran.code == 0, ran.text
    assert mirror.tags() == {"nightly": old}


def test_an_alias_follows_the_highest_version_that_is_old_enough(mirror: Mirror) -> None:
    (image,) = fill(mirror, "7.4.2")
    name = spec(mirror, "{versions: '*', min_age: 72h, newest: 1}", ', aliases: ["{major}.{minor}"]')
    mirror.cli("apply", name)
    grow_older(80)
    fill(mirror, "7.4.3")
    ran = mirror.cli("apply", name)
    assert ran.code == 0, ran.text
    assert "… app:7.4.3  waiting: 0 of 72 h old" in ran.out
    assert mirror.tags() == {"7.4": image.digest, "7.4.2": image.digest}


def test_a_prune_leaves_what_stands_while_nothing_is_old_enough(mirror: Mirror) -> None:
    """As after `adopt`, or with a state that was lost: every clock starts anew, and all wait alike."""
    for one in ("1.0", "1.1"):
        mirror.fill(one, image=make_image(one, layers=1))
    mirror.stand(make_image("1.0", layers=1), "1.0")
    name = spec(mirror, "{versions: '*', min_age: 72h, newest: 1}", ", prune: {max: 5}")
    adoption = mirror.spec("app:1.0", name="adopt.yaml")
    text = Path(adoption).read_text().replace("version: 1\n", f"version: 1\nstate: {STATE}\n")
    assert mirror.cli("adopt", mirror.cli.file(text, "adopt.yaml")).code == 0
    for _ in range(2):
        assert mirror.cli("prune", name, "--confirm").code == 0
        assert [*mirror.tags()] == ["1.0"]
        mirror.cli("apply", name)


def test_a_prune_leaves_all_where_a_tag_that_may_be_too_young_cannot_be_read(mirror: Mirror, no_waiting: None) -> None:
    fill(mirror, "1.0")
    name = spec(mirror, "{versions: '*', min_age: 72h, newest: 1}", ", prune: {max: 5}")
    mirror.cli("apply", name)
    grow_older(80)
    mirror.cli("apply", name)
    mirror.fill("1.1", image=make_image("new", layers=1))
    mirror.source.script("HEAD", "/manifests/1.1", status=503)
    ran = mirror.cli("prune", name, "--confirm")
    assert ran.code == 1, ran.text
    assert "nothing is pruned here" in ran.text
    assert "503" in ran.text
    assert [*mirror.tags()] == ["1.0"]


def test_an_earlier_digest_that_cannot_be_asked_for_takes_nothing_back(mirror: Mirror, no_waiting: None) -> None:
    name = spec(mirror, "{include: nightly, min_age: 72h}")
    digests = []
    for day in range(5):
        digests.append(mirror.fill("nightly", image=make_image(f"day {day}", layers=1)).digest)
        mirror.cli("apply", name)
        grow_older(25)
    mirror.cli("apply", name)
    assert mirror.tags() == {"nightly": digests[2]}
    mirror.source.script("HEAD", f"/manifests/{digests[2]}", status=503)
    ran = mirror.cli("apply", name)
    assert ran.code == 1, ran.text
    assert mirror.tags() == {"nightly": digests[2]}
