"""State: what merging keeps, and what can be asked."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from imagesync.reference import Reference
from imagesync.state import NOTHING_REMEMBERED, Narrowed, State
from tests.state.values import APP, ENTRIES, HUB_APP, ONE, THREE, TWO, at, deleted, seen, tagged, written

STATES = st.lists(ENTRIES, max_size=8).map(State.of)


@given(STATES, STATES)
def test_two_states_merge_to_the_same_in_either_order(one: State, other: State) -> None:
    assert one.merge(other) == other.merge(one)


@given(STATES, STATES, STATES)
def test_three_states_merge_to_the_same_in_any_grouping(one: State, two: State, three: State) -> None:
    assert one.merge(two).merge(three) == one.merge(two.merge(three)) == one.merge(two, three)


@given(STATES)
def test_a_state_merged_with_itself_or_with_nothing_stays_what_it_is(state: State) -> None:
    assert state.merge(state) == state == state.merge(NOTHING_REMEMBERED)


@given(STATES)
def test_the_entries_of_a_state_make_that_state(state: State) -> None:
    assert State.of(state.entries()) == state


def test_of_two_first_sights_of_one_digest_the_earlier_counts() -> None:
    state = State.of([seen(seconds=5), seen(seconds=2), seen(seconds=9)])
    assert state.first_seen(tagged(HUB_APP), ONE) == at(2)


def test_a_tag_keeps_every_digest_it_was_seen_with_the_newest_first() -> None:
    state = State.of([seen(ONE, seconds=1), seen(TWO, seconds=3), seen(THREE, seconds=2)])
    assert [sight.digest for sight in state.sights(tagged(HUB_APP))] == [TWO, THREE, ONE]


def test_of_two_writes_to_a_tag_the_later_counts() -> None:
    state = State.of([written(ONE, seconds=3), written(TWO, seconds=7), written(THREE, seconds=5)])
    assert state.written(tagged(APP)) == written(TWO, seconds=7)


def test_a_tag_that_was_given_up_after_it_was_written_is_not_owned() -> None:
    state = State.of([written(seconds=1)]).merge(State.of([deleted(seconds=2)]))
    assert state.written(tagged(APP)) is None
    assert state.owned(APP) == ()


def test_a_tag_that_was_written_after_it_was_given_up_is_owned() -> None:
    state = State.of([deleted(seconds=1), written(seconds=2)])
    assert state.owned(APP) == (written(seconds=2),)


def test_a_tag_that_was_given_up_and_written_in_one_second_is_not_owned() -> None:
    assert State.of([written(seconds=1), deleted(seconds=1)]).owned(APP) == ()


def test_only_the_tags_of_a_repository_itself_are_its_owned_ones() -> None:
    state = State.of([written(tag="2.0"), written(tag="1.0")])
    assert [str(one.destination.tag) for one in state.owned(APP)] == ["1.0", "2.0"]
    assert state.owned(HUB_APP) == ()


def test_a_reference_with_a_digest_is_asked_about_as_its_tag() -> None:
    state = State.of([written(), seen()])
    assert state.written(Reference(APP, tagged(APP).tag, TWO)) == written()
    assert state.first_seen(Reference(HUB_APP, tagged(HUB_APP).tag, TWO), ONE) == at(0)


def test_what_an_index_was_narrowed_to_depends_on_what_was_kept_of_it() -> None:
    state = State.of([Narrowed(ONE, "linux/amd64", TWO)])
    assert state.narrowed(ONE, "linux/amd64") == TWO
    assert state.narrowed(ONE, "linux/arm64") is None


def test_old_sights_go_but_for_the_last_of_each_tag() -> None:
    state = State.of([seen(ONE, seconds=1), seen(TWO, seconds=2), seen(ONE, tag="2.0", seconds=1)])
    tidied = state.tidied(at(3), most=9)
    assert [sight.digest for sight in tidied.sights(tagged(HUB_APP))] == [TWO]
    assert [sight.digest for sight in tidied.sights(tagged(HUB_APP, "2.0"))] == [ONE]


def test_of_more_sights_than_are_kept_the_oldest_go() -> None:
    state = State.of([seen(ONE, seconds=1), seen(TWO, seconds=3), seen(THREE, seconds=2)])
    assert [sight.digest for sight in state.tidied(at(0), most=2).sights(tagged(HUB_APP))] == [TWO, THREE]


def test_of_more_indexes_than_are_kept_those_go_of_which_nothing_else_tells() -> None:
    narrowed = [Narrowed(digest, "linux/amd64", THREE) for digest in (ONE, TWO, THREE)]
    state = State.of([seen(ONE), written(THREE, source=TWO), *narrowed])
    assert state.tidied(at(0), most=3) == state
    tidied = state.tidied(at(0), most=2)
    assert [tidied.narrowed(digest, "linux/amd64") for digest in (ONE, TWO, THREE)] == [THREE, THREE, None]


@given(STATES, st.integers(0, 3).map(at), st.integers(0, 3))
def test_tidying_twice_is_tidying_once_and_loses_nothing_that_is_owned(
    state: State, moment: datetime, most: int
) -> None:
    tidied = state.tidied(moment, most)
    assert tidied.tidied(moment, most) == tidied
    assert tidied.all_owned() == state.all_owned()


def test_an_empty_state_says_that_nothing_is_remembered() -> None:
    assert not NOTHING_REMEMBERED
    assert State.of([deleted()])
