"""Traffic: what was sent to one host and came from it, counted by the threads that do it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping

from imagesync.lazy import dataclass, field


@dataclass(frozen=True, slots=True)
class TrafficCounts:
    """Requests by kind (`HEAD manifest`, `upload blob`, `GET token`), redirects included; bytes of bodies alone.

    `retries` are requests that were sent again, `pauses` the times that the host asked to be left alone.
    """

    requests: Mapping[str, int] = field(default_factory=dict)
    bytes_read: int = 0
    bytes_written: int = 0
    retries: int = 0
    pauses: int = 0


class Traffic:
    """The counters of one host."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._sums: Counter[str] = Counter()

    def sent(self, kind: str) -> None:
        """Count a request."""
        with self._lock:
            self._requests[kind] += 1

    def add(self, what: str, amount: int = 1) -> None:
        """Count bytes or events, by the name of a field of TrafficCounts."""
        with self._lock:
            self._sums[what] += amount

    def written(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of a body, counted as they go out."""
        for piece in pieces:
            yield piece
            self.add("bytes_written", len(piece))

    def counts(self) -> TrafficCounts:
        """What was counted so far."""
        with self._lock:
            return TrafficCounts(dict(sorted(self._requests.items())), **self._sums)
