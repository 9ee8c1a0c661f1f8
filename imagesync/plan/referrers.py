"""Referrers: what registries and layouts list of a digest, and what of it a destination lacks. Pure.

A destination that makes no such list keeps it under a tag, where clients do that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from imagesync.lazy import dataclass
from imagesync.manifest import Content, Descriptor, Index
from imagesync.plan.attachments import is_record, tag_of
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.found import Arrived, Found, joined, unknown
from imagesync.plan.inventory import Attachment, Broken, Head, Pair, Present
from imagesync.plan.questions import Asking, HasReferrersApi, ListReferrers, ReadHead, ReadManifest, together
from imagesync.reference import Digest, Reference, Tag
from imagesync.spec.model import AttachmentType


def as_referrers(pair: Pair, level: Iterable[Digest]) -> Asking[Found]:
    """What the source lists as referrers of these digests."""
    listed = yield from _listed({digest: ListReferrers(pair.source, digest, "source") for digest in level})
    looks = [referrers_of(pair, subject, entries) for subject, entries in listed.items() if entries]
    return joined((yield from together(looks)))


def referrers_of(pair: Pair, subject: Digest, listed: Iterable[Descriptor]) -> Asking[Found]:
    """The referrers of one digest that the destination lacks. What names another subject is none of its referrers, and
    a record stays where what it says has happened."""
    entries = [entry for entry in listed if entry.is_manifest and not is_record(entry)]
    if not entries:
        return Found()
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
        if (named := contents[digest].subject) is not None
        and named.digest == subject
        and not is_record(contents[digest].descriptor)
    )
    held = [entry.digest for entry in entries if entry.digest in there.digests]
    arrived = tuple(Arrived(there.place(pair, digest), (ReadManifest(pair.destination, digest),)) for digest in held)
    return Found(attachments, contents, tuple(entry.digest for entry in entries), arrived)


def list_entry(pair: Pair, root: Content) -> Asking[Found | Broken]:
    """What has to be brought for an image that names a subject itself: its entry in the list of that, where the
    destination's registry makes none (distribution spec, "Pushing Manifests with Subject")."""
    if root.subject is None or AttachmentType.REFERRERS not in pair.kinds:
        return Found()
    try:
        there = yield from _held(pair, root.subject.digest)
    except CannotRead as error:
        return unknown(error.broken)
    if there.tag is None or root.digest in there.digests:
        return Found()
    source = Reference(pair.source, None, root.digest)
    place = there.place(pair, root.digest)
    return Found((Attachment(AttachmentType.REFERRERS, source, place, there.replaces, count=1),))


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
    there = yield from read_there(pair, head)
    return _Held(frozenset(entries_of(there)), tag, there.digest if there is not None else None)


def _listed(asked: Mapping[Digest, ListReferrers]) -> Asking[dict[Digest, tuple[Descriptor, ...]]]:
    answers = yield tuple(asked.values())
    return {digest: _checked(answers[question]) for digest, question in asked.items()}


def _checked(answer: object) -> Any:
    if isinstance(answer, Broken):
        raise CannotRead(answer)
    return answer


def read_there(pair: Pair, head: Head) -> Asking[Content | None]:
    """What the destination has under a tag, without what that lists. No pull is counted there."""
    if not isinstance(head, Present):
        return None
    place, digest = Place(pair.destination, "destination"), head.descriptor.digest
    contents = yield from read_contents(place, {digest: None}, is_read=lambda _entry: False)
    return contents[digest]


def entries_of(content: Content | None) -> tuple[Digest, ...]:
    """What an index lists."""
    return tuple(entry.digest for entry in content.successors()) if isinstance(content, Index) else ()
