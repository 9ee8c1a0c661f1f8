"""Places: few large answers of one host are in memory at once. What is read of one takes up many times its length until
it has been taken in, and a host that sends many of them at a time harms its own images alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Semaphore
from types import TracebackType
from typing import Self

from imagesync.cancellation import Cancellation

LARGE_BYTES = 64 * 1024
"""An answer is large from here on: lists of tags and indexes seldom are."""
LARGE_AT_ONCE = 2
_LOOK_SECONDS = 0.2
"""Between two looks whether the run was stopped."""


def announced_bytes(headers: Mapping[str, str]) -> int:
    """How long an answer says that it is; what does not say so is large."""
    length = headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdecimal() and len(length) < 20 else LARGE_BYTES + 1


class Places:
    """The places of one host, for any number of threads."""

    def __init__(self, count: int = LARGE_AT_ONCE) -> None:
        self._free = Semaphore(count)

    def place(self, cancellation: Cancellation) -> Place:
        return Place(self._free, cancellation)


class Place:
    """A place that is taken once it is needed. Use it in a `with`."""

    def __init__(self, free: Semaphore, cancellation: Cancellation) -> None:
        self._free = free
        self._cancellation = cancellation
        self._is_taken = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_taken:
            self._free.release()

    def grown(self, size_bytes: int) -> None:
        """So much of the answer is there: where that is large, wait for a place. Raises Cancelled."""
        while size_bytes > LARGE_BYTES and not self._is_taken:
            self._cancellation.check()
            self._is_taken = self._free.acquire(timeout=_LOOK_SECONDS)
