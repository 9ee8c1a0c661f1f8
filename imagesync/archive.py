"""`oci-archive:FILE`: a tar of an OCI layout, or of a tree of them, to copy from. Nothing is extracted.

The members are listed once, with their places; blobs are read from there. A tar that holds links, devices or names
outside itself is refused whole: no tool writes such a layout. Image spec, "Image Layout".
"""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, NoReturn, Self, cast

from imagesync.errors import IntegrityError, LimitError, NotFoundError, UnsupportedError
from imagesync.layout.document import INDEX_FILE, LAYOUT_FILE, LayoutIndex, check_layout
from imagesync.layout.files import file_errors, open_regular
from imagesync.layout.reader import LayoutReader
from imagesync.layout.tree import single_layout
from imagesync.manifest import MAX_MANIFEST_BYTES
from imagesync.reference import Digest, RepositoryList, check_path

MAX_MEMBERS = 200_000
MAX_EXTENDED_BYTES = 1024 * 1024
"""Extended headers and long names are read whole into memory: this much of each."""
_EXTENDED = frozenset(
    {
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    }
)
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}


@dataclass(frozen=True, slots=True)
class Member:
    """Where the bytes of one file stand in the tar."""

    offset: int
    size_bytes: int


class ArchiveRepository(LayoutReader):
    """A Readable over one layout in a tar, the one in the folder `prefix` (empty, or ending with a slash)."""

    def __init__(self, file: Path, members: Mapping[str, Member], prefix: str) -> None:
        super().__init__(f"oci-archive:{file}{f'/{prefix}' if prefix else ''}".rstrip("/"), answers_any_tag=True)
        self._file = file
        self._members = members
        self._prefix = prefix
        self._index: LayoutIndex | None = None

    def index(self) -> LayoutIndex:
        if self._index is None:
            check_layout(self._read(LAYOUT_FILE))
            self._index = LayoutIndex.parse(self._read(INDEX_FILE))
        return self._index

    def blob_size(self, digest: Digest) -> int | None:
        found = self._members.get(self._blob(digest))
        return found.size_bytes if found else None

    @contextmanager
    def open_blob(self, digest: Digest) -> Iterator[BinaryIO]:
        with self._open(self._blob(digest), self.reference(digest)) as file:
            yield file

    def _blob(self, digest: Digest) -> str:
        return f"{self._prefix}blobs/{digest.algorithm}/{digest.encoded}"

    def _read(self, name: str) -> bytes:
        with self._open(f"{self._prefix}{name}", f"{self.name}/{name}") as file:
            raw = file.read(MAX_MANIFEST_BYTES + 1)
        if len(raw) > MAX_MANIFEST_BYTES:
            raise LimitError(f"{name} is larger than {MAX_MANIFEST_BYTES} bytes", reference=self.name)
        return raw

    @contextmanager
    def _open(self, name: str, reference: str) -> Iterator[BinaryIO]:
        member = self._members.get(name)
        if member is None:
            raise NotFoundError("not in the archive", operation="read", reference=reference)
        with file_errors("read", reference):
            file = open_regular(self._file.resolve())
        with file:
            yield cast(BinaryIO, _Part(file, member))


class ArchiveTree:
    """The layouts in the tar `file`: one at its top, which any name asks for, or one in a folder for each name."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._members: Mapping[str, Member] | None = None
        self._opened: dict[str, ArchiveRepository] = {}
        self._lock = threading.Lock()

    def repository(self, path: str) -> ArchiveRepository:
        """One repository of the archive, there or not. Raises IntegrityError for a tar that is not to be trusted."""
        with self._lock:
            members = self._listed()
            prefix = "" if LAYOUT_FILE in members else f"{check_path(path)}/"
            if prefix not in self._opened:
                self._opened[prefix] = ArchiveRepository(self.file, members, prefix)
            return self._opened[prefix]

    def list_repositories(self, prefix: str) -> RepositoryList:
        """The folders with a layout in them, those below a prefix. Raises as `repository` does."""
        with self._lock:
            members = self._listed()
        if LAYOUT_FILE in members:
            raise single_layout(f"oci-archive:{self.file}")
        folders = (name.removesuffix(f"/{LAYOUT_FILE}") for name in members if name.endswith(f"/{LAYOUT_FILE}"))
        return RepositoryList.of(folders, prefix)

    def _listed(self) -> Mapping[str, Member]:
        if self._members is None:
            self._members = list_members(self.file)
        return self._members


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


def list_members(file: Path) -> Mapping[str, Member]:
    """The regular files of a tar by name, without a leading `./`.

    Raises IntegrityError for links, devices, names that lead out, names that stand twice and a tar that was cut;
    LimitError for more than MAX_MEMBERS; UnsupportedError for a compressed tar.
    """
    reference = f"oci-archive:{file}"
    members: dict[str, Member] = {}
    with file_errors("read archive", reference), open_regular(file.resolve()) as opened:
        end = opened.seek(0, 2)
        _refuse_compressed(opened, reference)
        try:
            for found in _walk(opened, reference):
                name = _checked_name(found, reference)
                if found.isdir():
                    continue
                if name in members:
                    _refuse(f"holds {name!a} twice", reference)
                if found.offset_data + found.size > end:
                    _refuse(f"was cut: {name!a} is not whole", reference)
                members[name] = Member(found.offset_data, found.size)
        except (IntegrityError, LimitError) as error:
            error.operation, error.reference = "read archive", reference
            raise
        except (tarfile.TarError, ValueError, EOFError, RecursionError) as error:
            raise IntegrityError("is damaged, or no tar", operation="read archive", reference=reference) from error
    return members


class _Header(tarfile.TarInfo):
    """A header whose size was looked at before tarfile reads what it announces."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.size < 0:
            raise IntegrityError("holds a file of a negative size")
        if found.type in _EXTENDED and found.size > MAX_EXTENDED_BYTES:
            raise LimitError(f"holds an extended header of {found.size} bytes: {MAX_EXTENDED_BYTES} are read")
        return found


def _walk(opened: BinaryIO, reference: str) -> Iterator[tarfile.TarInfo]:
    with tarfile.open(fileobj=opened, mode="r:", tarinfo=_Header) as tar:
        for number, found in enumerate(tar):
            if number >= MAX_MEMBERS:
                raise LimitError(f"holds more than {MAX_MEMBERS} files", operation="read archive", reference=reference)
            tar.members.clear()  # type: ignore[attr-defined] # tarfile keeps every member it has seen
            yield found
        opened.seek(tar.offset)
        if any(opened.read(tarfile.BLOCKSIZE) or b"?"):  # tarfile takes a cut or damaged header for the end
            _refuse("was cut: its end is not marked", reference)


def _checked_name(found: tarfile.TarInfo, reference: str) -> str:
    parts = [part for part in found.name.split("/") if part != "."]
    name = "/".join(parts)
    shown = ascii(name[:120])
    if found.name.startswith("/") or ".." in parts or "\0" in name:
        _refuse(f"holds {shown}, a name that leads out of it", reference)
    if found.issparse() or not (found.isdir() or found.isreg()):
        _refuse(f"holds {shown}, which is a link, a device or sparse", reference)
    return name


def _refuse(message: str, reference: str) -> NoReturn:
    raise IntegrityError(message, operation="read archive", reference=reference)


def _refuse_compressed(opened: BinaryIO, reference: str) -> None:
    opened.seek(0)
    kind = _COMPRESSED.get(opened.read(2))
    opened.seek(0)
    if kind is not None:
        raise UnsupportedError(
            f"is compressed with {kind}", hint="unpack it to a plain tar first", operation="read", reference=reference
        )
