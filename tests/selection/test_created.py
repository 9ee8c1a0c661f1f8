"""`sort: created`: what it asks for, what it believes, and in which order tags stand by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from imagesync.reference import Tag
from imagesync.selection import Facts, NeedsFacts, Newest, Order, Ordering, Selection, TagFilter, Unknown
from imagesync.selection.steps import Include
from tests.selection.test_tag_filter import patterns
from tests.selection.values import TAGS, VERSION_TAGS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BY_DATE = Ordering(Order.CREATED)


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def newest(count: int, *before: Include) -> TagFilter:
    return TagFilter((*before, BY_DATE, Newest(count, BY_DATE)))


def chosen(tag_filter: TagFilter, created: Mapping[str, datetime | Unknown]) -> Selection:
    found = tag_filter.select(created, Facts(NOW, {Tag(tag): date for tag, date in created.items()}))
    assert isinstance(found, Selection)
    return found


def test_it_asks_for_the_dates_of_what_the_steps_before_have_left() -> None:
    needed = newest(1, Include(patterns("a*"))).select(["a1", "a2", "b1"])
    assert needed == NeedsFacts(created=(Tag("a1"), Tag("a2")))


def test_it_asks_for_those_alone_that_are_not_known() -> None:
    facts = Facts(NOW, {Tag("a"): day(1)})
    assert newest(1).select(["a", "b"], facts) == NeedsFacts(created=(Tag("b"),))


def test_it_asks_for_nothing_where_all_that_are_left_are_kept() -> None:
    found = newest(2).select(["a", "b"])
    assert isinstance(found, Selection)
    assert found.kept == ("a", "b")


def test_the_newest_by_date_are_kept_whatever_they_are_called() -> None:
    selection = chosen(newest(2), {"9.0": day(1), "1.0": day(3), "nightly": day(2)})
    assert selection.kept == ("1.0", "nightly")
    assert [(drop.tag, drop.reason) for drop in selection.dropped] == [("9.0", "is not among the newest 2")]


def test_what_was_made_in_the_same_moment_stands_by_version() -> None:
    assert chosen(newest(1), {"1.9": day(1), "1.10": day(1), "x": day(1)}).kept == ("1.10",)


def test_what_has_no_date_counts_as_the_oldest_and_is_told() -> None:
    selection = chosen(newest(1), {"new": Unknown("its config names no date"), "old": day(1)})
    assert selection.kept == ("old",)
    assert [drop.reason for drop in selection.dropped] == ["is not among the newest 1: its config names no date"]
    assert [*selection.undated] == ["new"]


def test_a_date_that_no_image_of_our_days_can_have_is_none() -> None:
    """Reproducible builds write 1970 and 1980; 2099 would stay the newest for ever."""
    odd = {"epoch": datetime(1970, 1, 1, tzinfo=UTC), "zip": datetime(1980, 1, 1, 0, 0, 1, tzinfo=UTC)}
    selection = chosen(newest(1), {**odd, "far": datetime(2099, 1, 1, tzinfo=UTC), "real": day(1)})
    assert selection.kept == ("real",)
    assert [*selection.undated] == ["epoch", "far", "zip"]
    assert {drop.tag: drop.reason.partition(": ")[2] for drop in selection.dropped} == {
        "epoch": "its date is 1970-01-01, as reproducible builds write it",
        "far": "its date is 2099-01-01, in the future",
        "zip": "its date is 1980-01-01, as reproducible builds write it",
    }


def test_a_clock_that_is_a_little_ahead_is_believed() -> None:
    assert chosen(newest(1), {"ahead": NOW + timedelta(hours=3), "real": day(1)}).kept == ("ahead",)


DATES = st.datetimes(datetime(1969, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as it wants
CREATED = st.dictionaries(VERSION_TAGS | TAGS, DATES | st.just(Unknown("nobody says")), max_size=12)


@given(CREATED, st.integers(1, 5), st.randoms())
def test_it_keeps_none_that_is_older_than_one_it_drops(
    created: dict[Tag, datetime | Unknown], count: int, random: object
) -> None:
    selection = chosen(newest(count), created)
    assert len(selection.kept) == min(count, len(created))
    facts = Facts(NOW, created)
    keys = {tag: BY_DATE.key(tag, facts) for tag in created}
    dropped = [keys[Tag(drop.tag)] for drop in selection.dropped]
    assert all(keys[tag] > key for tag in selection.kept for key in dropped)  # type: ignore[operator]
    shuffled = list(created)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert newest(count).select(shuffled, facts) == selection


@given(CREATED, CREATED, st.sampled_from([Order.VERSION, Order.ALPHABETICAL]))
def test_facts_change_nothing_that_does_not_depend_on_them(
    created: dict[Tag, datetime | Unknown], more: dict[Tag, datetime | Unknown], order: Order
) -> None:
    by_name = TagFilter((Ordering(order), Newest(2, Ordering(order))))
    with_facts = by_name.select(created, Facts(NOW, created))
    assert isinstance(with_facts, Selection)
    assert with_facts.kept == by_name.select(created).kept  # type: ignore[union-attr]
    known = newest(2).select(created, Facts(NOW, created))
    richer = newest(2).select(created, Facts(NOW, {**more, **created}))
    assert isinstance(known, Selection)
    assert isinstance(richer, Selection)
    assert (known.kept, known.dropped, known.steps) == (richer.kept, richer.dropped, richer.steps)
