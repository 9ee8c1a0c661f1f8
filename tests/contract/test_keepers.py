"""What every keeper of a state does, wherever it keeps it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagesync.state import NOTHING_REMEMBERED, Narrowed, State
from tests.contract.keepers import KEEPERS, OpenKeeper, file_keepers
from tests.state.values import APP, ENTRIES, ONE, TWO, deleted, seen, tagged, written


@pytest.fixture(params=sorted(KEEPERS))
def open_keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenKeeper]:
    with KEEPERS[request.param](tmp_path) as opened:
        yield opened


def tags(state: State) -> list[str]:
    return [str(entry.destination.tag) for entry in state.owned(APP)]


def test_before_the_first_run_nothing_is_remembered(open_keeper: OpenKeeper) -> None:
    assert open_keeper().load() == NOTHING_REMEMBERED


def test_what_is_added_is_read_by_the_next_run(open_keeper: OpenKeeper) -> None:
    news = State.of([written(source=TWO), deleted(tag="2.0"), seen(), Narrowed(ONE, "linux/amd64", TWO)])
    open_keeper().add(news)
    assert open_keeper().load() == news


def test_two_runs_that_both_loaded_before_either_saved_keep_both(open_keeper: OpenKeeper) -> None:
    one, two = open_keeper(), open_keeper()
    one.load()
    two.load()
    one.add(State.of([written(tag="one"), seen(seconds=1)]))
    two.add(State.of([written(tag="two"), seen(seconds=2)]))
    after = open_keeper().load()
    assert tags(after) == ["one", "two"]
    assert after.merge(State.of([seen(seconds=1)])) == after


def test_runs_that_add_in_turns_keep_everything(open_keeper: OpenKeeper) -> None:
    one, two = open_keeper(), open_keeper()
    for number in range(3):
        one.add(State.of([written(tag=f"one-{number}")]))
        two.add(State.of([written(tag=f"two-{number}")]))
    assert tags(open_keeper().load()) == [f"{who}-{number}" for who in ("one", "two") for number in range(3)]


def test_runs_that_add_at_once_keep_everything(open_keeper: OpenKeeper) -> None:
    def run(who: str) -> None:
        keeper = open_keeper()
        for number in range(3):
            keeper.add(State.of([written(tag=f"{who}-{number}")]))

    threads = [threading.Thread(target=run, args=(who,)) for who in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tags(open_keeper().load())) == 9


def test_of_two_runs_that_write_one_tag_the_later_counts_whoever_saved_last(open_keeper: OpenKeeper) -> None:
    late, early = open_keeper(), open_keeper()
    late.add(State.of([written(TWO, seconds=5)]))
    early.add(State.of([written(ONE, seconds=1)]))
    assert open_keeper().load().written(tagged(APP)) == written(TWO, seconds=5)


def test_a_tag_that_was_given_up_stays_so_when_an_older_run_saves_later(open_keeper: OpenKeeper) -> None:
    prune, older = open_keeper(), open_keeper()
    prune.add(State.of([written()]))
    known = older.load()
    prune.add(State.of([deleted(seconds=9)]))
    older.add(known)
    assert tags(open_keeper().load()) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(ENTRIES, max_size=4), max_size=4))
def test_whatever_runs_add_is_there_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[object]]
) -> None:
    with file_keepers(tmp_path_factory.mktemp("state")) as opened:
        for entries in runs:
            opened().add(State.of(entries))  # type: ignore[arg-type]
        assert opened().load() == State.of(entry for entries in runs for entry in entries)  # type: ignore[misc]
