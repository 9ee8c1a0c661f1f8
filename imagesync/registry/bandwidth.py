"""Bandwidth: how fast bytes may come from a host and go to it, all threads together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Lock

from imagesync.cancellation import Cancellation
from imagesync.store import CHUNK_BYTES

BURST_SECONDS = 1.0
"""What was not used is kept for so long."""


class Bandwidth:
    """A token bucket that may be overdrawn by one piece: who has moved bytes waits until they are paid for."""

    def __init__(self, bytes_per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._paid_at = clock() - BURST_SECONDS
        self._lock = Lock()

    def take(self, size_bytes: int) -> float:
        """Count bytes; the seconds to wait before more are moved."""
        with self._lock:
            now = self._clock()
            self._paid_at = max(self._paid_at, now - BURST_SECONDS) + size_bytes / self._rate
            return max(0.0, self._paid_at - now)

    def wait(self, size_bytes: int, cancellation: Cancellation) -> None:
        """Count bytes, and wait as long as it takes. Raises Cancelled."""
        seconds = self.take(size_bytes)
        if seconds > 0:
            cancellation.wait(seconds)

    def paced(self, pieces: Iterator[bytes], cancellation: Cancellation) -> Iterator[bytes]:
        """The pieces of a body, each when its time has come; a server that is sent nothing for long hangs up, so
        none is larger than what a second brings."""
        largest = max(1, min(self._rate, CHUNK_BYTES))
        for piece in pieces:
            for start in range(0, len(piece), largest):
                part = piece[start : start + largest]
                self.wait(len(part), cancellation)
                yield part
