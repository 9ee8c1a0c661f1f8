"""The meter: how much has been moved of how much, counted by the workers and read by whoever shows progress."""

from __future__ import annotations

import threading


class Meter:
    """Thread-safe counters. Bytes are those of blobs that have to be read and written; `total` counts copies.

    Both totals grow while a run is still being planned.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.total = 0
        self.total_bytes = 0
        self.done = 0
        self.moved_bytes = 0

    def expect_copy(self) -> None:
        """One more copy is to be made."""
        with self._lock:
            self.total += 1

    def expect_bytes(self, size_bytes: int) -> None:
        """As many more bytes are to be moved; a negative number takes back what need not be moved after all."""
        with self._lock:
            self.total_bytes += size_bytes

    def moved(self, size_bytes: int) -> None:
        """Count bytes that went out; a negative number takes back what has to be sent again."""
        with self._lock:
            self.moved_bytes += size_bytes

    def finished(self) -> None:
        """Count one copy as done, whatever became of it."""
        with self._lock:
            self.done += 1
