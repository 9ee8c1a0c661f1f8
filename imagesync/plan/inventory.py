"""Inventory: what the survey saw on both sides, as values. The diff reads it; nothing here reads a store."""

from __future__ import annotations

from collections.abc import Mapping

from imagesync.errors import ImagesyncError
from imagesync.gates import Known
from imagesync.lazy import dataclass, field
from imagesync.manifest import Content, Descriptor
from imagesync.plan.actions import Cause
from imagesync.plan.creating import CreateRepository
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.model import AttachmentType


@dataclass(frozen=True, slots=True)
class Present:
    """The tag or digest is there and points to this; of a source that is narrowed: it becomes this.

    `left_out` is what an index lists, and what is not brought all the same.
    """

    descriptor: Descriptor
    left_out: frozenset[Digest] = frozenset()


@dataclass(frozen=True, slots=True)
class Whole(Present):
    """A source's tag that was read at once, with what it points to."""

    content: Content | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Remembered(Present):
    """A destination's tag, what was last written there, and, should it differ from its source, why it does."""

    cause: Cause = Cause.UNOWNED
    wrote: Digest | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """The store answered, and the tag or digest is not there. `hint` is what it says of that, if anything."""

    hint: str | None = field(default=None, compare=False)


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
class Pair:
    """A repository that attachments come from, one that they go to, and which types of them do."""

    source: Repository
    destination: Repository
    kinds: frozenset[AttachmentType]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A manifest that speaks of an image, or an index of referrers, that a destination lacks in part or whole.

    `destination` has the tag that it is written under, or united with what is there; it has the digest instead where
    a registry lists referrers by itself. `count` is how many signatures, or referrers, come of it.
    """

    kind: AttachmentType
    source: Reference
    destination: Reference
    replaces: Digest | None
    count: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """Both sides as they were read, in one value.

    `listings`: tags of the source repositories that a filter asked for. `heads`: what each source and
    destination reference points to. `contents`: manifests of what differs, by digest; a root that could not be
    read whole is in `broken` instead. `present`: blobs that a destination repository holds. `attachments`: what
    speaks of the image and has to be brought; nothing for a pair that lacks none. `known`: what gates judge by.
    `to_create`: what destination repositories lack before they can be pushed to.
    """

    listings: Mapping[Repository, tuple[Tag, ...] | Broken] = field(default_factory=dict)
    heads: Mapping[Reference, Head] = field(default_factory=dict)
    contents: Mapping[Digest, Content] = field(default_factory=dict)
    broken: Mapping[Digest, Broken] = field(default_factory=dict)
    present: Mapping[Repository, frozenset[Digest]] = field(default_factory=dict)
    attachments: Mapping[Pair, tuple[Attachment, ...] | Broken] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    to_create: Mapping[Repository, CreateRepository] = field(default_factory=dict)


def str_without_hint(error: ImagesyncError) -> str:
    """The error's sentence with side and reference, its hint left to be shown apart."""
    hint, error.hint = error.hint, None
    try:
        return str(error)
    finally:
        error.hint = hint
