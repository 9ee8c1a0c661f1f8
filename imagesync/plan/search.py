"""The search for attachments: what a source has that speaks of some digests, and what of it a destination lacks.

Pure: questions out, answers in. Attachments may have attachments of their own: what is found is searched for, too, as
deep as indexes may be nested, and no digest twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagesync.errors import InvalidManifest
from imagesync.lazy import dataclass, replace
from imagesync.manifest import MAX_DEPTH, MAX_ENTRIES, Content, Index
from imagesync.plan.attachments import is_record, kind_of, tag_of, tags_of
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.found import Arrived, Found, joined, unknown
from imagesync.plan.inventory import Attachment, Broken, Head, Pair, Present
from imagesync.plan.questions import (
    Asking,
    ReadHead,
    ReadManifest,
    parts_of,
    together,
)
from imagesync.plan.referrers import as_referrers, entries_of, read_there, referrers_of
from imagesync.plan.uniting import count_lacking, entries_shared
from imagesync.reference import Digest, Reference, Tag
from imagesync.spec.model import AttachmentType


@dataclass(frozen=True, slots=True)
class Offer:
    """What a source repository has: those of its tags that may be attachments, and whether it lists referrers."""

    tags: frozenset[Tag] = frozenset()
    has_api: bool = False


def find_attachments(pair: Pair, subjects: Iterable[Digest], offer: Offer) -> Asking[Found | Broken]:
    """Everything that speaks of these digests and that the destination lacks, in a stable order."""
    found, level = Found(), tuple(subjects)
    seen: set[Digest] = set()
    try:
        for depth in range(MAX_DEPTH + 1):
            level = tuple(dict.fromkeys(digest for digest in level if digest not in seen))
            if not level:
                break
            seen.update(level)
            steps = yield from together(_ways(pair, level, offer))
            step = joined(steps)
            is_too_deep = depth == MAX_DEPTH and (step.attachments or step.arrived)
            if is_too_deep or len(seen) > MAX_ENTRIES:
                raise CannotRead(_too_much(pair))
            found, level = joined([found, step]), step.subjects
    except CannotRead as error:
        return unknown(error.broken)
    return found


def _too_much(pair: Pair) -> Broken:
    """There is more than is looked through. To leave the rest behind would be silent."""
    limits = f"nested more than {MAX_DEPTH} levels deep, or more than {MAX_ENTRIES} manifests"
    return Broken(f"source {pair.source}: what speaks of the image is {limits}", InvalidManifest.kind)


def _ways(pair: Pair, level: tuple[Digest, ...], offer: Offer) -> list[Asking[Found]]:
    """Where something may stand that speaks of these digests; where referrers are listed, a tag that lists them as well
    says nothing new."""
    is_listing = offer.has_api and AttachmentType.REFERRERS in pair.kinds
    if not is_listing:
        return [_under_tags(pair, tags_of(level, pair.kinds), offer)]
    kinds = pair.kinds - {AttachmentType.REFERRERS}
    return [_under_tags(pair, tags_of(level, kinds), offer), as_referrers(pair, level)]


def _under_tags(pair: Pair, named: Iterable[Tag], offer: Offer) -> Asking[Found]:
    """What stands under those of some tags that there are."""
    tags = [tag for tag in named if tag in offer.tags]
    heads = {
        tag: (
            ReadHead(Reference(pair.source, tag), "source"),
            ReadHead(Reference(pair.destination, tag), "destination"),
        )
        for tag in tags
    }
    answers = yield tuple(question for both in heads.values() for question in both)
    looks = [_under_tag(pair, tag, _Heads(answers[source], answers[there])) for tag, (source, there) in heads.items()]
    return joined((yield from together(looks)))


@dataclass(frozen=True, slots=True)
class _Heads:
    """What one tag points to on both sides."""

    source: Head
    destination: Head

    @property
    def is_equal(self) -> bool:
        sides = [head.descriptor.digest for head in (self.source, self.destination) if isinstance(head, Present)]
        return len(sides) == 2 and sides[0] == sides[1]


def _under_tag(pair: Pair, tag: Tag, heads: _Heads) -> Asking[Found]:
    for head in (heads.source, heads.destination):
        if isinstance(head, Broken):
            raise CannotRead(head)
    if not isinstance(heads.source, Present):
        return Found()  # it was listed, and has gone meanwhile
    digest = heads.source.descriptor.digest
    arrived = Arrived(Reference(pair.destination, tag), (ReadManifest(pair.destination, digest),))
    if heads.is_equal and not heads.source.descriptor.is_index:
        return Found(subjects=(digest,), arrived=(arrived,))
    there = yield from read_there(pair, heads.destination)
    if heads.is_equal:
        return Found(subjects=(digest, *entries_of(there)), arrived=(arrived,))
    return (yield from _differing(pair, Reference(pair.source, tag, digest), there))


def _differing(pair: Pair, source: Reference, there: Content | None) -> Asking[Found]:
    """One tag that the destination lacks, or has something else under: its own stays, and what it lacks is added."""
    digest = source.digest
    assert digest is not None  # noqa: S101 - narrows: it was read from a head
    held = frozenset(entries_of(there))
    place = Place(pair.source, "source")
    contents = yield from read_contents(
        place, {digest: None}, lambda entry: entry.digest not in held and not is_record(entry)
    )
    root = contents[digest]
    if isinstance(root, Index) and any(map(is_record, root.manifests)):
        subject = _subject_of(source.tag, contents)
        return (yield from referrers_of(pair, subject, root.manifests)) if subject is not None else Found()
    count = _count(there, root, source)
    attachment = Attachment(
        kind=_kind(source),
        source=source,
        destination=Reference(pair.destination, source.tag),
        replaces=there.digest if there is not None else None,
        count=count,
    )
    found = Found(subjects=(*contents, *entries_of(root)), arrived=_arrived(attachment.destination, there, root))
    return replace(found, attachments=(attachment,), contents=contents) if count else found


def _subject_of(tag: Tag | None, contents: Mapping[Digest, Content]) -> Digest | None:
    """What a list of referrers is of, by what it lists; None where none of that says so."""
    named = [content.subject.digest for content in contents.values() if content.subject is not None]
    return next((digest for digest in named if tag_of(digest, AttachmentType.REFERRERS) == tag), None)


def _arrived(destination: Reference, there: Content | None, root: Content) -> tuple[Arrived, ...]:
    """What a united tag has of the source's."""
    shared = entries_shared(there, root) if there is not None else ()
    return (Arrived(destination, parts_of(destination.repository, shared)),) if shared else ()


def _kind(source: Reference) -> AttachmentType:
    kind = kind_of(source.tag)
    assert kind is not None  # noqa: S101 - narrows: the tag is made for one
    return kind


def _count(there: Content | None, root: Content, source: Reference) -> int:
    """How much the destination lacks. Raises CannotRead for what is not what its tag says (RFR-02)."""
    if (_kind(source) is AttachmentType.REFERRERS) != isinstance(root, Index):
        reason = f"source {source}: the tag is one of attachments, and what it points to is something else"
        raise CannotRead(Broken(reason, InvalidManifest.kind, "delete or rename that tag"))
    try:
        return count_lacking(there, root)
    except InvalidManifest as error:
        raise CannotRead(Broken(f"{source}: {error.message}", error.kind)) from error
