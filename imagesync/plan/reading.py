"""Reading: what has to be read of an image before it can be planned, round by round. Pure: questions out, answers in.

Who answers is the survey's business. An image is one digest of a source with all that it is wanted for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from imagesync.lazy import dataclass, replace
from imagesync.manifest import Content, Descriptor
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.creating import CreateRepository
from imagesync.plan.diff import blobs_of
from imagesync.plan.found import Found
from imagesync.plan.gathering import gather
from imagesync.plan.image import Image, Overview, has_to_be_looked_into
from imagesync.plan.inventory import Attachment, Broken, Head, Inventory, Pair
from imagesync.plan.narrowing import Narrowing
from imagesync.plan.offers import attachments_of, with_list_entries
from imagesync.plan.promises import with_promises
from imagesync.plan.questions import Asking, FindMissing, HasBlob, IsEmpty, Question
from imagesync.plan.wants import Wanted
from imagesync.reference import Digest, Reference, Repository

MANY_BLOBS = 5
"""From so many blobs on, a tag list and two probes of an empty repository cost less than asking for each."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Some wants, and all that a diff has to know of them."""

    wants: tuple[Wanted, ...]
    inventory: Inventory


def seen_already(wants: Iterable[Wanted], heads: Mapping[Reference, Head]) -> Seen:
    """What the heads alone decide: the wants of which no copy comes, nor anything beside one."""
    return Seen(tuple(want for want in wants if not has_to_be_looked_into(want, heads)), Inventory(heads=heads))


def look_into(image: Image, overview: Overview) -> Asking[Inventory]:
    """Read an image's manifests, level by level, what speaks of it, what its gates have to know, then which blobs its
    destinations hold already."""
    heads, narrowing = yield from with_promises(image, overview.heads)
    if narrowing is not None and overview.incomplete:
        from imagesync.plan.judgement import taken_for_absent  # noqa: PLC0415 - few runs repair

        heads = taken_for_absent(image.all_wants, heads, overview.incomplete)
    image = image.sorted_by(heads)
    try:
        contents = yield from _contents(image, narrowing)
    except CannotRead as error:
        return Inventory(heads=heads, broken={image.digest: error.broken})
    found = yield from attachments_of(image, _spoken_of(contents, narrowing), replace(overview, heads=heads))
    root = narrowing.root.digest if narrowing is not None else image.digest
    if root in contents:
        found = yield from with_list_entries(image, contents[root], found)
    all_contents = dict(contents)
    for one in found.values():
        all_contents |= one.contents if isinstance(one, Found) else {}
    try:
        known = yield from gather(image, all_contents, replace(overview, heads=heads))
    except CannotRead as error:
        return Inventory(heads=heads, broken={image.digest: error.broken})
    try:
        to_create = yield from _to_create(image, overview.perhaps_missing)
    except CannotRead as error:
        return Inventory(heads=heads, broken={image.digest: error.broken})
    needed = _needed(image, all_contents, found, root=root)
    asked = {repository: blobs for repository, blobs in needed.items() if repository not in to_create}
    present = yield from _present(asked, overview.fresh)
    attachments = {pair: one.attachments if isinstance(one, Found) else one for pair, one in found.items()}
    return Inventory(
        heads=heads,
        contents=all_contents,
        present=present,
        attachments=attachments,
        known=known,
        to_create=to_create,
    )


def _contents(image: Image, narrowing: Narrowing | None) -> Asking[dict[Digest, Content]]:
    """The manifests of an image that is to be copied: those of its source that are not left out, and its root where
    that was made. Where it only gets another tag, its root alone."""
    if not image.wants:
        return {}
    place = Place(image.root.repository, "source", image.root.tag)
    left_out = narrowing.left_out if narrowing is not None else frozenset()
    is_read = _nothing_below if image.is_retagged else lambda entry: entry.digest not in left_out
    contents = yield from read_contents(place, {image.digest: None}, is_read)
    if narrowing is not None and narrowing.written is not None:
        contents[narrowing.root.digest] = narrowing.written
    return contents


def _nothing_below(entry: Descriptor) -> bool:  # noqa: ARG001 - one of the choices of what is read
    return False


def _spoken_of(contents: Mapping[Digest, Content], narrowing: Narrowing | None) -> tuple[Digest, ...]:
    """What signatures and the like are looked for of; nothing where that has to be read first."""
    if narrowing is None:
        return tuple(contents)
    brought = [digest for digest in contents if digest not in (narrowing.source.digest, narrowing.root.digest)]
    return tuple(dict.fromkeys([*narrowing.manifests, *brought]))


def _needed(
    image: Image, contents: Mapping[Digest, Content], found: Mapping[Pair, Found | Broken], *, root: Digest
) -> dict[Repository, tuple[Descriptor, ...]]:
    """The blobs that each destination in another registry needs, those of attachments behind the image's own."""
    needed: dict[Repository, dict[Digest, Descriptor]] = {}
    for repository in image.destinations:
        own = blobs_of(contents[root], contents)
        needed.setdefault(repository, {}).update((blob.digest, blob) for blob in own)
    for pair, one in found.items():
        attachments = one.attachments if isinstance(one, Found) else ()
        if pair.source.registry != pair.destination.registry and attachments:
            blobs = needed.setdefault(pair.destination, {})
            blobs.update((blob.digest, blob) for attachment in attachments for blob in _blobs_of(attachment, contents))
    return {repository: tuple(blobs.values()) for repository, blobs in needed.items()}


def _blobs_of(attachment: Attachment, contents: Mapping[Digest, Content]) -> tuple[Descriptor, ...]:
    digest = attachment.source.digest
    return blobs_of(contents[digest], contents) if digest is not None else ()


def _to_create(image: Image, perhaps_missing: frozenset[Repository]) -> Asking[dict[Repository, CreateRepository]]:
    """What the destinations of an image lack before they can be pushed to. Raises CannotRead."""
    wanted = dict.fromkeys(want.destination.repository for want in image.wants)
    asked = {repository: FindMissing(repository) for repository in wanted if repository in perhaps_missing}
    if not asked:
        return {}
    answers = yield tuple(asked.values())
    found = {repository: answers[question] for repository, question in asked.items()}
    for answer in found.values():
        if isinstance(answer, Broken):
            raise CannotRead(answer)
    return {repository: missing for repository, missing in found.items() if missing is not None}


def _present(
    needed: Mapping[Repository, Sequence[Descriptor]], fresh: Mapping[Repository, int]
) -> Asking[dict[Repository, frozenset[Digest]]]:
    """Which of the blobs each destination holds; an empty one is not asked blob by blob."""
    suspects = {
        repository: IsEmpty(repository, probes(blobs))
        for repository, blobs in needed.items()
        if _is_worth_a_look(blobs, fresh.get(repository, 0))
    }
    answers = yield tuple(suspects.values())
    empty = {repository for repository, question in suspects.items() if answers[question] is True}
    asked: dict[Repository, list[HasBlob]] = {
        repository: [HasBlob(repository, blob.digest, blob) for blob in blobs]
        for repository, blobs in needed.items()
        if repository not in empty
    }
    questions: tuple[Question, ...] = tuple(question for several in asked.values() for question in several)
    answers = yield questions
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
