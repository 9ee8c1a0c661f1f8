"""A tar that is read where it lies: its members are listed once, and each is opened by its name. Nothing is extracted.

Devices, hard links, sparse files, names and links that lead out, and names that stand twice make the whole tar one that
is not read.
"""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from imagesync.archive.tar import DIRECTORY, REGULAR, SYMBOLIC_LINK, Header, read_headers
from imagesync.errors import IntegrityError, LimitError, NotFoundError, StoreError, UnsupportedError
from imagesync.layout.files import file_errors, open_regular
from imagesync.lazy import dataclass

MAX_MEMBERS = 200_000
MAX_NAME_LENGTH = 4096
MAX_NAMES_LENGTH = 16 * 1024 * 1024
"""Of all names and links together: they are kept in memory."""
MAX_LINKS = 8
"""Links that lead to links, one after the other."""
_COMPRESSED = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZ": ("bzip2", "bunzip2"),
    b"\xfd7": ("xz", "unxz"),
    b"\x28\xb5": ("zstd", "unzstd"),
}
_READ = "read archive"


@dataclass(frozen=True, slots=True)
class Member:
    """Where the bytes of one file stand in the tar."""

    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Members:
    """The regular files of a tar by name, and its symbolic links: the name that each leads to."""

    files: Mapping[str, Member]
    links: Mapping[str, str]


class Archive:
    """A tar and what messages call it. May be used by threads."""

    def __init__(self, file: Path, name: str) -> None:
        self.file = file
        self.name = name
        self._members: Members | None = None
        self._lock = threading.Lock()

    def members(self) -> Members:
        """Raises as list_members does."""
        with self._lock:
            if self._members is None:
                with self.naming_itself():
                    self._members = list_members(self.file, self.name)
            return self._members

    @contextmanager
    def naming_itself(self) -> Iterator[None]:
        """Let errors of what is only looked at as bytes or text say in which tar they were found."""
        try:
            yield
        except StoreError as error:
            error.operation, error.reference = error.operation or _READ, error.reference or self.name
            raise

    def find(self, name: str) -> Member | None:
        """The file of this name, None where there is none. Raises as `members` does."""
        return self.members().files.get(name)

    def followed(self, name: str) -> str:
        """The name of the file that links lead to from this one. Raises IntegrityError where they go in a circle."""
        links, first = self.members().links, name
        for _ in range(MAX_LINKS):
            if name not in links:
                return name
            name = links[name]
        message = f"holds {_shown(first)}, a link that comes to no end"
        raise IntegrityError(message, operation=_READ, reference=self.name)

    @contextmanager
    def open(self, name: str, reference: str) -> Iterator[BinaryIO]:
        """The bytes of a file. Raises NotFoundError, in which `reference` is what was looked for."""
        member = self.find(name)
        if member is None:
            raise NotFoundError("not in the archive", operation="read", reference=reference)
        with file_errors("read", reference):
            file = open_regular(self.file.resolve())
        with file:
            yield cast(BinaryIO, _Part(file, member))

    def read(self, name: str, max_bytes: int) -> bytes:
        """All of a file. Raises NotFoundError, LimitError."""
        with self.open(name, f"{self.name}/{name}") as file:
            raw = file.read(max_bytes + 1)
        if len(raw) > max_bytes:
            raise LimitError(f"{_shown(name)} is larger than {max_bytes} bytes", operation=_READ, reference=self.name)
        return raw


class _Part(RawIOBase):
    """The bytes of one member as a file to read from."""

    def __init__(self, file: BinaryIO, member: Member) -> None:
        self._file = file
        self._left = member.size_bytes
        file.seek(member.offset)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


def list_members(file: Path, reference: str) -> Members:
    """What is in a tar, names without a leading `./`. `reference` is what messages call the tar.

    Raises IntegrityError for what no archive of images holds and for a tar that was cut or damaged; LimitError for more
    than MAX_MEMBERS; UnsupportedError for a compressed tar.
    """
    if not file.exists():  # no NotFoundError: that is of what is missing in a tar which is there
        raise StoreError(f"there is no file {file}", operation=_READ, reference=reference)
    with file_errors(_READ, reference), open_regular(file.resolve()) as opened:
        _refuse_compressed(opened)
        return _listed(opened)


def _listed(opened: BinaryIO) -> Members:
    files: dict[str, Member] = {}
    links: dict[str, str] = {}
    length = 0
    for number, found in enumerate(read_headers(opened)):
        length += len(found.name) + len(found.link)
        if number >= MAX_MEMBERS or length > MAX_NAMES_LENGTH:
            raise LimitError(f"holds more than {MAX_MEMBERS} files, or names of over {MAX_NAMES_LENGTH} letters")
        name = _checked_name(found)
        if name in files or name in links:
            _refuse(f"holds {_shown(name)} twice")
        if found.kind == SYMBOLIC_LINK:
            links[name] = _checked_link(name, found.link)
        elif found.kind != DIRECTORY:
            files[name] = Member(found.offset, found.size_bytes)
    return Members(files, links)


def _checked_name(found: Header) -> str:
    parts = [part for part in found.name.split("/") if part not in ("", ".")]
    if len(found.name) > MAX_NAME_LENGTH:
        _refuse(f"holds {_shown(found.name)}, a name of {len(found.name)} characters")
    if found.name.startswith("/") or ".." in parts or "\0" in found.name:
        _refuse(f"holds {_shown(found.name)}, a name that leads out of it")
    if found.kind not in REGULAR and found.kind not in (DIRECTORY, SYMBOLIC_LINK):
        _refuse(f"holds {_shown(found.name)}, which is a hard link, a device or sparse")
    return "/".join(parts)


def _checked_link(name: str, target: str) -> str:
    """The name that a link leads to."""
    found = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    if not target or len(target) > MAX_NAME_LENGTH or "\0" in target or found.startswith(("/", "../")) or found == "..":
        _refuse(f"holds {_shown(name)}, a link that leads out of it")
    return found


def refuse_links(members: Members) -> None:
    """Raise IntegrityError where a tar of layouts holds a link: no program writes one."""
    for name in members.links:
        _refuse(f"holds {_shown(name)}, which is a link")


def _refuse(message: str) -> NoReturn:
    raise IntegrityError(message)


def _refuse_compressed(opened: BinaryIO) -> None:
    kind, program = _COMPRESSED.get(opened.read(2), ("", ""))
    if kind:
        raise UnsupportedError(f"is compressed with {kind}", hint=f"{program} it first")


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 120 else f"{name[:117]}...")
