"""An answer, and where its body ends (RFC 9112, 6.3 and 7.1). Its head is read by head_lines."""

from __future__ import annotations

import re
from typing import BinaryIO

from imagesync.registry.head_lines import (
    MAX_HEADER_LINES,
    MAX_LINE_BYTES,
    BadAnswer,
    CutAnswer,
    read_headers,
    read_status,
)
from imagesync.registry.headers import Headers

MAX_INTERIM_ANSWERS = 100
MAX_CHUNKING_BYTES = 64 * 1024
"""How much longer the lines around chunks may be, all together, than what is in them: a chunk of one letter costs us a
hundred times what it costs to send."""
_SWITCHING_PROTOCOLS = 101
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


class FramedAnswer:
    """An answer that knows how long it is. Before `begin` there is nothing but its stream."""

    status: int
    fields: Headers
    """Its headers."""
    will_close: bool
    """Whether no further answer will come on this connection."""

    def __init__(self, stream: BinaryIO, method: str) -> None:
        self.stream = stream
        self.is_ended = False
        """Whether the body was read to its end, and nothing beyond."""
        self._asked_by = method
        self._is_chunked = False
        self._left: int | None = None
        """Bytes that are left of the body, or of a chunk; None where only its end will say, or before the first one."""
        self._chunking_bytes = 0
        """By how much the lines around chunks are longer than what is in them."""

    def begin(self) -> None:
        """Read the head; interim answers before it are passed over."""
        minor, self.status = self._read_status()
        self.fields = read_headers(self.stream)
        if self._asked_by == "HEAD" or self.status < 200 or self.status in (204, 304):
            self._left = 0
        elif self.fields.get("Transfer-Encoding", "").lower() == "chunked":
            self._is_chunked = True
        else:
            self._left = _content_length(self.fields)
        self.will_close = self._is_last(minor)

    def read(self, size_bytes: int) -> bytes:
        """At most so many bytes, none at the end. Raises CutAnswer where fewer come than were announced."""
        if self.is_ended:
            return b""
        return self._read_chunks(size_bytes) if self._is_chunked else self._read_plain(size_bytes)

    def close(self) -> None:
        """Let go of the stream; the socket is its owner's to close."""
        self.stream.close()

    def _read_status(self) -> tuple[int, int]:
        for _ in range(MAX_INTERIM_ANSWERS):
            minor, status = read_status(self.stream)
            if status >= 200 or status == _SWITCHING_PROTOCOLS:
                return minor, status
            read_headers(self.stream)
        raise BadAnswer(f"over {MAX_INTERIM_ANSWERS} interim answers")

    def _read_plain(self, size_bytes: int) -> bytes:
        if self._left is None:
            piece = self.stream.read(size_bytes)
            if not piece:
                self._end()
            return piece
        piece = self.stream.read(min(size_bytes, self._left))
        if self._left and not piece:
            raise CutAnswer
        self._left -= len(piece)
        if not self._left:
            self._end()
        return piece

    def _read_chunks(self, size_bytes: int) -> bytes:
        """Copied together as they come: kept apart, small ones would take many times their length."""
        pieces = bytearray()
        while len(pieces) < size_bytes and (left := self._left_of_chunk()):
            wanted = min(size_bytes - len(pieces), left)
            piece = self.stream.read(wanted)
            if len(piece) < wanted:
                raise CutAnswer
            self._left = left - wanted
            if wanted == size_bytes:
                return piece
            pieces += piece
        return bytes(pieces)

    def _left_of_chunk(self) -> int:
        """Bytes that are left of this chunk, or of the next one; 0 at the end of all."""
        if self._left:
            return self._left
        if self._left == 0 and self.stream.readline(3) not in (b"\r\n", b"\n"):
            raise CutAnswer
        line = self.stream.readline(MAX_LINE_BYTES)
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            raise CutAnswer
        self._left = int(size[1], 16)
        self._count_chunking(len(line) + 2)
        if not self._left:
            _skip_trailers(self.stream)
            self._end()
        return self._left

    def _count_chunking(self, size_bytes: int) -> None:
        """Another chunk begins, with so many bytes of lines around it."""
        self._chunking_bytes = max(0, self._chunking_bytes + size_bytes - (self._left or 0))
        if self._chunking_bytes > MAX_CHUNKING_BYTES:
            raise BadAnswer("a body in chunks so small that their lengths are longer than they are")

    def _end(self) -> None:
        self.is_ended = True
        self.stream.close()

    def _is_last(self, minor: int) -> bool:
        connection = self.fields.get("Connection", "").lower()
        if "close" in connection or (not minor and "keep-alive" not in connection):
            return True
        return self._left is None and not self._is_chunked


def _skip_trailers(stream: BinaryIO) -> None:
    """What follows the last chunk. Some servers hang up there: the body is whole all the same."""
    for _ in range(MAX_HEADER_LINES):
        if stream.readline(MAX_LINE_BYTES) in (b"\r\n", b"\n", b""):
            return
    raise BadAnswer(f"over {MAX_HEADER_LINES} lines after the last chunk")


def _content_length(fields: Headers) -> int | None:
    """What Content-Length says; None where that is no number. Two that differ are an attack, or a broken proxy."""
    values = {value.strip() for value in fields.get("Content-Length", "").split(",")}
    if len(values) > 1:
        raise BadAnswer("more than one Content-Length")
    value = values.pop()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else None
