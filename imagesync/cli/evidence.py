"""Reading evidence: what a repository holds that speaks of one digest, under cosign's tags and as referrers."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.errors import IntegrityError, InvalidManifest, NotFoundError, ProtocolError, UnsupportedError
from imagesync.lazy import dataclass
from imagesync.manifest import Content, Descriptor, Index
from imagesync.plan.attachments import tag_of
from imagesync.reference import Digest, Tag
from imagesync.signature import Evidence, LeftUnread, Rejected, pieces_of
from imagesync.signature.evidence import MAX_ALL_BYTES
from imagesync.spec.model import AttachmentType
from imagesync.store import Readable
from imagesync.transfer.verify import verified

MAX_REFERRERS = 200
_DAMAGED = (IntegrityError, InvalidManifest, NotFoundError, ProtocolError, UnsupportedError)
"""A thing that is bad proves nothing. Where the registry fails nothing can be said: any other error is raised."""


@dataclass(frozen=True, slots=True)
class Found:
    """One piece of evidence, or why it was not read; `where` is its tag, or the digest of its manifest."""

    where: Tag | Digest
    piece: Evidence | Rejected


def read_evidence(store: Readable, digest: Digest) -> Iterator[Found]:
    """What may prove something of this digest, each piece read when it is asked for, and no more than MAX_ALL_BYTES of
    all. Raises StoreError."""
    left = MAX_ALL_BYTES
    for found in _all(store, digest):
        yield found
        left -= len(found.piece.body) if isinstance(found.piece, Evidence) else 0
        if left < 0:
            yield Found(digest, LeftUnread(f"what speaks of it has over {MAX_ALL_BYTES} bytes: the first are read"))
            return


def _all(store: Readable, digest: Digest) -> Iterator[Found]:
    for kind in (AttachmentType.SIGNATURES, AttachmentType.ATTESTATIONS):
        yield from _under(store, tag_of(digest, kind))
    try:
        referrers = _referrers(store, digest)
    except _DAMAGED as error:
        yield Found(digest, Rejected(f"its list of referrers cannot be read: {error.message}"))
        return
    for entry in referrers[:MAX_REFERRERS]:  # the type that a list states is not believed: each one is opened
        yield from _under(store, entry.digest)
    if len(referrers) > MAX_REFERRERS:
        yield Found(digest, Rejected(f"{len(referrers)} referrers: the first {MAX_REFERRERS} are read"))


def _referrers(store: Readable, digest: Digest) -> tuple[Descriptor, ...]:
    listed = store.list_referrers(digest)
    if listed is not None:
        return listed
    try:
        index = store.fetch_manifest(tag_of(digest, AttachmentType.REFERRERS))
    except NotFoundError:
        return ()
    return tuple(entry for entry in index.successors() if entry.is_manifest) if isinstance(index, Index) else ()


def _under(store: Readable, target: Tag | Digest) -> Iterator[Found]:
    try:
        manifest = store.fetch_manifest(target)
    except _DAMAGED as error:
        if not (isinstance(error, NotFoundError) and isinstance(target, Tag)):  # most images lack such a tag
            yield Found(target, Rejected(error.message))
        return
    yield from _pieces(store, target, manifest)


def _pieces(store: Readable, where: Tag | Digest, manifest: Content) -> Iterator[Found]:
    for layer in pieces_of(manifest):
        yield Found(where, layer if isinstance(layer, Rejected) else _read(store, layer))


def _read(store: Readable, layer: Descriptor) -> Evidence | Rejected:
    try:
        with store.fetch_blob(layer) as chunks:
            return Evidence.of(layer, b"".join(verified(chunks, layer)))
    except _DAMAGED as error:
        return Rejected(error.message)
