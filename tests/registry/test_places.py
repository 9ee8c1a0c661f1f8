"""Few large answers of one host are in memory at once; whoever waits for a place can be stopped."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled
from imagesync.registry.headers import Headers
from imagesync.registry.places import LARGE_AT_ONCE, LARGE_BYTES, Places, announced_bytes

RUNNING = Cancellation()


def test_small_answers_need_no_place() -> None:
    """There is none to be had, and who waited for one would be stopped."""
    stopped = Cancellation()
    stopped.cancel()
    with Places(0).place(stopped) as place:
        place.grown(LARGE_BYTES)


def test_a_third_large_answer_waits_for_one_of_two_places() -> None:
    places, is_there = Places(), threading.Event()

    def read() -> None:
        with places.place(RUNNING) as place:
            place.grown(LARGE_BYTES + 1)
            is_there.set()

    with ExitStack() as taken:
        for _ in range(LARGE_AT_ONCE):
            taken.enter_context(places.place(RUNNING)).grown(LARGE_BYTES + 1)
        third = threading.Thread(target=read)
        third.start()
        assert not is_there.wait(0.05)
    third.join()
    assert is_there.is_set()


def _fail_in(places: Places) -> None:
    with places.place(RUNNING) as place:
        place.grown(LARGE_BYTES + 1)
        place.grown(2 * LARGE_BYTES)
        raise ZeroDivisionError


def test_a_place_is_taken_once_and_given_back_whatever_happens() -> None:
    places = Places(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            _fail_in(places)


def test_who_waits_for_a_place_is_stopped_with_the_run() -> None:
    stopped = Cancellation()
    stopped.cancel()
    with Places(0).place(stopped) as place, pytest.raises(Cancelled):
        place.grown(LARGE_BYTES + 1)


@pytest.mark.parametrize(
    ("said", "size"),
    [("5", 5), ("", LARGE_BYTES + 1), ("-1", LARGE_BYTES + 1), ("²", LARGE_BYTES + 1), ("9" * 30, None)],
)
def test_an_answer_that_does_not_say_how_long_it_is_is_large(said: str, size: int | None) -> None:
    found = announced_bytes(Headers([("Content-Length", said)] if said else []))
    assert found == (LARGE_BYTES + 1 if size is None else size)
