"""The login of each identity at one registry: looked up once, and again when it ends or was refused."""

from __future__ import annotations

import threading
from collections.abc import Callable

from imagesync.lazy import dataclass
from imagesync.registry.credential import Credential

Identity = tuple[str, bool]
"""A repository's path, and whether it is to be written."""


@dataclass(frozen=True, slots=True)
class _Found:
    credential: Credential | None
    refusals: int
    """How many there had been when it was looked up: one that came meanwhile makes it stale."""


class FoundLogins:
    """For any number of threads. `find(path, push)` looks a login up."""

    def __init__(self, find: Callable[[str, bool], Credential | None], clock: Callable[[], float]) -> None:
        self._find = find
        self._clock = clock
        self._lock = threading.Lock()
        self._found: dict[Identity, _Found] = {}
        self._refusals: dict[Identity, int] = {}

    def get(self, identity: Identity) -> Credential | None:
        """The login as it is now; None for anonymous. Raises as `find` does."""
        with self._lock:
            refusals = self._refusals.get(identity, 0)
            known = self._found.get(identity)
        if known is not None and known.refusals == refusals and not self._is_over(known.credential):
            return known.credential
        credential = self._find(*identity)
        with self._lock:
            self._found[identity] = _Found(credential, refusals)
        return credential

    def last(self, identity: Identity) -> Credential | None:
        """The login that was found last; asks nobody."""
        with self._lock:
            known = self._found.get(identity)
        return None if known is None else known.credential

    def refused(self, identity: Identity) -> None:
        """Look it up again when it is needed next: it may have changed meanwhile."""
        with self._lock:
            self._refusals[identity] = self._refusals.get(identity, 0) + 1

    def _is_over(self, credential: Credential | None) -> bool:
        return credential is not None and self._clock() >= credential.usable_until
