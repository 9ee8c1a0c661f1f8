"""Capacity: how many requests a host bears, found out by plain numbers and a time that the test tells."""

from __future__ import annotations

from imagesync.registry.capacity import JUDGED_ANSWERS, SLOW_SECONDS, Capacity


class Host:
    """A host that answers as it is told, and the time that this takes."""

    def __init__(self, ceiling: int) -> None:
        self.capacity = Capacity(ceiling)
        self.now = 1000.0

    def answer(self, times: int = 1, *, seconds: float = 0.1, is_timed: bool = True) -> None:
        for _ in range(times):
            sent_at, self.now = self.now, self.now + seconds
            self.capacity.answered(sent_at=sent_at, now=self.now, is_timed=is_timed)

    def refuse(self, *, sent_at: float | None = None) -> int:
        self.now += 0.1
        self.capacity.refused(sent_at=self.now - 0.1 if sent_at is None else sent_at, now=self.now)
        return self.capacity.slots


def test_it_starts_at_the_ceiling_and_never_exceeds_it() -> None:
    """A short run must not crawl."""
    host = Host(16)
    assert host.capacity.slots == 16
    host.answer(100)
    assert host.capacity.slots == 16


def test_a_refusal_halves_it_and_one_slot_is_left() -> None:
    host, seen = Host(16), []
    for _ in range(6):
        seen.append(host.refuse())
        host.now += 2
    assert seen == [8, 4, 2, 1, 1, 1]


def test_a_burst_of_refusals_halves_once() -> None:
    host = Host(16)
    assert [host.refuse() for _ in range(9)] == [8] * 9, "within one second"
    host.now += 30
    assert host.refuse(sent_at=1000.0) == 8, "a request that had been sent before"
    assert host.refuse() == 4


def test_it_grows_by_one_after_as_many_good_answers_as_it_has_slots() -> None:
    host = Host(16)
    host.refuse()
    host.answer(7)
    assert host.capacity.slots == 8
    host.answer(1)
    assert host.capacity.slots == 9
    host.answer(9 + 10 + 11 + 12 + 13 + 14 + 15)
    assert host.capacity.slots == 16


def test_answers_that_become_slow_halve_it() -> None:
    host = Host(16)
    host.answer(JUDGED_ANSWERS)
    host.answer(JUDGED_ANSWERS, seconds=5 * SLOW_SECONDS)
    assert host.capacity.slots == 8


def test_one_answer_that_hangs_says_nothing_of_the_host() -> None:
    host = Host(16)
    host.answer(JUDGED_ANSWERS - 1)
    host.answer(1, seconds=60)
    assert host.capacity.slots == 16


def test_a_host_that_is_far_away_is_not_slow() -> None:
    host = Host(16)
    host.answer(10 * JUDGED_ANSWERS, seconds=2 * SLOW_SECONDS)
    assert host.capacity.slots == 16


def test_a_host_that_slows_down_and_stays_quick_is_not_slow() -> None:
    host = Host(16)
    host.answer(JUDGED_ANSWERS, seconds=0.001)
    host.answer(10 * JUDGED_ANSWERS, seconds=0.9 * SLOW_SECONDS)
    assert host.capacity.slots == 16


def test_what_takes_long_by_its_nature_is_not_timed() -> None:
    """A large blob, a commit, a tag list."""
    host = Host(16)
    host.answer(JUDGED_ANSWERS)
    host.answer(10 * JUDGED_ANSWERS, seconds=60, is_timed=False)
    assert host.capacity.slots == 16


def test_a_host_that_is_slow_even_when_it_is_asked_one_thing_at_a_time_is_asked_more_again() -> None:
    """It is not us who slow it down."""
    host = Host(4)
    host.answer(JUDGED_ANSWERS, seconds=0.01)
    host.answer(4 * JUDGED_ANSWERS, seconds=3)
    assert host.capacity.slots > 1
    host.answer(10, seconds=3)
    assert host.capacity.slots == 4
