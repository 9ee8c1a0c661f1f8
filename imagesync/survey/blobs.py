"""Blobs that a survey reads whole: small ones, hashed, for what decides whether an image may be copied."""

from __future__ import annotations

from imagesync.errors import IntegrityError, LimitError
from imagesync.plan.questions import ReadBlob
from imagesync.store import BlobFetcher
from imagesync.transfer.verify import verified


def read_blob(store: BlobFetcher, question: ReadBlob) -> bytes:
    """The bytes; those that do not match are read once more, as those of any blob are. Raises StoreError."""
    blob = question.blob
    if blob.size_bytes > question.max_bytes:
        raise LimitError(f"blob {blob.digest.short} has {blob.size_bytes} bytes: at most {question.max_bytes} are read")
    if blob.data is not None:
        return blob.data
    try:
        return _read_once(store, question)
    except IntegrityError:
        return _read_once(store, question)


def _read_once(store: BlobFetcher, question: ReadBlob) -> bytes:
    with store.fetch_blob(question.blob) as pieces:
        return b"".join(verified(pieces, question.blob))
