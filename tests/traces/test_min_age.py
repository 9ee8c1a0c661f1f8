"""Wire traces of `min_age`: heads alone, of what would be kept alone, and none of them twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from imagesync.plan.actions import TOO_YOUNG, Copy, Failure, Keep, Waiting, WaitsFor
from imagesync.plan.outcome import Status
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.tags import parse_tags
from imagesync.state import FirstSeen, State
from tests.conftest import MakeRegistry
from tests.images import MadeImage, make_image
from tests.traces.harness import Sync, kinds


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    made = Sync(make_registry(), make_registry())
    made.tag_filter = parse_tags("{min_age: 72h, newest: 2}", environment={})
    made.state = State()
    return made


def image(seed: str) -> MadeImage:
    return make_image(seed, layers=1)


def see(sync: Sync, tag: str, digest: Digest, hours: float) -> None:
    """Let a run have seen this so long ago."""
    source = Reference(Repository(sync.source_host, "app"), Tag(tag))
    at = datetime.now(UTC) - timedelta(hours=hours)
    sync.state = (sync.state or State()).merge(State.of([FirstSeen(source, digest, at)]))


def fill(sync: Sync, tag: str, hours: float, seed: str = "") -> MadeImage:
    made = image(seed or tag)
    sync.fill(made, tag)
    see(sync, tag, made.digest, hours)
    return made


def told(sync: Sync) -> dict[str, str]:
    """What is planned for each tag."""
    return {str(action.destination.tag): type(action).__name__ for action in sync.plan().actions}  # type: ignore[union-attr]


def test_tags_that_are_old_enough_cost_what_they_cost_without(sync: Sync) -> None:
    for tag in ("1.0", "1.1", "1.2", "1.3"):
        fill(sync, tag, 100)
    sync.apply()
    assert [outcome.status for outcome in sync.apply()] == [Status.UNCHANGED] * 2
    assert kinds(sync.source) == {"GET tags": 1, "HEAD manifests": 2}
    assert kinds(sync.destination) == {"HEAD manifests": 2}


def test_one_that_is_too_young_costs_one_head_more_and_nothing_at_the_destination(sync: Sync) -> None:
    for tag in ("1.0", "1.1", "1.2"):
        fill(sync, tag, 100)
    fill(sync, "1.3", 41.5)
    assert told(sync) == {"1.1": "Copy", "1.2": "Copy", "1.3": "Waiting"}
    assert kinds(sync.source)["HEAD manifests"] == 3
    assert kinds(sync.destination)["HEAD manifests"] == 2
    (waiting,) = [action for action in sync.plan().actions if isinstance(action, Waiting)]
    assert (waiting.reason, waiting.waits_for, waiting.exit_code) == ("41 of 72 h old", WaitsFor.AGE, 0)


def test_a_tag_that_moves_daily_is_copied_with_its_newest_digest_that_is_old_enough(sync: Sync) -> None:
    sync.tag_filter = parse_tags("{include: nightly, min_age: 72h}", environment={})
    days = [fill(sync, "nightly", hours, f"day {hours}") for hours in (97, 73, 49, 25, 1)]
    (outcome,) = sync.apply()
    assert outcome.status is Status.COPIED
    assert sync.destination.repository("mirror/app").resolve(Tag("nightly")).digest == days[1].digest
    heads = [line for line in sync.source.log.lines() if line.startswith("HEAD")]
    assert heads == [
        "HEAD /v2/app/manifests/nightly 200",
        f"HEAD /v2/app/manifests/{days[1].digest} 200",
    ]
    (action,) = sync.plan().actions
    assert isinstance(action, Keep)


def test_a_digest_that_is_gone_gives_way_to_the_one_before(sync: Sync) -> None:
    sync.tag_filter = parse_tags("{include: nightly, min_age: 72h}", environment={})
    old = fill(sync, "nightly", 97, "old")
    see(sync, "nightly", image("deleted").digest, 73)
    fill(sync, "nightly", 1, "new")
    (action,) = sync.plan().actions
    assert isinstance(action, Copy)
    assert action.root.digest == old.digest


def test_what_stands_at_the_destination_stays_while_its_successor_is_too_young(sync: Sync) -> None:
    sync.tag_filter = parse_tags("{include: stable, min_age: 72h}", environment={})
    before = fill(sync, "stable", 100, "before")
    sync.apply()
    sync.state = State()  # whoever remembered has forgotten
    sync.fill(image("after"), "stable")
    (waiting,) = sync.plan().actions
    assert isinstance(waiting, Waiting)
    assert (waiting.reason, waiting.hint) == (
        "0 of 72 h old",
        "its clock starts with the first apply that sees it",
    )
    assert [outcome.status for outcome in sync.apply()] == [Status.WAITING]
    assert sync.destination.repository("mirror/app").resolve(Tag("stable")).digest == before.digest
    assert kinds(sync.destination) == {}


def test_who_says_when_tags_were_pushed_is_found_out_once_and_only_where_one_is_young(sync: Sync) -> None:
    fill(sync, "1.0", 100)
    fill(sync, "1.1", 100)
    sync.plan()
    assert "GET /v2/ 200" not in sync.source.log.lines()
    for tag in ("1.2", "1.3", "1.4"):
        fill(sync, tag, 5)
    sync.plan()
    assert sync.source.log.lines().count("GET /v2/ 200") == 1


def test_without_a_state_a_registry_that_does_not_tell_lets_all_wait(sync: Sync) -> None:
    sync.state = None
    sync.tag_filter = parse_tags("{include: x, min_age: {age: 72h, clock: pushed}}", environment={})
    sync.fill(image("x"), "x")
    (waiting,) = [action for action in sync.plan().actions if isinstance(action, Waiting)]
    assert waiting.reason == "of unknown age: its registry does not say when it was pushed"


def test_always_is_bound_too(sync: Sync) -> None:
    sync.tag_filter = parse_tags("{min_age: 72h, newest: 1, always: latest}", environment={})
    fill(sync, "1.0", 100)
    fill(sync, "latest", 2)
    assert told(sync) == {"1.0": "Copy", "latest": "Waiting"}


def test_with_the_images_own_dates_no_state_is_needed(sync: Sync) -> None:
    sync.state = None
    sync.tag_filter = parse_tags("{min_age: {age: 3d, clock: created}, newest: 1}", environment={})
    for tag, days in (("1.0", 9), ("1.1", 5), ("1.2", 1)):
        created = f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
        sync.fill(make_image(tag, layers=1, created=created), tag)
    assert told(sync) == {"1.1": "Copy", "1.2": "Waiting"}
    assert kinds(sync.source)["GET manifests"] == 2
    assert kinds(sync.source)["HEAD manifests"] == 2


@pytest.mark.parametrize(("on_missing", "kind"), [("defer", Waiting), ("allow", Copy), ("fail", Failure)])
def test_an_image_without_a_date_waits_is_copied_or_fails(sync: Sync, on_missing: str, kind: type) -> None:
    spec = f"{{include: x, min_age: {{age: 3d, clock: created, on_missing: {on_missing}}}}}"
    sync.tag_filter = parse_tags(spec, environment={})
    sync.fill(image("dateless"), "x")
    (action,) = sync.plan().actions
    assert isinstance(action, kind)
    if isinstance(action, Failure):
        assert action.kind == TOO_YOUNG
        assert action.reason.endswith("app:x: of unknown age: its config names no date")


def test_a_tag_that_cannot_be_read_fails_alone(sync: Sync) -> None:
    fill(sync, "1.0", 100)
    fill(sync, "1.1", 100)
    sync.source.script("HEAD", "/manifests/1.1", status=403)
    assert {type(action).__name__ for action in sync.plan().actions} == {"Copy", "Failure"}


def test_all_that_was_judged_is_seen_also_what_waits(sync: Sync) -> None:
    """Else its clock would never start."""
    for tag in ("1.0", "1.1", "1.2", "1.3"):
        sync.fill(image(tag), tag)
    with sync.session() as (stores, tasks, _):
        from imagesync.survey import Survey

        survey = Survey(sync.spec((), ("mirror/app",)).rules, stores, tasks, state=sync.state)
    assert sorted(str(source.tag) for source in survey.sights) == ["1.0", "1.1", "1.2", "1.3"]
    assert all(source.digest is not None for source in survey.sights)
