"""The gates `signature` and `attestation`: somebody who is trusted has signed exactly what is moved.

What the source has that may prove it is read by the digest; the room `signature` says what of it is good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum

from imagesync.errors import ImagesyncError
from imagesync.gates.candidate import Candidate
from imagesync.gates.needs import Known, Need, ReadSpoken, TimeNow, Unread
from imagesync.gates.soak import shown_span
from imagesync.gates.trusted import Signers, Trusted
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass
from imagesync.reference import Digest, Reference
from imagesync.signature import (
    Exactly,
    InRepository,
    Remapped,
    SignedAs,
    Verified,
    Wanted,
    WantedAttestation,
    WantedSignature,
)


class Subject(Enum):
    """What has to be signed."""

    INDEX = "index"
    """The digest that the tag points to, be it that of an index or of an image."""
    PLATFORMS = "platforms"
    """The manifest of every platform."""


@dataclass(frozen=True, slots=True)
class SignedName:
    """What the image must have been called when it was signed: `exact`, `repository`, or prefixes, here to there."""

    word: str = ""
    prefixes: tuple[tuple[str, str], ...] = ()

    def of(self, source: Reference) -> SignedAs:
        """Raises InvalidReference where a prefix makes no name."""
        if self.prefixes:
            return Remapped.of(Reference(source.repository, source.tag), dict(self.prefixes))
        return Exactly(source) if self.word == "exact" else InRepository(source.repository)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of the subject; with `signed_as`, one that says how the image is called. `logged_for` is how long
    ago a transparency log, or a timestamp authority, must have seen it."""

    by: Trusted
    subject: Subject = Subject.INDEX
    signed_as: SignedName | None = None
    logged_for: timedelta | None = None

    def __str__(self) -> str:
        logged = f", logged for {shown_span(self.logged_for)}" if self.logged_for is not None else ""
        return f"signature by {self.by}, of {self.subject.value}{logged}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        spoken = tuple(ReadSpoken(digest) for digest in subjects_of(candidate, self.subject))
        return spoken if self.logged_for is None else (TimeNow(), *spoken)

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        return _judge(self, candidate, known)

    def objection(self, good: Sequence[Verified], known: Known) -> Finding | None:
        """Why signatures that verify do not do: nobody knows since when there are any, or they are too young."""
        if self.logged_for is None:
            return None
        now, times = known[TimeNow()], [one.log_time for one in good if one.log_time is not None]
        if isinstance(now, Unread) or not times:
            return Finding.blocked(f"signed by {self.by}, and nobody knows when", "sign it with a log, or a timestamp")
        age = max(timedelta(), now - min(times))
        if age >= self.logged_for:
            return None
        until = f"old enough at {min(times) + self.logged_for:%Y-%m-%d %H:%M} UTC"
        return Finding.waiting(f"signed {shown_span(age)} ago of {shown_span(self.logged_for)}", until)

    def wanted_of(self, candidate: Candidate) -> Callable[[Digest], Wanted]:
        """What is wanted of each digest. Raises InvalidReference where `signed_as` makes no name of this one."""
        name = self.signed_as.of(candidate.source) if self.signed_as is not None else None
        return lambda digest: WantedSignature(digest, name)


@dataclass(frozen=True, slots=True)
class Attestation:
    """An attestation of this predicate type about the subject. `builder` and `source` are globs; empty, any will do."""

    by: Trusted
    predicate_type: str
    builder: str = ""
    source: str = ""
    subject: Subject = Subject.INDEX

    def __str__(self) -> str:
        return f"attestation of {self.predicate_type} by {self.by}, of {self.subject.value}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return tuple(ReadSpoken(digest) for digest in subjects_of(candidate, self.subject))

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        return _judge(self, candidate, known)

    def objection(self, good: Sequence[Verified], known: Known) -> Finding | None:  # noqa: ARG002 - one that verifies does
        return None

    def wanted_of(self, candidate: Candidate) -> Callable[[Digest], Wanted]:  # noqa: ARG002 - of every image the same
        """What is wanted of each digest."""
        more = (self.predicate_type, self.builder, self.source)
        return lambda digest: WantedAttestation(digest, *more)


def subjects_of(candidate: Candidate, subject: Subject) -> tuple[Digest, ...]:
    """The digests that have to be signed."""
    if subject is Subject.INDEX:
        return (candidate.digest,)
    return tuple(dict.fromkeys(image.manifest.digest for image in candidate.images()))


def _judge(gate: Signature | Attestation, candidate: Candidate, known: Known) -> Finding:
    subjects = subjects_of(candidate, gate.subject)
    try:
        wanted, signers = gate.wanted_of(candidate), Signers(gate.by, gate.by.trust())
    except ImagesyncError as error:
        return Finding.blocked(f"nothing can be verified: {error.message}", error.hint)
    is_promised = False
    for digest in subjects:
        good = signers.good(wanted(digest), known[ReadSpoken(digest)])
        objection = good if isinstance(good, Finding) else gate.objection(good, known)
        if objection is not None:
            return objection
        is_promised |= not isinstance(good, Finding) and all(one.is_promised for one in good)
    if not subjects:
        return Finding.blocked("holds no image to be signed")
    return Finding.passed(f"signed by {gate.by}{', logged (promise)' if is_promised else ''}")
