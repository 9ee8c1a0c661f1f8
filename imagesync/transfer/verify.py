"""Verification: a stream of blob bytes that ends only if size and digest are right. No I/O of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from imagesync.errors import IntegrityError
from imagesync.manifest import Descriptor


def verified(chunks: Iterable[bytes], blob: Descriptor) -> Iterator[bytes]:
    """Yield the chunks while hashing them (image spec, "Verification").

    The chunk that completes the size is held back until the digest is known to be right, so that a wrong blob
    never arrives whole anywhere. Raises IntegrityError as soon as there are too many bytes, or when they end
    early or hash to another digest.
    """
    digest = hashlib.new(blob.digest.algorithm)
    seen = 0
    last = b""
    for chunk in chunks:
        if not chunk:
            continue
        if last:
            yield last
        last = chunk
        seen += len(chunk)
        if seen > blob.size_bytes:
            raise _wrong(blob, f"more than the {blob.size_bytes} bytes that its manifest says")
        digest.update(chunk)
    if seen != blob.size_bytes:
        raise _wrong(blob, f"{seen} bytes instead of {blob.size_bytes}")
    if digest.hexdigest() != blob.digest.encoded:
        raise _wrong(blob, f"bytes that hash to {blob.digest.algorithm}:{digest.hexdigest()}")
    if last:
        yield last


def _wrong(blob: Descriptor, what: str) -> IntegrityError:
    error = IntegrityError(f"blob {blob.digest.short} came with {what}", operation="GET blob")
    error.side = "source"
    return error
