"""Inventory: what the survey saw on both sides, as values. The diff reads it; nothing here reads a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagesync.errors import ImagesyncError
from imagesync.manifest import Content, Descriptor
from imagesync.reference import Digest, Reference, Repository, Tag


@dataclass(frozen=True, slots=True)
class Present:
    """The tag or digest is there and points to this."""

    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Absent:
    """The store answered, and the tag or digest is not there."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The destination's tag list has it, and that is trusted: what it points to was not asked."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A destination that refuses to say: some registries answer so for what does not exist yet."""

    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Reading failed; `kind` is the error's class."""

    reason: str
    kind: str
    hint: str | None = None

    @classmethod
    def from_error(cls, error: ImagesyncError) -> Broken:
        return cls(str_without_hint(error), error.kind, error.hint)


@dataclass(frozen=True, slots=True)
class NotRead(Broken):
    """Not asked for: the budget of the registry is spent. `exit_code` is what that is worth, 0 or 3."""

    exit_code: int = 3


Head = Present | Absent | Listed | Unreadable | Broken


@dataclass(frozen=True, slots=True)
class Inventory:
    """Both sides as they were read, in one value.

    `listings`: tags of the source repositories that a filter asked for. `heads`: what each source and
    destination reference points to. `contents`: manifests of what differs, by digest; a root that could not be
    read whole is in `broken` instead. `present`: blobs that a destination repository holds.
    """

    listings: Mapping[Repository, tuple[Tag, ...] | Broken] = field(default_factory=dict)
    heads: Mapping[Reference, Head] = field(default_factory=dict)
    contents: Mapping[Digest, Content] = field(default_factory=dict)
    broken: Mapping[Digest, Broken] = field(default_factory=dict)
    present: Mapping[Repository, frozenset[Digest]] = field(default_factory=dict)


def str_without_hint(error: ImagesyncError) -> str:
    """The error's sentence with side and reference, its hint left to be shown apart."""
    hint, error.hint = error.hint, None
    try:
        return str(error)
    finally:
        error.hint = hint
