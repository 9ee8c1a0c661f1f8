"""What a repository has to be able to do for a state to be kept in it, and how its artifacts are moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from imagesync.errors import IntegrityError, NotFoundError, UnsupportedError
from imagesync.keeping.artifact import Artifact
from imagesync.manifest import Descriptor, digest_of
from imagesync.reference import Digest, Tag
from imagesync.store import (
    CHUNK_BYTES,
    BlobChecker,
    BlobFetcher,
    BlobPusher,
    BlobReader,
    ManifestDeleter,
    ManifestFetcher,
    ManifestPusher,
    TagDeleter,
    TagLister,
)

MAX_DELETED = 200
"""By one run: the next one goes on."""


class StateStore(
    TagLister,
    ManifestFetcher,
    BlobFetcher,
    BlobChecker,
    BlobPusher,
    ManifestPusher,
    TagDeleter,
    ManifestDeleter,
    Protocol,
):
    """A repository that a state can be kept in."""


def fetch(store: StateStore, layer: Descriptor) -> bytes:
    """A layer's bytes, out of the manifest where they stand there."""
    if layer.data is not None:
        return layer.data
    raw = bytearray()
    with store.fetch_blob(layer) as pieces:
        for piece in pieces:
            raw += piece
            if len(raw) > layer.size_bytes:
                break
    if len(raw) != layer.size_bytes or digest_of(bytes(raw), layer.digest.algorithm) != layer.digest:
        raise IntegrityError(f"blob {layer.digest} of the state has other bytes")
    return bytes(raw)


def push(store: StateStore, artifact: Artifact, tag: Tag) -> None:
    for blob, body in artifact.blobs.items():
        if not store.has_blob(blob):
            store.push_blob(blob, _reader_of(body))
    store.push_manifest(artifact.manifest, tag)


def delete_all(store: StateStore, tags: Mapping[Tag, Digest | None]) -> None:
    """Delete what a fold stands for, until the registry says that it cannot."""
    for tag, digest in list(tags.items())[:MAX_DELETED]:
        try:
            _delete(store, tag, digest)
        except NotFoundError:  # another run has folded it, too
            continue
        except UnsupportedError:
            return


def _delete(store: StateStore, tag: Tag, digest: Digest | None) -> None:
    """By its name, else by its digest, which no other tag has."""
    try:
        store.delete_tag(tag)
    except UnsupportedError:
        store.delete_manifest(digest if digest is not None else store.fetch_manifest(tag).digest)


def _reader_of(body: bytes) -> BlobReader:
    @contextmanager
    def read(start: int) -> Iterator[Iterator[bytes]]:
        yield (body[at : at + CHUNK_BYTES] for at in range(start, len(body), CHUNK_BYTES))

    return read
