"""BlobBody: the bytes of one blob as its upload wants them, part by part, and again from where it was cut."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, nullcontext

from imagesync.cancellation import Cancellation
from imagesync.errors import IntegrityError
from imagesync.manifest import Descriptor
from imagesync.store import BlobReader


class BlobBody:
    """Counts what `read` yields: a registry is never sent more or less than it was told. Close it after use."""

    def __init__(self, blob: Descriptor, read: BlobReader, cancellation: Cancellation) -> None:
        self.size_bytes = blob.size_bytes
        self.position = 0
        """How far the blob has been handed out."""
        self.is_broken = False
        """Whether it was the reader that failed, and not who was sent the bytes."""
        self._digest = blob.digest
        self._read = read
        self._cancellation = cancellation
        self._opened = ExitStack()
        self._pieces: Iterator[bytes] | None = None
        self._rest = b""

    def part(self, first: int, end: int) -> Generator[bytes, None, None]:
        """The bytes from `first` up to `end`. The reader is opened anew unless it stands there.

        Raises what the reader raises, and IntegrityError where it yields another number of bytes than the blob
        has: before the last of them, so that nothing is complete that should not be.
        """
        self._go_to(first)
        while self.position < end:
            piece = self._take(end - self.position)
            self.position += len(piece)
            if self.position == self.size_bytes:
                self._check_end()
            yield piece

    def whole(self) -> bytes:
        """All of it, for a blob that is small; kept, so that the reader is not asked again."""
        data = b"".join(self.part(0, self.size_bytes))
        self.close()
        self._read = lambda first: nullcontext(iter([data[first:]]))
        return data

    def close(self) -> None:
        self._pieces, self._rest = None, b""
        self._opened.close()

    def _go_to(self, first: int) -> None:
        if self._pieces is not None and first == self.position:
            return
        self.close()
        self.position = first
        try:
            self._pieces = self._opened.enter_context(self._read(first))
        except BaseException:
            self.is_broken = True
            raise
        if first == self.size_bytes:  # a blob without bytes
            self._check_end()

    def _take(self, most: int) -> bytes:
        piece = self._rest or self._next()
        if not piece:
            raise self._wrong(f"{self.position} bytes came")
        self._rest = piece[most:]
        return piece[:most]

    def _next(self) -> bytes:
        """The next piece that is not empty, or b"" at the end."""
        self._cancellation.check()
        assert self._pieces is not None  # noqa: S101 - `part` has opened them
        try:
            return next((piece for piece in self._pieces if piece), b"")
        except BaseException:
            self.is_broken = True
            raise

    def _check_end(self) -> None:
        if self._rest or self._next():
            raise self._wrong(f"more than {self.size_bytes} bytes came")

    def _wrong(self, what: str) -> IntegrityError:
        self.is_broken = True
        return IntegrityError(
            f"{what} where {self.size_bytes} were announced", operation="read blob", reference=str(self._digest)
        )
