"""Blobs that a survey reads whole: small ones, hashed, for what decides whether an image is copied."""

from __future__ import annotations

from imagesync.errors import IntegrityError, LimitError, StoreError
from imagesync.manifest import Descriptor
from imagesync.store import BlobFetcher
from imagesync.transfer.verify import verified


def read_blob(store: BlobFetcher, blob: Descriptor, max_bytes: int) -> bytes:
    """The bytes; what does not match or fails for a moment is read once more, as any blob is. Raises StoreError."""
    if blob.size_bytes > max_bytes:
        raise LimitError(f"blob {blob.digest.short} has {blob.size_bytes} bytes: at most {max_bytes} are read")
    if blob.data is not None:
        return blob.data
    try:
        return _read_once(store, blob)
    except StoreError as error:
        if not error.is_transient and not isinstance(error, IntegrityError):
            raise
        return _read_once(store, blob)


def _read_once(store: BlobFetcher, blob: Descriptor) -> bytes:
    with store.fetch_blob(blob) as pieces:
        return b"".join(verified(pieces, blob))
