"""Capacity: how many requests a host bears at once, found out by how it answers. Pure: who asks tells the time."""

from __future__ import annotations

from threading import Lock

HALVED_AT_MOST_EVERY_SECONDS = 1.0
JUDGED_ANSWERS = 8
"""How many answers in a row are judged together: one that hangs says nothing of the host."""
SLOW_FACTOR = 3.0
SLOW_SECONDS = 0.5
"""Answers are slow when they take longer than this, and than SLOW_FACTOR times the fastest of this host."""


class Capacity:
    """Starts at the ceiling, is halved when the host says that it is too much, or its answers slow down, and grows
    by one after as many good answers as it has slots. Never below 1. For any number of threads."""

    def __init__(self, ceiling: int) -> None:
        self.slots = ceiling
        self._ceiling = ceiling
        self._halved_at = float("-inf")
        self._good = 0
        self._times: list[float] = []
        self._fastest = float("inf")
        self._lock = Lock()

    def refused(self, *, sent_at: float, now: float) -> None:
        """The host answered that this was one request too many."""
        with self._lock:
            self._halve(sent_at, now)

    def answered(self, *, sent_at: float, now: float, is_timed: bool) -> None:
        """A good answer. `is_timed` says that the time it took tells of the host, not of what was asked."""
        with self._lock:
            is_slow = is_timed and self._is_slow(now - sent_at)
            if is_timed and sent_at >= self._halved_at:
                self._judge(sent_at, now)
            if not is_slow:
                self._grow()

    def _judge(self, sent_at: float, now: float) -> None:
        self._fastest = min(self._fastest, now - sent_at)
        self._times.append(now - sent_at)
        if len(self._times) < JUDGED_ANSWERS:
            return
        usual = sorted(self._times)[JUDGED_ANSWERS // 2]
        self._times.clear()
        if not self._is_slow(usual):
            return
        if self.slots == 1:
            self._fastest = usual  # it is not us who slow it down
        self._halve(sent_at, now)

    def _is_slow(self, seconds: float) -> bool:
        return seconds > max(SLOW_SECONDS, SLOW_FACTOR * self._fastest)

    def _halve(self, sent_at: float, now: float) -> None:
        """One burst halves once: what was sent before says nothing of the number that holds since."""
        if sent_at < self._halved_at or now - self._halved_at < HALVED_AT_MOST_EVERY_SECONDS:
            return
        self.slots = max(1, self.slots // 2)
        self._halved_at = now
        self._good = 0
        self._times.clear()

    def _grow(self) -> None:
        self._good += 1
        if self._good >= self.slots and self.slots < self._ceiling:
            self.slots += 1
            self._good = 0
