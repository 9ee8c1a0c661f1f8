"""The headers of a tar, one after the other, in the forms that POSIX, GNU and older programs write.

Not the standard library's reader: that one follows chains of global headers and maps of sparse files into as much
memory as a tar asks for, and takes a damaged header for the end. Whatever is odd here is an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from imagesync.errors import IntegrityError, LimitError
from imagesync.lazy import dataclass, replace

BLOCK_BYTES = 512
MAX_EXTENDED_BYTES = 1024 * 1024
"""Extended headers and long names are read whole into memory: this much of each."""
REGULAR = frozenset({b"0", b"\0", b"7"})
DIRECTORY, SYMBOLIC_LINK = b"5", b"2"
_PAX, _GLOBAL, _SOLARIS, _LONG_NAME, _LONG_LINK = b"x", b"g", b"X", b"L", b"K"
_LONG = {_LONG_NAME: "path", _LONG_LINK: "linkpath"}
_EXTENDED = frozenset({_PAX, _GLOBAL, _SOLARIS, *_LONG})
_AMENDED = frozenset({"path", "linkpath", "size"})
"""What an extended header says of a member that matters here."""
_MAX_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Header:
    """One member: its name as written, what it is, what it links to, and where its bytes stand."""

    name: str
    kind: bytes
    link: str
    size_bytes: int
    offset: int

    @property
    def end(self) -> int:
        """Where the next header stands."""
        return self.offset + -(-self.size_bytes // BLOCK_BYTES) * BLOCK_BYTES


def read_headers(file: BinaryIO) -> Iterator[Header]:
    """Every member in the order of the tar, what extended headers say of it taken in.

    Raises IntegrityError for a tar that is damaged or cut, LimitError for an extended header that is too large.
    """
    end = file.seek(0, os.SEEK_END)
    said: dict[str, str] = {}
    at = 0
    while any(block := _block(file, at)):
        found = _parsed(block, at + BLOCK_BYTES)
        if found.kind in _EXTENDED:
            _check_whole(found, end)
            said |= _extended(file, found)
        else:
            found, said = _amended(found, said), {}
            _check_whole(found, end)
            yield found
        at = found.end
    if said:
        raise IntegrityError("is damaged: its last header speaks of a file that is not there")


def _block(file: BinaryIO, at: int) -> bytes:
    file.seek(at)
    block = file.read(BLOCK_BYTES)
    if len(block) < BLOCK_BYTES:
        raise IntegrityError("was cut: its end is not marked" if at else "is damaged, or no tar")
    return block


def _parsed(block: bytes, offset: int) -> Header:
    sums = {sum(block) - sum(block[148:156]) + 8 * ord(" ")}
    sums.add(next(iter(sums)) - 256 * sum(byte > 127 for byte in block[:148] + block[156:]))  # old programs add signed
    if _number(block[148:156]) not in sums:
        raise IntegrityError("is damaged, or no tar")
    name, prefix = _text(block[:100]), _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    kind = block[156:157]
    if kind == b"\0" and name.endswith("/"):
        kind = DIRECTORY
    full = f"{prefix}/{name}" if prefix else name
    return Header(full, kind, _text(block[157:257]), _number(block[124:136]), offset)


def _extended(file: BinaryIO, header: Header) -> dict[str, str]:
    """What an extended header says of the member after it. What a global one says of all may not touch any."""
    if header.size_bytes > MAX_EXTENDED_BYTES:
        message = f"holds an extended header of {header.size_bytes} bytes: {MAX_EXTENDED_BYTES} are read"
        raise LimitError(message)
    body = file.read(header.size_bytes)
    if header.kind in _LONG:
        return {_LONG[header.kind]: _text(body)}
    said = dict(_records(body))
    if any(key.startswith("GNU.sparse.") for key in said):
        raise IntegrityError("holds a sparse file")
    kept = {key: text for key, text in said.items() if key in _AMENDED and text}
    if kept and header.kind == _GLOBAL:
        raise IntegrityError("gives one name or size to all of its files")
    return kept


def _records(body: bytes) -> Iterator[tuple[str, str]]:
    """`LENGTH KEY=VALUE`, one a line; the length is of all of it."""
    at = 0
    while at < len(body):
        digits, space, _ = body[at : at + _MAX_DIGITS].partition(b" ")
        length = int(digits) if space and digits.isdigit() else 0
        key, equals, value = body[at + len(digits) + 1 : at + length - 1].partition(b"=")
        if not equals or body[at + length - 1 : at + length] != b"\n":
            raise IntegrityError("is damaged: an extended header breaks its form")
        yield _decoded(key), _decoded(value)
        at += length


def _amended(header: Header, said: Mapping[str, str]) -> Header:
    size = said.get("size")
    if size is not None and not (size.isascii() and size.isdigit() and len(size) <= _MAX_DIGITS):
        raise IntegrityError("is damaged: an extended header breaks its form")
    changed = replace(
        header,
        name=said.get("path", header.name),
        link=said.get("linkpath", header.link),
        size_bytes=header.size_bytes if size is None else int(size),
    )
    if changed.kind not in REGULAR and changed.size_bytes:
        raise IntegrityError(f"holds {changed.name[:120]!a}, which is no file and has a size")
    return changed


def _check_whole(header: Header, end: int) -> None:
    if header.offset + header.size_bytes > end:
        raise IntegrityError(f"was cut: {header.name[:120]!a} is not whole")


def _number(field: bytes) -> int:
    """Octal digits, or where the first bit is set the rest as one number. Raises IntegrityError."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip()
    if field[0] > 0x80 or not all(byte in b"01234567" for byte in digits):
        raise IntegrityError("is damaged: a number in a header is none, or negative")
    return int(digits or b"0", 8)


def _text(field: bytes) -> str:
    return _decoded(field.partition(b"\0")[0])


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
