"""Choosing: a selection is made again with what it asks for, and what is asked for is asked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imagesync.errors import BudgetError, UnsupportedError
from imagesync.plan.actions import Failure, Skip, Waiting, WaitsFor
from imagesync.plan.choosing import Choice, Moment, choose, seen_at_sources
from imagesync.plan.inventory import Absent, Broken, Head, NotRead, Present
from imagesync.plan.leftovers import Case, Target, case_of
from imagesync.plan.questions import MayRead, Question, ReadCreated, ReadHead, ReadManifest, ReadPushTimes
from imagesync.plan.wants import Want, make_wants
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.selection import Selection, TagFilter, TooYoung
from imagesync.spec.model import OnEmpty, Rule
from imagesync.spec.pins import Lock, Pin
from imagesync.spec.tags import parse_tags
from imagesync.state import FirstSeen, State
from imagesync.store import PushTime
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_manifest, make_reference, make_rule
from tests.plan.world import World

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BY_DATE = parse_tags("{sort: created, newest: 1}", environment={})
BY_AGE = parse_tags("{min_age: 72h, newest: 1}", environment={})


def world_of(dates: Mapping[str, str]) -> World:
    """A source with an image for each tag, whose config says this of when it was made."""
    world = World()
    for tag, date in dates.items():
        image = make_manifest(date)
        world.put(HUB_NGINX, Tag(tag), image)
        world.answers[ReadCreated(HUB_NGINX, image.config.digest, image.config)] = date  # type: ignore[union-attr]
    return world


class Answering(World):
    """Answers what a choice asks besides, with a budget that is large enough."""

    def __init__(self, world: World) -> None:
        super().__init__(**{name: getattr(world, name) for name in ("contents", "tags", "answers")})

    def _answer(self, question: Question) -> Any:
        if isinstance(question, MayRead) and question not in self.answers:
            return None
        if isinstance(question, ReadPushTimes) and question not in self.answers:
            return Broken("this registry does not say when tags were pushed", UnsupportedError.kind)
        return super()._answer(question)

    def head(self, question: ReadHead) -> Present | Absent:
        digest = question.reference.digest
        known = self.contents.get(digest) if digest is not None else None
        return Present(known.descriptor) if known is not None else super().head(question)


def chosen(world: World, tags: TagFilter, moment: Moment | None = None) -> Selection | Broken:
    listed = tuple(str(tag) for _, tag in world.tags)
    return world.run(choose(Choice(HUB_NGINX, tags, listed, moment or Moment(NOW))))


def test_dates_are_read_until_the_selection_can_be_made() -> None:
    world = Answering(world_of({"a": "2026-01-02T00:00:00Z", "b": "2026-01-03T00:00:00Z"}))
    found = chosen(world, BY_DATE)
    assert isinstance(found, Selection)
    assert found.kept == ("b",)
    assert [type(question).__name__ for question in world.asked] == [
        *("ReadHead", "ReadHead", "MayRead", "ReadManifest", "ReadManifest", "ReadCreated", "ReadCreated"),
    ]


def test_one_image_under_several_tags_is_read_once() -> None:
    world = Answering(world_of(dict.fromkeys("abc", "2026-01-02T00:00:00Z")))
    assert isinstance(chosen(world, BY_DATE), Selection)
    assert [type(one) for one in world.asked].count(ReadManifest) == 1


def test_what_the_budget_does_not_bear_is_not_begun() -> None:
    world = Answering(world_of({"a": "2026-01-02T00:00:00Z", "b": "2026-01-03T00:00:00Z"}))
    roots = tuple(world.contents[digest].descriptor for digest in world.tags.values())
    world.answers[MayRead(HUB_NGINX, roots)] = NotRead(
        "that takes up to 2 pulls", BudgetError.kind, "nothing was read", 0
    )
    found = chosen(world, BY_DATE)
    assert isinstance(found, NotRead)
    assert found.exit_code == 0
    assert "that takes up to 2 pulls" in found.reason
    assert "ReadManifest" not in {type(one).__name__ for one in world.asked}


def test_a_head_that_fails_for_now_fails_the_choice() -> None:
    world = Answering(world_of({"a": "2026-01-02T00:00:00Z", "b": "2026-01-03T00:00:00Z"}))
    world.answers[ReadHead(Reference(HUB_NGINX, Tag("a")), "source")] = Broken("503", "network", "wait")
    found = chosen(world, BY_DATE)
    assert isinstance(found, Broken)
    assert (found.kind, found.hint) == ("network", "wait")


def test_a_tag_that_has_gone_since_it_was_listed_counts_as_the_oldest() -> None:
    world = Answering(world_of({"a": "2026-01-02T00:00:00Z", "b": "2026-01-03T00:00:00Z"}))
    world.answers[ReadHead(Reference(HUB_NGINX, Tag("b")), "source")] = Absent()
    found = chosen(world, BY_DATE)
    assert isinstance(found, Selection)
    assert (found.kept, [*found.undated]) == (("a",), ["b"])


def remembered(world: World, hours: Mapping[str, float]) -> State:
    sights = (
        FirstSeen(Reference(HUB_NGINX, Tag(tag)), world.tags[HUB_NGINX, Tag(tag)], NOW - timedelta(hours=ago))
        for tag, ago in hours.items()
    )
    return State.of(sights)


def test_ages_are_asked_of_the_newest_until_one_is_old_enough() -> None:
    world = Answering(world_of({"1.0": "x", "1.1": "y", "1.2": "z"}))
    moment = Moment(NOW, remembered(world, {"1.0": 99, "1.1": 99, "1.2": 9}))
    found = chosen(world, BY_AGE, moment)
    assert isinstance(found, Selection)
    assert (found.kept, [*found.waiting]) == (("1.1",), ["1.2"])
    young, older = (ReadHead(make_reference(HUB_NGINX, tag), "source") for tag in ("1.2", "1.1"))
    assert world.asked == [young, ReadPushTimes(HUB_NGINX, (Tag("1.2"),)), older]


@pytest.mark.parametrize(
    ("clock", "reason"),
    [
        ("first_seen", "no state says when it was first seen"),
        ("pushed", "its registry does not say when it was pushed"),
    ],
)
def test_without_who_tells_no_age_is_known(clock: str, reason: str) -> None:
    found = chosen(Answering(world_of({"1.0": "x"})), by_clock(clock))
    assert isinstance(found, Selection)
    assert found.waiting[Tag("1.0")].reason == f"of unknown age: {reason}"


def by_clock(clock: str) -> TagFilter:
    return parse_tags(f"{{min_age: {{age: 72h, clock: {clock}}}}}", environment={})


def pushed(world: World, tag: str, hours: float, digest: Digest | None = None) -> None:
    """Let the registry say when it got a digest under this tag; the one that it has now if no other is named."""
    had = digest or world.tags[HUB_NGINX, Tag(tag)]
    time = PushTime(Tag(tag), had, NOW - timedelta(hours=hours))
    world.answers[ReadPushTimes(HUB_NGINX, (Tag(tag),))] = {Tag(tag): time}


def test_a_registry_that_says_when_a_tag_was_pushed_makes_it_old_enough_without_a_state() -> None:
    world = Answering(world_of({"1.0": "x"}))
    pushed(world, "1.0", 80)
    found = chosen(world, by_clock("pushed"))
    assert isinstance(found, Selection)
    assert found.kept == ("1.0",)


def test_a_push_of_another_digest_makes_no_tag_old() -> None:
    """It has moved since the registry was asked for its list, or that is behind."""
    world = Answering(world_of({"1.0": "x"}))
    pushed(world, "1.0", 80, make_manifest("before").digest)
    found = chosen(world, by_clock("pushed"))
    assert isinstance(found, Selection)
    assert found.waiting[Tag("1.0")].reason == "of unknown age: its registry says when another digest was pushed there"


def test_an_api_that_fails_fails_what_goes_by_it_alone_and_not_what_a_state_remembers() -> None:
    world = Answering(world_of({"1.0": "x"}))
    world.answers[ReadPushTimes(HUB_NGINX, (Tag("1.0"),))] = Broken("503", "network", "wait")
    found = chosen(world, parse_tags("{min_age: {age: 72h, clock: pushed, on_missing: allow}}", environment={}))
    assert isinstance(found, Broken)
    assert (found.kind, found.hint) == ("network", "wait")
    by_state = chosen(world, BY_AGE, Moment(NOW, remembered(world, {"1.0": 9})))
    assert isinstance(by_state, Selection)
    assert by_state.waiting[Tag("1.0")].reason == "9 of 72 h old"


def rule_of(tags: TagFilter, **fields: Any) -> Rule:
    return replace(make_rule(tag_filter=tags), **fields)


def selection(kept: str = "", waiting: str = "", pinned: Digest | None = None) -> Selection:
    """As a filter by age would have made it."""
    young = TooYoung("41 of 72 h old")
    pins = {Tag(kept): pinned} if pinned is not None else {}
    return Selection(tuple(map(Tag, kept.split())), pinned=pins, waiting={Tag(tag): young for tag in waiting.split()})


def test_a_tag_that_is_too_young_waits_at_every_destination() -> None:
    other = Repository("quay.io", "acme/nginx")
    rule = rule_of(BY_AGE, destinations=(LOCAL_NGINX, other))
    wants = make_wants([rule], {}, {rule: selection("1.0", "1.1")})
    waiting = [want for want in wants if isinstance(want, Waiting)]
    assert [str(want.destination) for want in waiting] == ["localhost:5000/nginx:1.1", "quay.io/acme/nginx:1.1"]
    assert {(want.reason, want.waits_for, want.exit_code) for want in waiting} == {("41 of 72 h old", WaitsFor.AGE, 0)}
    assert sum(isinstance(want, Want) for want in wants) == 2


def test_an_earlier_digest_is_wanted_by_its_digest() -> None:
    rule, digest = rule_of(BY_AGE), make_manifest("old").digest
    (want,) = make_wants([rule], {}, {rule: selection("nightly", pinned=digest)})
    assert isinstance(want, Want)
    assert want.source == Reference(HUB_NGINX, Tag("nightly"), digest)
    assert want.destination == Reference(LOCAL_NGINX, Tag("nightly"))


def test_where_all_wait_the_selection_is_not_empty() -> None:
    rule = rule_of(BY_AGE, on_empty=OnEmpty.FAIL)
    assert [type(want) for want in make_wants([rule], {}, {rule: selection("", "1.1")})] == [Waiting]


def test_what_is_too_young_for_one_rule_is_written_for_no_other() -> None:
    strict, lax = rule_of(BY_AGE), make_rule("1.1", line=9)
    wants = make_wants([lax, strict], {}, {strict: selection("", "1.1")})
    assert [type(want) for want in wants] == [Waiting]


def test_a_rule_that_cannot_be_chosen_for_waits_or_fails_as_a_whole() -> None:
    rule = rule_of(BY_DATE)
    (waiting,) = make_wants([rule], {}, {rule: NotRead("3 are left", BudgetError.kind, "wait", 0)})
    assert isinstance(waiting, Waiting)
    assert (str(waiting.destination), waiting.waits_for, waiting.exit_code) == (
        *("localhost:5000/nginx", WaitsFor.PULLS, 0),
    )
    (failure,) = make_wants([rule], {}, {rule: Broken("503", "network")})
    assert isinstance(failure, Failure)
    assert (failure.subject, failure.kind) == (str(HUB_NGINX), "network")


def test_what_has_no_date_is_told_once_and_shortly() -> None:
    world = Answering(world_of({f"v{number}": "never" for number in range(5)}))
    rule = rule_of(BY_DATE)
    found = chosen(world, BY_DATE)
    skip, _ = make_wants([rule], {}, {rule: found})
    assert isinstance(skip, Skip)
    assert skip.reason.startswith("of 5 of 5 tags nobody knows when they were made")
    assert skip.reason.endswith("; v2: its config names no date, and 2 more)")


def heads_of(*references: str) -> dict[Reference, Head]:
    found = {}
    for text in references:
        path, _, tag = text.partition(":")
        repository = HUB_NGINX if path == "source" else LOCAL_NGINX
        found[make_reference(repository, tag)] = Present(make_manifest(tag).descriptor)
    return found  # type: ignore[return-value]


def test_what_was_seen_is_every_tag_of_a_source_that_was_asked_for() -> None:
    rule = rule_of(BY_AGE)
    wants = make_wants([rule], {}, {rule: selection("1.0", "1.1")})
    heads = {**heads_of("source:1.0", "source:1.1", "source:0.9", "destination:1.0")}
    heads[make_reference(HUB_NGINX, "gone")] = Absent()
    seen = seen_at_sources(heads, wants, [HUB_NGINX])
    assert [(str(one.tag), one.digest) for one in seen] == [
        (tag, make_manifest(tag).digest) for tag in ("1.0", "1.1", "0.9")
    ]


def test_a_destination_in_a_repository_that_is_a_source_too_is_not_seen_as_one() -> None:
    promoting = rule_of(TagFilter.parse(["1.0"]), source=HUB_NGINX, destinations=(HUB_NGINX,))
    heads = {**heads_of("source:1.0")}
    wants = [Want(promoting, make_reference(HUB_NGINX, "rc"), make_reference(HUB_NGINX, "1.0"))]
    heads[make_reference(HUB_NGINX, "rc")] = heads[make_reference(HUB_NGINX, "1.0")]
    assert [str(one.tag) for one in seen_at_sources(heads, wants, [HUB_NGINX])] == ["rc"]


@pytest.mark.parametrize("tags", [BY_DATE, BY_AGE])
def test_a_source_that_lists_nothing_is_asked_nothing(tags: TagFilter) -> None:
    world = Answering(World())
    found = chosen(world, tags)
    assert isinstance(found, Selection)
    assert (found.kept, world.asked) == ((), [])


def test_a_prune_takes_what_waits_for_wanted_and_stops_where_nobody_knows() -> None:
    """What stands at the destination stays until its successor is old enough."""
    rule = rule_of(BY_AGE)
    target = Target(LOCAL_NGINX, rule, (rule,))
    listings = {HUB_NGINX: (Tag("1.0"), Tag("1.1"))}
    case = case_of(target, (listings, {rule: selection("1.0", "1.1")}), State())
    assert isinstance(case, Case)
    assert [*case.wanted] == ["1.0", "1.1"]
    for unknown in (NotRead("3 are left", BudgetError.kind), Broken("503", "network")):
        refused = case_of(target, (listings, {rule: unknown}), State())
        assert isinstance(refused, Failure)
        assert unknown.reason in refused.reason


def test_a_rule_with_a_lock_is_not_taken_for_the_same_rule_without() -> None:
    """A prune looks at both."""
    rule = make_rule("*")
    lock = Lock.of([Pin(str(HUB_NGINX), Tag("9.9"), make_manifest("locked").digest)])
    wants = make_wants([replace(rule, lock=lock)], {}, {rule: selection("1.0")})
    assert [str(want.destination.tag) for want in wants if isinstance(want, Want)] == ["9.9"]


def test_an_earlier_digest_that_one_rule_takes_is_what_others_take_too() -> None:
    """What a tag points to now is too young for one rule, so that it is written for no other."""
    young, careless = rule_of(BY_AGE), make_rule("nightly", line=9)
    digest = make_manifest("before").digest
    wants = make_wants([careless, young], {}, {young: selection("nightly", pinned=digest)})
    assert [want.source.digest for want in wants if isinstance(want, Want)] == [digest]
    assert len(wants) == 1
