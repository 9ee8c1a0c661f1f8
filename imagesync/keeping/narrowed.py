"""The narrowed digests of a state, for whoever plans: beside what a cache knows, or in place of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from imagesync.reference import Digest
from imagesync.state import Entry, Narrowed, State
from imagesync.store import Memory


class StateMemory:
    """Implements store.Memory: all that `inner` does, but what an index becomes is known from a state first.

    `note` is given what a run finds out of that. All else is a hint that one machine keeps, and no matter of a state.
    """

    def __init__(self, inner: Memory, state: State, note: Callable[[Iterable[Entry]], None]) -> None:
        self._inner = inner
        self._state = state
        self._note = note
        self.manifest = inner.manifest
        self.keep_manifest = inner.keep_manifest
        self.created = inner.created
        self.keep_created = inner.keep_created
        self.holds = inner.holds
        self.holder = inner.holder
        self.knows = inner.knows
        self.note = inner.note
        self.forget = inner.forget

    def narrowed(self, source: Digest, keep: str) -> Digest | None:
        return self._state.narrowed(source, keep) or self._inner.narrowed(source, keep)

    def keep_narrowed(self, source: Digest, keep: str, narrowed: Digest) -> None:
        if self._state.narrowed(source, keep) is None:
            self._note([Narrowed(source, keep, narrowed)])
        self._inner.keep_narrowed(source, keep, narrowed)
