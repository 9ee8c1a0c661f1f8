"""HostLimits: all that is known of what one host bears, shared by every client that speaks to it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

from imagesync.cancellation import Cancellation
from imagesync.registry.allowance import Allowance
from imagesync.registry.bandwidth import Bandwidth
from imagesync.registry.capacity import Capacity
from imagesync.registry.contact import Contact
from imagesync.registry.places import Places
from imagesync.registry.pulls import PullLedger, Pulls
from imagesync.registry.retry import Pause
from imagesync.settings import RegistrySettings

_TELLS_OF_PULLS = frozenset({"HEAD manifest", "GET manifest"})
_TIMED = _TELLS_OF_PULLS | {"HEAD blob"}
"""What every registry answers at once, however large the image."""


class HostLimits:
    """The limits of one host. The client tells what it sees and obeys the pause, the bandwidth and the budget;
    the scheduler obeys `slots`."""

    def __init__(self, host: str, settings: RegistrySettings, *, ledger: PullLedger) -> None:
        self.capacity = Capacity(settings.behaviour_at(host).concurrency)
        self.pause = Pause()
        self.contact = Contact()
        self.places = Places()
        self.allowance = Allowance()
        self.pulls = Pulls(host, settings.pulls, ledger)
        self._bandwidth = Bandwidth(settings.bandwidth) if settings.bandwidth else None

    @property
    def slots(self) -> int:
        """Requests that the scheduler may have under way; 0 while the host is to be left alone."""
        return 0 if self.pause.seconds() > 0 else self.capacity.slots

    def asking(self, operation: str) -> AbstractContextManager[None]:
        """Around a request, its redirects included: a manifest that is read is a pull. Raises BudgetError."""
        return self.pulls.one() if operation == "GET manifest" else nullcontext()

    def observe(self, operation: str, status: int, *, headers: Mapping[str, str], sent_at: float) -> None:
        """Learn from the head of an answer, to a request that went out at `sent_at` by time.monotonic()."""
        now = time.monotonic()
        if status == 429:
            self.capacity.refused(sent_at=sent_at, now=now)
        elif status < 500:
            self.capacity.answered(sent_at=sent_at, now=now, is_timed=operation in _TIMED)
        self.contact.answered(status)
        if operation in _TELLS_OF_PULLS:
            self.pulls.heard(headers)

    def moved(self, size_bytes: int, cancellation: Cancellation) -> None:
        """Bytes came from the host: wait until that many may have. Raises Cancelled."""
        if self._bandwidth is not None:
            self._bandwidth.wait(size_bytes, cancellation)

    def paced(self, pieces: Iterator[bytes], cancellation: Cancellation) -> Iterator[bytes]:
        """The pieces of a body, as fast as they may go to the host."""
        return pieces if self._bandwidth is None else self._bandwidth.paced(pieces, cancellation)
