"""`min_age`: which digest of a tag is old enough, by which clock, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.reference import Digest, Tag
from imagesync.selection import (
    Clock,
    Facts,
    MinAge,
    NeedsFacts,
    Newest,
    OnMissing,
    Order,
    Ordering,
    Selection,
    Standing,
    TagFilter,
    Unknown,
)
from imagesync.selection.steps import Step

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AGE = MinAge(timedelta(hours=72), clocks=(Clock.FIRST_SEEN,))
PUSHED = MinAge(timedelta(hours=72), clocks=(Clock.PUSHED,))
EITHER = MinAge(timedelta(hours=72))
BY_NAME = Ordering(Order.ALPHABETICAL)
BY_DATE = Ordering(Order.CREATED)


@dataclass(frozen=True)
class Seen:
    """A sight, told by how many hours ago it was."""

    digest: Digest
    at: datetime


def digest(letter: str) -> Digest:
    return Digest(f"sha256:{letter * 64}")


def standing(now: str, **hours: float) -> Standing:
    """A tag that points to one digest now, and was first seen with others so many hours ago."""
    return Standing(digest(now), tuple(Seen(digest(one), NOW - timedelta(hours=ago)) for one, ago in hours.items()))


def facts(standings: Mapping[str, Standing | Unknown | None], **held: bool | Unknown) -> Facts:
    known = {Tag(tag): one for tag, one in standings.items()}
    return Facts(NOW, standings=known, held={digest(one): is_held for one, is_held in held.items()})


def chosen(tag_filter: TagFilter, known: Facts, *listed: str) -> Selection:
    found = tag_filter.select(listed or [*known.standings], known)
    assert isinstance(found, Selection)
    return found


def newest(count: int, order: Ordering = BY_NAME, age: MinAge = AGE) -> TagFilter:
    return TagFilter((age, order, Newest(count, order)))


def asked(tag_filter: TagFilter, known: Facts, *listed: str) -> NeedsFacts:
    found = tag_filter.select(listed, known)
    assert isinstance(found, NeedsFacts)
    return found


def test_a_tag_that_is_old_enough_is_kept_and_a_younger_one_waits() -> None:
    selection = chosen(TagFilter((AGE,)), facts({"old": standing("a", a=72), "young": standing("b", b=41.9)}))
    assert selection.kept == ("old",)
    assert [(drop.tag, drop.reason, drop.step) for drop in selection.dropped] == [
        ("young", "41 of 72 h old", "min_age"),
    ]
    assert {tag: verdict.reason for tag, verdict in selection.waiting.items()} == {"young": "41 of 72 h old"}


@pytest.mark.parametrize(
    ("age", "unit", "told"),
    [(timedelta(minutes=90), "m", "12 of 90 min old"), (timedelta(days=3), "d", "0 of 3 d old")],
)
def test_an_age_is_told_in_the_unit_that_it_is_asked_in(age: timedelta, unit: str, told: str) -> None:
    selection = chosen(TagFilter((MinAge(age, unit, (Clock.FIRST_SEEN,)),)), facts({"x": standing("a", a=0.2)}))
    assert selection.waiting[Tag("x")].reason == told


def test_what_no_apply_has_seen_is_of_no_age_and_says_when_its_clock_starts() -> None:
    verdict = chosen(TagFilter((AGE,)), facts({"new": standing("a", b=1)})).waiting[Tag("new")]
    assert (verdict.reason, verdict.hint) == ("0 of 72 h old", "its clock starts with the first apply that sees it")


def test_a_tag_that_moves_daily_yields_its_newest_digest_that_is_old_enough() -> None:
    daily = standing("e", e=1, d=25, c=49, b=73, a=97)
    needed = asked(TagFilter((AGE,)), facts({"daily": daily}), "daily")
    assert needed == NeedsFacts(held=((Tag("daily"), digest("b")),))
    selection = chosen(TagFilter((AGE,)), facts({"daily": daily}, b=True))
    assert (selection.kept, selection.pinned) == (("daily",), {Tag("daily"): digest("b")})


def test_of_earlier_digests_those_that_are_gone_are_passed_over() -> None:
    daily = standing("e", e=1, b=73, a=97)
    assert chosen(TagFilter((AGE,)), facts({"daily": daily}, b=False, a=True)).pinned == {Tag("daily"): digest("a")}
    assert [*chosen(TagFilter((AGE,)), facts({"daily": daily}, b=False, a=False)).waiting] == ["daily"]


def test_a_tag_that_has_moved_back_to_what_is_old_enough_takes_that() -> None:
    selection = chosen(TagFilter((AGE,)), facts({"back": standing("a", a=200, b=80)}))
    assert (selection.kept, selection.pinned) == (("back",), {})


def test_the_newest_that_are_old_enough_are_taken() -> None:
    known = facts({"1": standing("a", a=99), "2": standing("b", b=99), "3": standing("c", c=9)})
    selection = chosen(newest(2), known)
    assert selection.kept == ("1", "2")
    assert [*selection.waiting] == ["3"]


def test_only_what_would_be_kept_is_asked_for_its_age() -> None:
    """Ten tags, the newest two: two heads, and one more for each that is too young."""
    listed = [str(number) for number in range(10)]
    assert asked(newest(2), facts({}), *listed).standings == ("8", "9")
    old, young = standing("a", a=99), standing("b", b=9)
    assert asked(newest(2), facts({"8": old, "9": young}), *listed).standings == ("7",)
    selection = chosen(newest(2), facts({"7": old, "8": old, "9": young}), *listed)
    assert selection.kept == ("7", "8")
    assert [*selection.waiting] == ["9"]


def test_a_long_row_of_young_ones_is_asked_for_in_few_rounds() -> None:
    """The first run of all: everything is new, and there are 500 tags."""
    listed = [f"{number:03d}" for number in range(500)]
    known, rounds = facts({}), 0
    while isinstance(needed := newest(3).select(listed, known), NeedsFacts):
        known = facts({**known.standings, **dict.fromkeys(needed.standings, standing("a", a=1))})
        rounds += 1
    assert needed.kept == ()
    assert [*needed.waiting] == ["497", "498", "499"]
    assert rounds <= 12


def test_tags_that_are_named_outright_are_bound_too() -> None:
    tag_filter = TagFilter((AGE, BY_NAME, Newest(1, BY_NAME)), (Tag("latest"),))
    known = facts({"1": standing("a", a=99), "latest": standing("b", b=1)})
    selection = chosen(tag_filter, known, "1")
    assert selection.kept == ("1",)
    assert [*selection.waiting] == ["latest"]
    assert chosen(tag_filter, facts({"1": standing("a", a=99), "latest": standing("b", b=80)}), "1").kept == (
        *("1", "latest"),
    )


def test_ages_are_asked_for_before_dates_which_cost_more() -> None:
    listed = ("a", "b", "c")
    assert asked(newest(1, BY_DATE), facts({}), *listed) == NeedsFacts(standings=(Tag("a"), Tag("b"), Tag("c")))
    old = facts({"a": standing("a", a=99), "b": standing("b", b=99), "c": standing("c", c=1)})
    assert asked(newest(1, BY_DATE), old, *listed) == NeedsFacts(created=(Tag("a"), Tag("b")))


def test_what_is_not_there_is_left_to_who_copies_it() -> None:
    """Nothing can be copied of it, and the plan says why."""
    assert chosen(TagFilter((AGE,)), facts({"lost": None})).kept == ("lost",)


def test_a_tag_that_cannot_be_read_fails_and_takes_the_place_of_no_other() -> None:
    selection = chosen(newest(1), facts({"a": standing("a", a=99), "b": Unknown("503")}))
    assert selection.kept == ("a",)
    assert (selection.waiting[Tag("b")].reason, selection.waiting[Tag("b")].is_failure) == ("503", True)


def test_where_nobody_says_whether_an_earlier_digest_is_there_none_before_it_is_taken() -> None:
    daily = standing("e", e=1, b=73, a=97)
    selection = chosen(TagFilter((AGE,)), facts({"daily": daily}, b=Unknown("503"), a=True))
    assert (selection.kept, selection.pinned) == ((), {})
    assert selection.waiting[Tag("daily")].is_failure


CREATED = MinAge(timedelta(days=3), "d", (Clock.CREATED,))


def dated(**created: datetime | Unknown) -> Facts:
    return Facts(NOW, {Tag(tag): date for tag, date in created.items()})


def test_the_image_s_own_date_counts_where_it_is_asked_for() -> None:
    assert asked(TagFilter((CREATED,)), dated(), "x") == NeedsFacts(created=(Tag("x"),))
    known = dated(old=NOW - timedelta(days=3), new=NOW - timedelta(days=2), ahead=NOW + timedelta(hours=1))
    selection = chosen(TagFilter((CREATED,)), known, "old", "new", "ahead")
    assert selection.kept == ("old",)
    assert {tag: one.reason for tag, one in selection.waiting.items()} == {
        "ahead": "0 of 3 d old",
        "new": "2 of 3 d old",
    }


@pytest.mark.parametrize(
    ("on_missing", "kept", "failing"),
    [(OnMissing.DEFER, (), [False]), (OnMissing.ALLOW, ("x",), []), (OnMissing.FAIL, (), [True])],
)
def test_an_image_without_a_date_waits_is_taken_or_fails(
    on_missing: OnMissing, kept: tuple[str, ...], failing: list[bool]
) -> None:
    step = MinAge(timedelta(days=3), "d", (Clock.CREATED,), on_missing)
    selection = chosen(TagFilter((step,)), dated(x=Unknown("its config names no date")), "x")
    assert selection.kept == kept
    assert [one.is_failure for one in selection.waiting.values()] == failing


def test_a_date_that_no_image_can_have_makes_none_old() -> None:
    """1970 would be old enough for anything."""
    selection = chosen(TagFilter((CREATED,)), dated(x=datetime(1970, 1, 1, tzinfo=UTC)), "x")
    assert selection.waiting[Tag("x")].reason == (
        "of unknown age: its date is 1970-01-01, as reproducible builds write it"
    )


def pushed(standings: Mapping[str, Standing | None], **hours: float | str) -> Facts:
    """With what the registry says of pushes: so many hours ago, or why it does not."""
    said = {
        Tag(tag): Unknown(ago) if isinstance(ago, str) else NOW - timedelta(hours=ago) for tag, ago in hours.items()
    }
    return replace(facts(standings), pushed=said)


def test_a_registry_may_say_that_a_tag_is_old_enough_of_which_nobody_remembers_anything() -> None:
    standings = {"old": standing("a"), "young": standing("b")}
    selection = chosen(TagFilter((EITHER,)), pushed(standings, old=80, young=41.5))
    assert selection.kept == ("old",)
    assert selection.waiting[Tag("young")].reason == "41 of 72 h old"
    assert selection.waiting[Tag("young")].hint is None


def test_the_registry_is_asked_of_those_tags_alone_that_were_not_seen_for_long_enough() -> None:
    standings = facts({"old": standing("a", a=80), "young": standing("b", b=2)})
    assert asked(TagFilter((EITHER,)), standings, "old", "young") == NeedsFacts(pushed=(Tag("young"),))


def test_a_tag_is_as_old_as_the_clock_says_that_has_run_longer() -> None:
    """A tag that is pushed again with the digest that it has does not become young by that."""
    selection = chosen(TagFilter((EITHER,)), pushed({"x": standing("a", a=50)}, x=3))
    assert selection.waiting[Tag("x")].reason == "50 of 72 h old"


def test_where_the_registry_says_nothing_what_was_seen_counts() -> None:
    selection = chosen(TagFilter((EITHER,)), pushed({"x": standing("a", a=50), "y": standing("b")}, x="no", y="no"))
    assert {tag: verdict.reason for tag, verdict in selection.waiting.items()} == {
        "x": "50 of 72 h old",
        "y": "0 of 72 h old",
    }


def test_of_a_tag_that_was_pushed_just_now_the_digest_before_is_taken() -> None:
    known = replace(pushed({"daily": standing("b", a=80)}, daily=1), held={digest("a"): True})
    assert chosen(TagFilter((EITHER,)), known).pinned == {"daily": digest("a")}


@pytest.mark.parametrize(
    ("on_missing", "is_kept", "is_failure"),
    [(OnMissing.DEFER, False, False), (OnMissing.ALLOW, True, False), (OnMissing.FAIL, False, True)],
)
def test_by_pushes_alone_on_missing_says_what_becomes_of_a_tag_whose_registry_does_not_tell(
    on_missing: OnMissing, is_kept: bool, is_failure: bool
) -> None:
    selection = chosen(TagFilter((replace(PUSHED, on_missing=on_missing),)), pushed({"x": standing("a", a=99)}, x="no"))
    assert bool(selection.kept) is is_kept
    verdict = selection.waiting.get(Tag("x"))
    assert verdict is None if is_kept else (verdict.reason, verdict.is_failure) == ("of unknown age: no", is_failure)


HOURS = st.dictionaries(st.sampled_from("abcdef"), st.floats(-5, 200), max_size=4)
STANDINGS = st.dictionaries(
    st.sampled_from(["1.0", "1.1", "2.0", "2.1", "latest", "edge"]),
    st.builds(lambda now, hours: standing(now, **hours), st.sampled_from("abcdef"), HOURS),
    max_size=6,
)
STEPS = st.sampled_from([(AGE,), (AGE, BY_NAME, Newest(2, BY_NAME)), (AGE, Ordering(), Newest(1))])
HELD = st.dictionaries(st.sampled_from("abcdef"), st.booleans())


def decided(tag_filter: TagFilter, known: Facts, gone: Mapping[str, bool]) -> Selection:
    """Answered until nothing more is asked."""
    everything = facts({str(tag): one for tag, one in known.standings.items()}, **gone)
    listed = [*known.standings]
    given = Facts(NOW)
    while isinstance(found := tag_filter.select(listed, given), NeedsFacts):
        given = Facts(
            NOW,
            standings={**given.standings, **{tag: everything.standings[tag] for tag in found.standings}},
            held={**given.held, **{one: everything.held.get(one, True) for _, one in found.held}},
        )
    return found


@given(STANDINGS, STEPS, HELD)
def test_nothing_younger_than_asked_is_ever_taken(
    standings: dict[str, Standing], steps: tuple[Step, ...], held: dict[str, bool]
) -> None:
    selection = decided(TagFilter(steps), facts(standings), held)
    for tag in selection.kept:
        taken = selection.pinned.get(tag, standings[tag].digest)
        (seen,) = [sight.at for sight in standings[tag].sights or () if sight.digest == taken]
        assert NOW - seen >= AGE.age
        assert held.get(taken[-1], True) or tag not in selection.pinned


@given(STANDINGS, STEPS, HELD)
def test_to_ask_of_what_would_be_kept_alone_keeps_the_same_as_to_ask_of_all(
    standings: dict[str, Standing], steps: tuple[Step, ...], held: dict[str, bool]
) -> None:
    all_held = {letter: held.get(letter, True) for letter in "abcdef"}
    of_all = TagFilter(steps).select(standings, facts(standings, **all_held))
    assert isinstance(of_all, Selection)
    few = decided(TagFilter(steps), facts(standings), held)
    assert (few.kept, few.pinned, few.waiting) == (of_all.kept, of_all.pinned, of_all.waiting)


@given(STANDINGS, st.sampled_from([24, 48, 72, 96]))
def test_a_shorter_age_keeps_all_tags_that_a_longer_one_keeps(standings: dict[str, Standing], hours: int) -> None:
    longer = decided(TagFilter((replace(AGE, age=timedelta(hours=hours)),)), facts(standings), {})
    shorter = decided(TagFilter((replace(AGE, age=timedelta(hours=hours - 12)),)), facts(standings), {})
    assert {*longer.kept} <= {*shorter.kept}
