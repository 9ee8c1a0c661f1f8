"""Cancellation: one event and one deadline that every chunk and every wait looks at. Signals are wired in cli.

How long a wait between two tries is stands here too.
"""

from __future__ import annotations

import threading
import time

from imagesync.errors import Cancelled

GRACE_SECONDS = 5.0


def backoff_seconds(tries: int, *, first: float, longest: float) -> float:
    """How long to wait after so many tries: drawn between 0 and a bound that doubles from `first` with each."""
    from random import uniform  # noqa: PLC0415 - few runs try anything again

    return uniform(0, min(longest, first * 2 ** (tries - 1)))  # noqa: S311 - spreads load, hides nothing


class Cancellation:
    """Set once, by a signal or by the deadline; never unset.

    `deadline_seconds` counts from when the object is made; None means no deadline. What is under way when it
    is set has `grace_seconds` to come to an end by itself.
    """

    def __init__(self, deadline_seconds: float | None = None, *, grace_seconds: float = GRACE_SECONDS) -> None:
        self._event = threading.Event()
        self._deadline = None if deadline_seconds is None else time.monotonic() + deadline_seconds
        self._reason = "interrupted"
        self.cancelled_at = 0.0
        self.grace_seconds = grace_seconds

    def cancel(self, reason: str = "interrupted") -> None:
        """Ask everything to stop. `reason` ends up in each Cancelled that is raised."""
        if not self._event.is_set():
            self._reason = reason
            self.cancelled_at = time.monotonic()
            self._event.set()

    @property
    def is_cancelled(self) -> bool:
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.cancel("the deadline has passed")
        return self._event.is_set()

    def error(self) -> Cancelled:
        """What a task that was stopped ends with."""
        return Cancelled(self._reason)

    def check(self) -> None:
        """Raise Cancelled if the work was asked to stop."""
        if self.is_cancelled:
            raise self.error()

    def wait(self, seconds: float) -> None:
        """Sleep; raise Cancelled as soon as the work is asked to stop."""
        if self._deadline is not None:
            seconds = min(seconds, max(0.0, self._deadline - time.monotonic()))
        self._event.wait(seconds)
        self.check()
