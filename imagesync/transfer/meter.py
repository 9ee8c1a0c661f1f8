"""The meter: how much has been moved of how much, counted by the workers and read by whoever shows progress."""

from __future__ import annotations

import threading


class Meter:
    """Thread-safe counters. Bytes are those of blobs that have to be read and written; `total` counts copies."""

    def __init__(self, *, total: int = 0, total_bytes: int = 0) -> None:
        self._lock = threading.Lock()
        self.total = total
        self.total_bytes = total_bytes
        self.done = 0
        self.moved_bytes = 0

    def moved(self, size_bytes: int) -> None:
        """Count bytes that went out; a negative number takes back what has to be sent again."""
        with self._lock:
            self.moved_bytes += size_bytes

    def finished(self) -> None:
        """Count one copy as done, whatever became of it."""
        with self._lock:
            self.done += 1
