"""Pins: which digest each source tag is held at. Values; how a file says it, `spec/lock` knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from imagesync.errors import Place
from imagesync.lazy import dataclass, field
from imagesync.reference import Digest, RepositoryList, Tag


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One tag of a source and its digest. `source` is the repository as messages print it; `place` is the line."""

    source: str
    tag: Tag
    digest: Digest
    place: Place = field(default=Place(""), compare=False)

    def __str__(self) -> str:
        return f"{self.source}:{self.tag}"


@dataclass(frozen=True)
class Lock:
    """The pins of a lock, sorted, each tag once."""

    pins: tuple[Pin, ...] = ()

    @classmethod
    def of(cls, pins: Iterable[Pin]) -> Lock:
        return cls(tuple(sorted(set(pins))))

    @cached_property
    def digests(self) -> Mapping[str, Mapping[Tag, Digest]]:
        """The digests of the tags of each source."""
        found: dict[str, dict[Tag, Digest]] = {}
        for pin in self.pins:
            found.setdefault(pin.source, {})[pin.tag] = pin.digest
        return found

    def repositories(self, registry: str) -> RepositoryList:
        """The paths of what is locked at a registry, or in a folder or tar of layouts."""
        start = f"{registry}/"
        return RepositoryList.of(one.removeprefix(start) for one in self.digests if one.startswith(start))
