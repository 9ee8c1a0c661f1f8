"""The lines of an answer's head, read strictly: what is no HTTP is refused, and nothing is guessed (RFC 9112, 4, 5).

http.client reads them with a parser for e-mails. That is slow, also to import, and takes a bare CR for the end of a
line.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from imagesync.registry.headers import Headers

MAX_LINE_BYTES = 64 * 1024
MAX_HEADER_LINES = 100
"""The empty one at their end counts too."""
MAX_HEAD_BYTES = 512 * 1024

_STATUS = re.compile(r"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: [^\r\0]*)?")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\0]*)")


class BadAnswer(Exception):
    """What came is no HTTP."""


class CutAnswer(Exception):
    """An answer ended before its end, or does not say where its next chunk ends."""

    def __init__(self) -> None:
        super().__init__("the answer was cut off")


def read_status(stream: BinaryIO) -> tuple[int, int]:
    """The minor version of HTTP/1, and the status. Raises ConnectionResetError where nothing came at all."""
    line = _read_line(stream, at_end=ConnectionResetError("closed without an answer"))
    match = _STATUS.fullmatch(line)
    if match is None:
        raise BadAnswer(f"no status line: {line}")
    return int(match[1]), int(match[2])


def read_headers(stream: BinaryIO) -> Headers:
    """The headers up to the empty line, those that come twice kept twice. A folded value becomes one line."""
    lines: list[str] = []
    left = MAX_HEAD_BYTES
    for _ in range(MAX_HEADER_LINES):
        line = _read_line(stream, at_end=CutAnswer())
        left -= len(line)
        if left < 0:
            raise BadAnswer(f"headers of over {MAX_HEAD_BYTES} bytes")
        if not line:
            return Headers(map(_parsed, lines))
        if line[0] in " \t" and lines:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    raise BadAnswer(f"over {MAX_HEADER_LINES} header lines")


def _parsed(line: str) -> tuple[str, str]:
    match = _HEADER.fullmatch(line)
    if match is None:
        raise BadAnswer(f"no header: {line}")
    return match[1], match[2].strip(" \t")


def _read_line(stream: BinaryIO, *, at_end: Exception) -> str:
    """One line without its end, which is CRLF, or LF alone (RFC 9112, 2.2)."""
    line = stream.readline(MAX_LINE_BYTES + 1)
    if line.endswith(b"\n"):
        return str(line[:-2] if line.endswith(b"\r\n") else line[:-1], "latin-1")
    if len(line) > MAX_LINE_BYTES:
        raise BadAnswer(f"a line of over {MAX_LINE_BYTES} bytes")
    raise CutAnswer if line else at_end
