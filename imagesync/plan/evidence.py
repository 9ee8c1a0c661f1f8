"""Evidence: what a source has that may prove something of a digest, under cosign's tags and as referrers. Pure.

It asks as the search for attachments does, so that what both want to know is read once.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any, cast

from imagesync.errors import IntegrityError, InvalidManifest, LimitError, NotFoundError, ProtocolError, UnsupportedError
from imagesync.manifest import Content, Descriptor, Index
from imagesync.plan.attachments import tag_of
from imagesync.plan.contents import CannotRead
from imagesync.plan.image import AttachmentTags
from imagesync.plan.inventory import Broken, NotRead, Present
from imagesync.plan.questions import (
    Asking,
    HasReferrersApi,
    ListAttachmentTags,
    ListReferrers,
    ReadBlob,
    ReadHead,
    ReadManifest,
    together,
)
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.signature import Evidence, LeftUnread, Rejected, pieces_of
from imagesync.signature.evidence import MAX_BYTES, first_of
from imagesync.spec.model import AttachmentType

MAX_REFERRERS = 200
_DAMAGED = {
    error.kind
    for error in (IntegrityError, InvalidManifest, LimitError, NotFoundError, ProtocolError, UnsupportedError)
}
"""A piece that is bad proves nothing, and takes nothing from another. Any other failure leaves all of it unknown."""
Piece = Evidence | Rejected
Speaking = Content | Rejected
"""A manifest that may hold pieces, or why it is not looked into."""


def read_spoken(
    repository: Repository, digest: Digest, known_tags: AttachmentTags
) -> Asking[tuple[Piece, ...] | Broken]:
    """Every piece, good or bad; Broken where the registry does not say."""
    listing = ListAttachmentTags(repository)
    probe = HasReferrersApi(repository.registry, repository, digest, "source")
    tags = known_tags.get(repository)
    try:
        answers = yield (probe, *([listing] if tags is None else []))
        has_api, tags = _checked(answers[probe]), _checked(answers[listing] if tags is None else tags)
        under_tags = [tag for tag in _tags(digest) if tag in tags]
        asking = [_under_tag(repository, tag) for tag in under_tags]
        asking.append(_listed(repository, digest) if has_api else _listed_under_tag(repository, digest, tags))
        found = yield from together(asking)
        return (yield from _pieces(repository, chain.from_iterable(found)))
    except CannotRead as error:
        return error.broken


def _tags(digest: Digest) -> tuple[Tag, ...]:
    return (tag_of(digest, AttachmentType.SIGNATURES), tag_of(digest, AttachmentType.ATTESTATIONS))


def _under_tag(repository: Repository, tag: Tag) -> Asking[tuple[Speaking, ...]]:
    question = ReadHead(Reference(repository, tag), "source")
    answers = yield (question,)
    head = _checked(answers[question])
    return ((yield from _manifest(repository, head.descriptor.digest)),) if isinstance(head, Present) else ()


def _listed(repository: Repository, digest: Digest) -> Asking[tuple[Speaking, ...]]:
    question = ListReferrers(repository, digest, "source")
    answers = yield (question,)
    return (yield from _of_entries(repository, _checked(answers[question])))


def _listed_under_tag(repository: Repository, digest: Digest, tags: Iterable[Tag]) -> Asking[tuple[Speaking, ...]]:
    tag = tag_of(digest, AttachmentType.REFERRERS)
    if tag not in tags:
        return ()
    head_question = ReadHead(Reference(repository, tag), "source")
    answers = yield (head_question,)
    head = _checked(answers[head_question])
    if not isinstance(head, Present):
        return ()
    question = ReadManifest(repository, head.descriptor.digest)
    answers = yield (question,)
    index = _usable(answers[question])
    if isinstance(index, Rejected):
        return (index,)
    entries = [entry for entry in index.successors() if entry.is_manifest] if isinstance(index, Index) else []
    return (yield from _of_entries(repository, entries))


def _of_entries(repository: Repository, entries: Iterable[Descriptor]) -> Asking[tuple[Speaking, ...]]:
    """The type that a list states is not believed: each one is opened."""
    digests = [entry.digest for entry in entries]
    more = [LeftUnread(f"{len(digests)} referrers: the first {MAX_REFERRERS} are read")]
    found = yield from together([_manifest(repository, digest) for digest in digests[:MAX_REFERRERS]])
    return (*found, *(more if len(digests) > MAX_REFERRERS else ()))


def _manifest(repository: Repository, digest: Digest) -> Asking[Speaking]:
    question = ReadManifest(repository, digest)
    answers = yield (question,)
    return cast(Speaking, _usable(answers[question]))


def _pieces(repository: Repository, found: Iterable[Speaking]) -> Asking[tuple[Piece, ...]]:
    """What all of these manifests hold. How much that is, is known before any of it is read."""
    held = ([one] if isinstance(one, Rejected) else pieces_of(one) for one in found)
    pieces = tuple(first_of(chain.from_iterable(held)))
    asked = {
        layer: ReadBlob(repository, layer.digest, layer, MAX_BYTES)
        for layer in pieces
        if not isinstance(layer, Rejected)
    }
    answers = yield tuple(asked.values())
    return tuple(piece if isinstance(piece, Rejected) else _opened(piece, answers[asked[piece]]) for piece in pieces)


def _opened(layer: Descriptor, answer: bytes | Broken) -> Piece:
    body = _usable(answer)
    return body if isinstance(body, Rejected) else Evidence.of(layer, body)


def _usable(answer: Any) -> Any:
    """What was read, or a rejection of what is damaged. Raises CannotRead where the registry did not say."""
    if not isinstance(answer, Broken):
        return answer
    if isinstance(answer, NotRead) or answer.kind not in _DAMAGED:
        raise CannotRead(answer)
    return Rejected(answer.reason)


def _checked(answer: Any) -> Any:
    if isinstance(answer, Broken):
        raise CannotRead(answer)
    return answer
