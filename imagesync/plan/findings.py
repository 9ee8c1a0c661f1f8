"""Findings: what an audit found of the tags that a spec promises, as values. What is a finding, judgement says."""

from __future__ import annotations

from collections import Counter
from enum import Enum

from imagesync.errors import Place
from imagesync.lazy import dataclass, field
from imagesync.plan.actions import SpecPin
from imagesync.plan.wants import Want
from imagesync.reference import Reference

FOUND_EXIT_CODE = 2
UNREADABLE_EXIT_CODE = 1


class Kind(Enum):
    """What is not as the spec promises; UNREADABLE: nobody knows whether it is."""

    MISSING_TAG = "missing tag"
    OTHER_DIGEST = "other digest"
    OTHER_PLATFORMS = "other platforms"
    MISSING_CHILD = "missing child"
    MISSING_BLOB = "missing blob"
    OTHER_SIZE = "other size"
    OTHER_BYTES = "other bytes"
    MISSING_ATTACHMENT = "missing attachment"
    UNREADABLE = "not readable"


BELOW = frozenset({Kind.MISSING_CHILD, Kind.MISSING_BLOB, Kind.OTHER_SIZE, Kind.OTHER_BYTES})
"""What is wrong below something that is there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing at a destination that is not what it should be. `subject` is a tag, or a manifest or blob by digest."""

    kind: Kind
    subject: str
    reason: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """One tag that a spec promises, and what was found of it and all below it; nothing where the promise holds.

    `subject` is the tag at its destination; `source` has the digest where that could be read, and is None where not
    even the tag is known.
    """

    rule: str
    place: Place
    subject: str
    source: Reference | None
    findings: tuple[Finding, ...] = ()
    want: Want | None = field(default=None, repr=False)
    """What asks for it, where that is known."""

    incomplete: frozenset[Reference] = frozenset()
    """What is there and has something missing or wrong below it, where an apply would not look: the tag, and the
    tags and digests of what speaks of it."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Every tag that a spec promises, in its order, and how much was looked at for it."""

    tags: tuple[Audited, ...]
    specs: tuple[SpecPin, ...] = ()
    is_deep: bool = False
    """Every blob was read and hashed, not only asked for."""
    manifests: int = 0
    blobs: int = 0
    bytes_read: int = 0
    """Of the blobs, each once."""
    seconds: float = 0.0
    requests: int = 0

    @property
    def broken(self) -> tuple[Audited, ...]:
        """The tags of which something was found."""
        return tuple(tag for tag in self.tags if tag.findings)

    def findings(self) -> dict[Finding, list[Audited]]:
        """Each finding once, with the tags that it is of: a blob may be missing to many."""
        found: dict[Finding, list[Audited]] = {}
        for tag in self.tags:
            for finding in tag.findings:
                found.setdefault(finding, []).append(tag)
        return found

    def counts(self) -> dict[Kind, int]:
        """How many findings there are of each kind, each counted once."""
        return dict(Counter(finding.kind for finding in self.findings()))

    @property
    def exit_code(self) -> int:
        """1 where something could not be read, else 2 with a finding, else 0."""
        counts = self.counts()
        if Kind.UNREADABLE in counts:
            return UNREADABLE_EXIT_CODE
        return FOUND_EXIT_CODE if counts else 0
