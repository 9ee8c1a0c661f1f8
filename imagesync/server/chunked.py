"""ChunkedBody: a request body in chunked transfer coding, read in pieces however long a chunk says that it is.

RFC 9112, 7.1. cheroot's own reader takes a whole chunk into memory, and a client chooses how long that is.
"""

from __future__ import annotations

from typing import BinaryIO

MAX_LINE_BYTES = 256


class ChunkedBody:
    """Reads from `stream`, the connection, up to the end of one body and not beyond it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = 0
        self._is_first = True
        self._is_done = False

    def read(self, size: int | None = None) -> bytes:
        """At most `size` bytes, fewer only at the end. Raises ConnectionError where the coding is broken or cut."""
        parts, wanted = [], size
        while (wanted is None or wanted > 0) and self._has_more():
            part = self._stream.read(self._left if wanted is None else min(wanted, self._left))
            if not part:
                raise ConnectionAbortedError("the body was cut")
            self._left -= len(part)
            wanted = None if wanted is None else wanted - len(part)
            parts.append(part)
        return b"".join(parts)

    def _has_more(self) -> bool:
        """Whether a chunk has bytes left; goes on to the next one where it has not."""
        if self._left == 0 and not self._is_done:
            if not self._is_first and self._line():
                raise ConnectionAbortedError("a chunk does not end where it said")
            self._is_first = False
            self._left = _length(self._line())
            if self._left == 0:
                self._finish()
        return self._left > 0

    def _finish(self) -> None:
        self._is_done = True
        while self._line():  # trailers, up to the empty line
            continue

    def _line(self) -> bytes:
        line = self._stream.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError("the body was cut, or a line in it is too long")
        return line.rstrip(b"\r\n")


def _length(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
        raise ConnectionAbortedError("the length of a chunk is not a number")
    return int(digits, 16)
