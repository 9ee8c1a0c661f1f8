"""Spreads: blobs that several registries lack, each read once and written to all of them by one task.

For each registry a signal is given when its part is done: with how it got there, or with None where it has to be
brought there alone. How bytes are shared is fanout's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imagesync.executor.holders import Holders
from imagesync.lazy import dataclass, field
from imagesync.manifest import Descriptor
from imagesync.plan.actions import Copy
from imagesync.reference import Digest, Repository
from imagesync.tasks import Postponed, Task


@dataclass(eq=False, slots=True)
class Spread:
    """One blob, and for each registry that lacks it the copy that brings it there first, and a signal."""

    blob: Descriptor
    copies: dict[str, Copy] = field(default_factory=dict)
    signals: dict[str, Task[Any]] = field(default_factory=dict)

    @property
    def source(self) -> Repository:
        """Where it is read: at the source of the first copy that needs it."""
        return next(iter(self.copies.values())).source.repository

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every registry that its task uses."""
        return (self.source.registry, *self.copies)

    def leading(self, holders: Holders) -> list[Copy]:
        """The copies whose registries have to be fed: nobody there holds the blob or is bringing it already."""
        return [copy for registry, copy in self.copies.items() if self._leads(registry, copy, holders)]

    def _leads(self, registry: str, copy: Copy, holders: Holders) -> bool:
        try:
            return holders.claim(copy.destination.repository, self.blob.digest, self.signals[registry]) is None
        except Postponed:
            return False


def find_spreads(lacking: Iterable[tuple[Copy, Descriptor]]) -> dict[Digest, Spread]:
    """The blobs that more than one registry lacks."""
    found: dict[Digest, Spread] = {}
    for copy, blob in lacking:
        found.setdefault(blob.digest, Spread(blob)).copies.setdefault(copy.destination.repository.registry, copy)
    return {digest: spread for digest, spread in found.items() if len(spread.copies) > 1}
