"""The search for attachments: what a source has that speaks of some digests, and what of it a destination lacks.

Pure: questions out, answers in. Attachments may have attachments of their own: what is found is searched for, too, as
deep as indexes may be nested, and no digest twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imagesync.errors import InvalidManifest
from imagesync.manifest import MAX_DEPTH, MAX_ENTRIES, Content, Descriptor, Index
from imagesync.plan.attachments import kind_of, tag_of, tags_of
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.inventory import Attachment, Broken, Head, NotRead, Pair, Present
from imagesync.plan.questions import (
    Asking,
    HasReferrersApi,
    ListReferrers,
    Part,
    ReadHead,
    ReadManifest,
    parts_of,
    together,
)
from imagesync.plan.uniting import count_lacking, entries_shared
from imagesync.reference import Digest, Reference, Tag
from imagesync.spec.model import AttachmentType

_LEAVE_OUT = "`attachments: none` copies images without what speaks of them"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a source repository has: those of its tags that may be attachments, and whether it lists referrers."""

    tags: frozenset[Tag] = frozenset()
    has_api: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    """What the destination has of one attachment: the tag or digest that it stands under there, and what has to be
    whole for it. An entry that the source does not have is the destination's own business."""

    destination: Reference
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Attachments to bring, their manifests, the digests that may have attachments in turn, and what need not be
    brought."""

    attachments: tuple[Attachment, ...] = ()
    contents: Mapping[Digest, Content] = field(default_factory=dict)
    subjects: tuple[Digest, ...] = ()
    arrived: tuple[Arrived, ...] = ()


def find_attachments(pair: Pair, subjects: Iterable[Digest], offer: Offer) -> Asking[Found | Broken]:
    """Everything that speaks of these digests and that the destination lacks, in a stable order."""
    found, level = Found(), tuple(subjects)
    seen: set[Digest] = set()
    try:
        for _ in range(MAX_DEPTH):
            level = tuple(dict.fromkeys(digest for digest in level if digest not in seen))
            seen.update(level)
            if not level or len(seen) > MAX_ENTRIES:
                break
            steps = yield from together([_under_tags(pair, level, offer), _as_referrers(pair, level, offer)])
            found, level = _joined([found, *steps]), _joined(steps).subjects
    except CannotRead as error:
        return unknown(error.broken)
    return found


def unknown(broken: Broken) -> Broken:
    """What could not be read, as the reason why an image's attachments are not known."""
    reason = f"attachments: {broken.reason}"
    if isinstance(broken, NotRead):  # a later run reads them
        return replace(broken, reason=reason)
    return replace(broken, reason=reason, hint=f"{broken.hint}; {_LEAVE_OUT}" if broken.hint else _LEAVE_OUT)


def _joined(steps: Iterable[Found]) -> Found:
    attachments: dict[Attachment, None] = {}
    contents: dict[Digest, Content] = {}
    subjects: dict[Digest, None] = {}
    arrived: dict[Arrived, None] = {}
    for step in steps:
        attachments |= dict.fromkeys(step.attachments)
        contents |= step.contents
        subjects |= dict.fromkeys(step.subjects)
        arrived |= dict.fromkeys(step.arrived)
    return Found(tuple(attachments), contents, tuple(subjects), tuple(arrived))


def _under_tags(pair: Pair, level: Iterable[Digest], offer: Offer) -> Asking[Found]:
    """What stands under tags; where referrers are listed, a tag that lists them as well says nothing new."""
    kinds = pair.kinds - {AttachmentType.REFERRERS} if offer.has_api else pair.kinds
    tags = [tag for tag in tags_of(level, kinds) if tag in offer.tags]
    heads = {
        tag: (
            ReadHead(Reference(pair.source, tag), "source"),
            ReadHead(Reference(pair.destination, tag), "destination"),
        )
        for tag in tags
    }
    answers = yield tuple(question for both in heads.values() for question in both)
    looks = [_under_tag(pair, tag, _Heads(answers[source], answers[there])) for tag, (source, there) in heads.items()]
    return _joined((yield from together(looks)))


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
    there = yield from _read_there(pair, heads.destination)
    if heads.is_equal:
        return Found(subjects=(digest, *_entries(there)), arrived=(arrived,))
    return (yield from _differing(pair, Reference(pair.source, tag, digest), there))


def _read_there(pair: Pair, head: Head) -> Asking[Content | None]:
    """What the destination has under a tag, without what that lists. No pull is counted there."""
    if not isinstance(head, Present):
        return None
    place, digest = Place(pair.destination, "destination"), head.descriptor.digest
    contents = yield from read_contents(place, {digest: None}, is_read=lambda _entry: False)
    return contents[digest]


def _differing(pair: Pair, source: Reference, there: Content | None) -> Asking[Found]:
    """One tag that the destination lacks, or has something else under: its own stays, and what it lacks is added."""
    digest = source.digest
    assert digest is not None  # noqa: S101 - narrows: it was read from a head
    held = frozenset(_entries(there))
    place = Place(pair.source, "source")
    contents = yield from read_contents(place, {digest: None}, lambda entry: entry.digest not in held)
    root = contents[digest]
    count = _count(there, root, source)
    attachment = Attachment(
        kind=_kind(source),
        source=source,
        destination=Reference(pair.destination, source.tag),
        replaces=there.digest if there is not None else None,
        count=count,
    )
    found = Found(subjects=(*contents, *_entries(root)), arrived=_arrived(attachment.destination, there, root))
    return replace(found, attachments=(attachment,), contents=contents) if count else found


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


def _as_referrers(pair: Pair, level: Iterable[Digest], offer: Offer) -> Asking[Found]:
    """What the source's registry lists as referrers of these digests."""
    if not offer.has_api or AttachmentType.REFERRERS not in pair.kinds:
        return Found()
    listed = yield from _listed({digest: ListReferrers(pair.source, digest, "source") for digest in level})
    looks = [_referrers_of(pair, subject, entries) for subject, entries in listed.items() if entries]
    return _joined((yield from together(looks)))


def _referrers_of(pair: Pair, subject: Digest, entries: tuple[Descriptor, ...]) -> Asking[Found]:
    """The referrers of one digest that the destination lacks. What names another subject is none of its referrers."""
    there = yield from _held(pair, subject)
    lacking: dict[Digest, int | None] = {
        entry.digest: entry.size_bytes for entry in entries if entry.digest not in there.digests
    }
    contents = yield from read_contents(Place(pair.source, "source"), lacking)
    attachments = tuple(
        Attachment(
            kind=AttachmentType.REFERRERS,
            source=Reference(pair.source, None, digest),
            destination=there.place(pair, digest),
            replaces=there.replaces,
            count=1,
        )
        for digest in lacking
        if (named := contents[digest].subject) is not None and named.digest == subject
    )
    held = [entry.digest for entry in entries if entry.digest in there.digests]
    arrived = tuple(Arrived(there.place(pair, digest), (ReadManifest(pair.destination, digest),)) for digest in held)
    return Found(attachments, contents, tuple(entry.digest for entry in entries), arrived)


@dataclass(frozen=True, slots=True)
class _Held:
    """The referrers that a destination has; `tag` is where it keeps their list, where its registry makes none."""

    digests: frozenset[Digest]
    tag: Tag | None = None
    replaces: Digest | None = None

    def place(self, pair: Pair, digest: Digest) -> Reference:
        """What one of them is written under there."""
        return Reference(pair.destination, self.tag, None if self.tag else digest)


def _held(pair: Pair, subject: Digest) -> Asking[_Held]:
    probe = HasReferrersApi(pair.destination.registry, pair.destination, subject, "destination")
    answers = yield (probe,)
    if _checked(answers[probe]):
        listed = yield from _listed({subject: ListReferrers(pair.destination, subject, "destination")})
        return _Held(frozenset(entry.digest for entry in listed[subject]))
    tag = tag_of(subject, AttachmentType.REFERRERS)
    question = ReadHead(Reference(pair.destination, tag), "destination")
    answers = yield (question,)
    head = _checked(answers[question])
    there = yield from _read_there(pair, head)
    return _Held(frozenset(_entries(there)), tag, there.digest if there is not None else None)


def _listed(asked: Mapping[Digest, ListReferrers]) -> Asking[dict[Digest, tuple[Descriptor, ...]]]:
    answers = yield tuple(asked.values())
    return {digest: _checked(answers[question]) for digest, question in asked.items()}


def _checked(answer: object) -> Any:
    if isinstance(answer, Broken):
        raise CannotRead(answer)
    return answer


def _entries(content: Content | None) -> tuple[Digest, ...]:
    return tuple(entry.digest for entry in content.successors()) if isinstance(content, Index) else ()
