"""Keepers: where a state is from one run to the next. Every one keeps what several runs add at once, of all of them."""

from __future__ import annotations

from typing import Protocol

from imagesync.state import State


class Keeper(Protocol):
    """One place that a state is kept at."""

    def load(self) -> State:
        """All that runs have added so far; nothing before the first. Raises StateError where it is damaged, and
        StoreError where it cannot be read."""
        ...

    def check_writable(self) -> None:
        """Raise StateError where it is plain already that nothing could be added."""
        ...

    def add(self, news: State) -> None:
        """Keep these entries beside all others, also those that another run has added since `load`. When it returns
        they are safe. Raises StateError and StoreError."""
        ...
