"""Questions: what a survey can be asked about one image. Data: pure functions ask, round by round, the survey answers.

Each question is answered once, whoever asks: fields that do not make another question of it are not compared.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeVar

from imagesync.gates import ListFiles, ReadFile, ReadJobIdentity, RunCommand, TimeNow, WhoRuns
from imagesync.lazy import dataclass, field, replace
from imagesync.manifest import Descriptor
from imagesync.reference import Digest, Reference, Repository, Tag

Side = Literal["source", "destination"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadManifest:
    """One manifest or index. Answered with its Content, or Broken. At a destination no pull is counted.

    `left_out` is what an index lists and an audit does not look for, since nobody brought it.
    """

    repository: Repository
    digest: Digest
    side: Side = "source"
    left_out: frozenset[Digest] = frozenset()


@dataclass(frozen=True, slots=True)
class ReadPlatform:
    """What an image's config says that it runs on. Answered with a Platform, None where it says nothing, or Broken."""

    repository: Repository
    digest: Digest
    config: Descriptor = field(compare=False)
    side: Side


@dataclass(frozen=True, slots=True)
class ReadBlob:
    """A small blob of a source, hashed; one larger than `max_bytes` is not begun. Answered with its bytes, or Broken.
    Costs no pull."""

    side: ClassVar[Side] = "source"

    repository: Repository
    digest: Digest
    blob: Descriptor = field(compare=False)
    max_bytes: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """Whether a destination repository has no tag and none of these blobs. Asked once: it is what a run begins with."""

    repository: Repository
    probes: tuple[Descriptor, ...] = field(compare=False)


@dataclass(frozen=True, slots=True)
class FindMissing:
    """What a destination repository lacks before it can be pushed to. Answered with a CreateRepository, None where it
    is there, or Broken."""

    repository: Repository


@dataclass(frozen=True, slots=True)
class HasBlob:
    """Whether a destination repository holds a blob. Answered before the run brings it there, and not again."""

    repository: Repository
    digest: Digest
    blob: Descriptor = field(compare=False)


Part = ReadManifest | HasBlob
"""A manifest or blob of one repository."""


def parts_of(repository: Repository, entries: Iterable[Descriptor]) -> tuple[Part, ...]:
    """What these stand for in a repository. Content that a descriptor embeds is asked for as any other."""
    return tuple(
        ReadManifest(repository, entry.digest)
        if entry.is_manifest
        else HasBlob(repository, entry.digest, replace(entry, data=None))
        for entry in entries
    )


@dataclass(frozen=True, slots=True)
class ReadHead:
    """What an attachment's tag points to. Answered with a Head."""

    reference: Reference
    side: Side

    @property
    def repository(self) -> Repository:
        return self.reference.repository


@dataclass(frozen=True, slots=True)
class ListAttachmentTags:
    """Those tags of a source repository that may be attachments; none where it is not there. Answered with a set of
    tags, or Broken."""

    repository: Repository


@dataclass(frozen=True, slots=True)
class ListAllTags:
    """The tags of a destination repository; none where it is not there. Answered with the tags, or Broken."""

    repository: Repository


@dataclass(frozen=True, slots=True)
class HasReferrersApi:
    """Whether a registry lists referrers at all, asked of some repository and digest of it. Answered with a bool,
    or Broken."""

    registry: str
    repository: Repository = field(compare=False)
    digest: Digest = field(compare=False)
    side: Side = field(compare=False)


@dataclass(frozen=True, slots=True)
class ListReferrers:
    """The referrers of a digest, at a registry that lists them. Answered with descriptors, or Broken."""

    repository: Repository
    digest: Digest
    side: Side


@dataclass(frozen=True, slots=True)
class MayRead:
    """Whether the pulls of a source's registry are enough to find out when all of these were made, at the most that
    it may take. Answered with None, or a Broken that says how many they are; then none of it is begun."""

    repository: Repository
    roots: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class ReadCreated:
    """What an image's config says of when it was made. Answered with that text, None where it says nothing, or Broken.
    Costs no pull."""

    repository: Repository
    digest: Digest
    config: Descriptor = field(compare=False)


@dataclass(frozen=True, slots=True)
class ReadPushTimes:
    """When a source's registry got what these tags point to. Answered with the PushTime of each tag of which it says
    so, or Broken."""

    repository: Repository
    tags: tuple[Tag, ...]


OfStore = (
    ReadManifest
    | ReadPlatform
    | ReadBlob
    | IsEmpty
    | FindMissing
    | HasBlob
    | ReadHead
    | ListAttachmentTags
    | ListAllTags
    | HasReferrersApi
    | ListReferrers
    | MayRead
    | ReadCreated
    | ReadPushTimes
)
Surrounding = TimeNow | WhoRuns | ReadFile | ListFiles | RunCommand | ReadJobIdentity
"""What is asked of no registry: a gate says what it is answered with, or Unread."""
Question = OfStore | Surrounding
Answers = Mapping[Question, Any]
Asking = Generator[tuple[Question, ...], Answers, T]
"""Yields what to ask next, is sent the answers, and returns what came of it."""


def registries_of(question: Question) -> tuple[str, ...]:
    """The registries that are asked."""
    return () if isinstance(question, Surrounding) else (question.repository.registry,)


def together(askers: Sequence[Asking[T]]) -> Asking[list[T]]:
    """Let several ask in the same rounds: none waits for another's."""
    results: dict[int, T] = {}
    answers: Answers | None = None
    while True:
        asked: list[Question] = []
        for position, asker in enumerate(askers):
            if position not in results:
                try:
                    asked += next(asker) if answers is None else asker.send(answers)
                except StopIteration as end:
                    results[position] = end.value
        if len(results) == len(askers):
            return [results[position] for position in range(len(askers))]
        answers = yield tuple(dict.fromkeys(asked))
