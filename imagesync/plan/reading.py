"""Reading: what has to be read of an image before it can be planned, round by round. Pure: questions out, answers in.

Who answers is the survey's business. An image is one digest of a source with all that it is wanted for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from imagesync.errors import IntegrityError, InvalidManifest
from imagesync.manifest import MAX_DEPTH, MAX_ENTRIES, Content, Descriptor, Index
from imagesync.plan.diff import Wanted, blobs_of, differs, pinned
from imagesync.plan.inventory import Broken, Head, Inventory, Listed, Present
from imagesync.plan.wants import Want
from imagesync.reference import Digest, Reference, Repository

MANY_BLOBS = 5
"""From so many blobs on, a tag list and two probes of an empty repository cost less than asking for each."""


@dataclass(frozen=True, slots=True)
class ReadManifest:
    """One manifest or index of a source. Answered with its Content, or Broken."""

    repository: Repository
    digest: Digest


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """Whether a destination repository has no tag and none of these blobs. Asked once: it is what a run begins with."""

    repository: Repository
    probes: tuple[Descriptor, ...] = field(compare=False)


@dataclass(frozen=True, slots=True)
class HasBlob:
    """Whether a destination repository holds a blob. Answered before the run brings it there, and not again."""

    repository: Repository
    digest: Digest
    blob: Descriptor = field(compare=False)


Question = ReadManifest | IsEmpty | HasBlob
Answers = Mapping[Question, Any]
Rounds = Generator[tuple[Question, ...], Answers, Inventory]
"""Yields what to ask next, is sent the answers, and returns what was seen."""


@dataclass(frozen=True, slots=True)
class Image:
    """One digest of a source, the place to read it, and the wants that differ from it at their destination."""

    root: Reference
    wants: tuple[Want, ...]

    @property
    def destinations(self) -> tuple[Repository, ...]:
        """The repositories that get it from another registry, each once."""
        moves = (want for want in self.wants if want.source.repository.registry != want.destination.repository.registry)
        return tuple(dict.fromkeys(want.destination.repository for want in moves))


@dataclass(frozen=True, slots=True)
class Seen:
    """Some wants, and all that a diff has to know of them."""

    wants: tuple[Wanted, ...]
    inventory: Inventory


def images_of(wants: Iterable[Wanted], heads: Mapping[Reference, Head]) -> tuple[Image, ...]:
    """The images that have to be looked into, in the order of their first wants: those of tags that differ."""
    found: dict[Digest, Image] = {}
    for want in wants:
        source = heads.get(want.source) if isinstance(want, Want) else None
        if isinstance(want, Want) and isinstance(source, Present) and differs(want, heads):
            digest = source.descriptor.digest
            image = found.get(digest, Image(pinned(want.source, source), ()))
            found[digest] = replace(image, wants=(*image.wants, want))
    return tuple(found.values())


def seen_already(wants: Iterable[Wanted], heads: Mapping[Reference, Head]) -> Seen:
    """What the heads alone decide: the wants of which no copy comes."""
    decided = tuple(want for want in wants if not (isinstance(want, Want) and differs(want, heads)))
    return Seen(decided, Inventory(heads=heads))


def perhaps_empty(images: Iterable[Image], heads: Mapping[Reference, Head]) -> dict[Repository, int]:
    """The destination repositories that hold none of the tags that are wanted there, and how many images each gets."""
    held = {reference.repository for reference, head in heads.items() if isinstance(head, Present | Listed)}
    return Counter(one for image in images for one in image.destinations if one not in held)


def look_into(image: Image, heads: Mapping[Reference, Head], fresh: Mapping[Repository, int]) -> Rounds:
    """Read an image's manifests, level by level, then which of its blobs its destinations hold already.

    `fresh` is what `perhaps_empty` says of the whole spec.
    """
    contents, broken = yield from _contents(image)
    if broken is not None:
        return Inventory(heads=heads, broken={_digest(image): broken})
    blobs = blobs_of(contents[_digest(image)], contents)
    present = yield from _present(image, blobs, fresh)
    return Inventory(heads=heads, contents=contents, present=present)


def _contents(
    image: Image,
) -> Generator[tuple[Question, ...], Answers, tuple[dict[Digest, Content], Broken | None]]:
    contents: dict[Digest, Content] = {}
    level: Mapping[Digest, int | None] = {_digest(image): None}
    count = 0
    for _ in range(MAX_DEPTH):
        asked = {one: ReadManifest(image.root.repository, one) for one in level if one not in contents}
        answers = yield tuple(asked.values())
        for digest, question in asked.items():
            found = _as_announced(answers[question], question, level[digest])
            if isinstance(found, Broken):
                return contents, found
            contents[digest] = found
        level = _children(level, contents)
        count += len(level)
        if not level:
            return contents, None
        if count > MAX_ENTRIES:
            break
    return contents, _too_large(image)


def _too_large(image: Image) -> Broken:
    limits = f"nested more than {MAX_DEPTH} levels deep, or lists more than {MAX_ENTRIES} manifests"
    reason = f"source {image.root}: index is {limits}"
    return Broken(reason, InvalidManifest.kind, "copy the images that it lists one by one")


def _as_announced(found: Content | Broken, question: ReadManifest, size_bytes: int | None) -> Content | Broken:
    """What was read, unless it is of another size than the index says that lists it."""
    if isinstance(found, Broken) or size_bytes in (None, len(found.raw)):
        return found
    reference = Reference(question.repository, None, question.digest)
    return Broken(f"source {reference}: {len(found.raw)} bytes, the index says {size_bytes}", IntegrityError.kind)


def _children(digests: Iterable[Digest], contents: Mapping[Digest, Content]) -> dict[Digest, int | None]:
    """The manifests that these list, each with the size that its entry says."""
    indexes = [content for digest in digests if isinstance(content := contents.get(digest), Index)]
    entries = [entry for index in indexes for entry in index.successors() if entry.is_manifest]
    return {entry.digest: entry.size_bytes for entry in entries}


def _present(
    image: Image, blobs: Sequence[Descriptor], fresh: Mapping[Repository, int]
) -> Generator[tuple[Question, ...], Answers, dict[Repository, frozenset[Digest]]]:
    """Which of the blobs each destination holds; an empty one is not asked blob by blob."""
    suspects = {
        repository: IsEmpty(repository, probes(blobs))
        for repository in image.destinations
        if _is_worth_a_look(blobs, fresh.get(repository, 0))
    }
    answers = yield tuple(suspects.values())
    empty = {repository for repository, question in suspects.items() if answers[question] is True}
    asked = {
        repository: [HasBlob(repository, blob.digest, blob) for blob in blobs]
        for repository in image.destinations
        if repository not in empty
    }
    answers = yield tuple(question for questions in asked.values() for question in questions)
    held = {
        repository: frozenset(question.digest for question in questions if answers[question] is True)
        for repository, questions in asked.items()
    }
    return {**held, **{repository: frozenset() for repository in empty}}


def _is_worth_a_look(blobs: Sequence[Descriptor], images: int) -> bool:
    """Whether finding a repository empty saves requests; each of its other images has two blobs or more."""
    return bool(blobs) and images > 0 and len(blobs) + 2 * (images - 1) >= MANY_BLOBS


def probes(blobs: Sequence[Descriptor]) -> tuple[Descriptor, ...]:
    """The blobs that tell of an earlier run that was cut off: the largest goes out first, the smallest last."""
    by_size = sorted(blobs, key=lambda blob: blob.size_bytes)
    return tuple(dict.fromkeys((*by_size[-1:], *by_size[:1])))


def _digest(image: Image) -> Digest:
    digest = image.root.digest
    assert digest is not None  # noqa: S101 - narrows: an image's root is pinned
    return digest
