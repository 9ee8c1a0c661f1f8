"""`oci-archive:FILE`: a tar of an OCI layout, or of a tree of them, to copy from. Image spec, "Image Layout"."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from imagesync.archive.members import Archive, Member, refuse_links
from imagesync.archive.saved import SAVED_FILE
from imagesync.errors import NotFoundError
from imagesync.layout.document import INDEX_FILE, LAYOUT_FILE, LayoutIndex, check_layout
from imagesync.layout.reader import LayoutReader
from imagesync.layout.tree import single_layout
from imagesync.manifest import MAX_MANIFEST_BYTES
from imagesync.reference import Digest, RepositoryList, check_path


class ArchiveRepository(LayoutReader):
    """A Readable over one layout in a tar, the one in the folder `prefix` (empty, or ending with a slash)."""

    def __init__(self, archive: Archive, prefix: str = "") -> None:
        super().__init__(f"{archive.name}{f'/{prefix}' if prefix else ''}".rstrip("/"), answers_any_tag=True)
        self._archive = archive
        self._prefix = prefix
        self._index: LayoutIndex | None = None

    def index(self) -> LayoutIndex:
        if self._index is None:
            check_layout(self._read(LAYOUT_FILE))
            self._index = LayoutIndex.parse(self._read(INDEX_FILE))
        return self._index

    def blob_size(self, digest: Digest) -> int | None:
        found = self._archive.find(self._blob(digest))
        return found.size_bytes if found else None

    def open_blob(self, digest: Digest) -> AbstractContextManager[BinaryIO]:
        return self._archive.open(self._blob(digest), self.reference(digest))

    def _blob(self, digest: Digest) -> str:
        return f"{self._prefix}blobs/{digest.algorithm}/{digest.encoded}"

    def _read(self, name: str) -> bytes:
        return self._archive.read(f"{self._prefix}{name}", MAX_MANIFEST_BYTES)


class ArchiveTree:
    """The layouts in the tar `file`: one at its top, which any name asks for, or one in a folder for each name."""

    def __init__(self, file: Path) -> None:
        self._archive = Archive(file, f"oci-archive:{file}")
        self._opened: dict[str, ArchiveRepository] = {}
        self._lock = threading.Lock()

    def repository(self, path: str) -> ArchiveRepository:
        """One repository of the archive, there or not. Raises IntegrityError for a tar that is not to be trusted."""
        files = self._files()
        prefix = "" if LAYOUT_FILE in files else f"{check_path(path)}/"
        with self._lock:
            return self._opened.setdefault(prefix, ArchiveRepository(self._archive, prefix))

    def list_repositories(self, prefix: str) -> RepositoryList:
        """The folders with a layout in them, those below a prefix. Raises as `repository` does."""
        files = self._files()
        if LAYOUT_FILE in files:
            raise single_layout(self._archive.name)
        folders = (name.removesuffix(f"/{LAYOUT_FILE}") for name in files if name.endswith(f"/{LAYOUT_FILE}"))
        return RepositoryList.of(folders, prefix)

    def _files(self) -> Mapping[str, Member]:
        members = self._archive.members()
        if SAVED_FILE in members.files and LAYOUT_FILE not in members.files:
            raise NotFoundError(
                "holds no layout, but what `docker save` writes",
                hint=f"write docker-archive:{self._archive.file}",
                operation="read archive",
                reference=self._archive.name,
            )
        with self._archive.naming_itself():
            refuse_links(members)
        return members.files
