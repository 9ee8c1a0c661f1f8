"""Verification: a stream of blob bytes that ends only if size and digest are right. No I/O of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from imagesync.errors import IntegrityError
from imagesync.manifest import Descriptor

CHECKPOINT_BYTES = 8 * 1024 * 1024
"""How much is read again at most, beyond what is wanted, when a blob is read again from the middle on."""


class Verification:
    """The hash of one blob as its bytes come, over however many connections (image spec, "Verification").

    Each piece is given out when the next has come, the last one only by `finish`, when size and digest are known
    to be right: a wrong blob never arrives whole anywhere.
    """

    def __init__(self, blob: Descriptor) -> None:
        self.blob = blob
        self.seen_bytes = 0
        self._hash = hashlib.new(blob.digest.algorithm)
        self._checkpoints = [(0, self._hash.copy())]
        self._held = b""

    def rewind(self, byte: int) -> int:
        """Go back to the last checkpoint that is not behind this byte, and return where that is: read from there."""
        while self._checkpoints[-1][0] > byte:
            self._checkpoints.pop()
        self.seen_bytes, passed = self._checkpoints[-1]
        self._hash, self._held = passed.copy(), b""
        return self.seen_bytes

    def take(self, piece: bytes) -> bytes:
        """Hash a piece and return the one before it. Raises IntegrityError as soon as there are too many bytes."""
        self.seen_bytes += len(piece)
        if self.seen_bytes > self.blob.size_bytes:
            raise self._wrong(f"more than the {self.blob.size_bytes} bytes that its manifest says")
        self._hash.update(piece)
        if self.seen_bytes - self._checkpoints[-1][0] >= CHECKPOINT_BYTES:
            self._checkpoints.append((self.seen_bytes, self._hash.copy()))
        before, self._held = (self._held, piece) if piece else (b"", self._held)
        return before

    def finish(self) -> bytes:
        """The last piece. Raises IntegrityError where the bytes ended early or hash to another digest."""
        if self.seen_bytes != self.blob.size_bytes:
            raise self._wrong(f"{self.seen_bytes} bytes instead of {self.blob.size_bytes}")
        if self._hash.hexdigest() != self.blob.digest.encoded:
            raise self._wrong(f"bytes that hash to {self.blob.digest.algorithm}:{self._hash.hexdigest()}")
        return self._held

    def _wrong(self, what: str) -> IntegrityError:
        error = IntegrityError(f"blob {self.blob.digest.short} came with {what}", operation="GET blob")
        error.side = "source"
        return error


def verified(pieces: Iterable[bytes], blob: Descriptor) -> Iterator[bytes]:
    """Yield the pieces of a blob while checking them. Raises IntegrityError before the last."""
    check = Verification(blob)
    for piece in pieces:
        if before := check.take(piece):
            yield before
    if last := check.finish():
        yield last
