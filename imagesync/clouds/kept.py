"""Logins that a cloud has made, kept while they last: made once a run, whoever of its threads needs them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from copy import copy

from imagesync.clouds.minted import Minted, Minter
from imagesync.errors import MissingLoginError, StoreError
from imagesync.lazy import dataclass, field

REFUSED_SECONDS = 60.0
"""How long a refusal holds, and how long a login cannot be rejected: a role that lacks a right is not asked for again
with every tag."""
MISSING_SECONDS = 600.0
"""How long it holds that there is nothing to make a login with: to look for it can take many seconds."""
TRANSIENT_SECONDS = 1.0
"""How long an error holds that may pass: those who have waited for it share it, and a retry tries again."""
LEAST_LIFETIME_SECONDS = 120.0
"""What a shorter lifetime counts as: the clock of this machine may be wrong."""


@dataclass(frozen=True, slots=True)
class KeptLogin:
    """A login, and until when it is used, by the clock of MintedLogins."""

    minted: Minted
    until: float


@dataclass(slots=True)
class _Slot:
    """One minter's login, or why there is none."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    outcome: KeptLogin | StoreError | None = None
    made_at: float = 0.0
    until: float = 0.0


class MintedLogins:
    """Logins by minter. Each is renewed when a tenth of its lifetime is left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[Minter, _Slot] = {}

    def get(self, minter: Minter) -> KeptLogin:
        """The login as it holds now. Raises StoreError, the same one again for a while."""
        with self._lock:
            slot = self._slots.setdefault(minter, _Slot())
        with slot.lock:
            if slot.outcome is None or self._clock() >= slot.until:
                self._fill(slot, minter)
            outcome = slot.outcome
        if isinstance(outcome, KeptLogin):
            return outcome
        assert outcome is not None  # noqa: S101 - _fill has set it
        raise copy(outcome)

    def reject(self, minter: Minter, minted: Minted) -> bool:
        """A registry refused this login: have another made, unless it was made just now. Whether there is another."""
        with self._lock:
            slot = self._slots[minter]
        with slot.lock:
            if not isinstance(slot.outcome, KeptLogin) or slot.outcome.minted != minted:
                return True
            if self._clock() < slot.made_at + REFUSED_SECONDS:
                return False
            slot.outcome = None
            return True

    def _fill(self, slot: _Slot, minter: Minter) -> None:
        try:
            minted = minter.mint()
        except StoreError as error:
            slot.outcome = error
            slot.until = self._clock() + _held_seconds(error)
            return
        slot.made_at = self._clock()
        slot.until = slot.made_at + max(minted.lifetime_seconds, LEAST_LIFETIME_SECONDS) * 0.9
        slot.outcome = KeptLogin(minted, slot.until)


def _held_seconds(error: StoreError) -> float:
    if isinstance(error, MissingLoginError):
        return MISSING_SECONDS
    return TRANSIENT_SECONDS if error.is_transient else REFUSED_SECONDS
