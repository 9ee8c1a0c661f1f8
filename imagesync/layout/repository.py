"""LayoutRepository: one OCI layout directory to read from and write to. How index.json changes is in `document`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import BinaryIO

from imagesync.errors import LimitError, NotFoundError, StoreError, UnsupportedError
from imagesync.layout import files
from imagesync.layout.document import INDEX_FILE, LAYOUT_BYTES, LAYOUT_FILE, Entry, LayoutIndex, check_layout
from imagesync.layout.reader import LayoutReader
from imagesync.manifest import MAX_ENTRIES, MAX_MANIFEST_BYTES, Content, Descriptor, Index
from imagesync.reference import Digest, Repository, Tag
from imagesync.store import BlobReader, Pushed

_Signature = tuple[int, int, int]


class LayoutRepository(LayoutReader):
    """A Readable and Writable over the layout at `directory`, which is made by the first write.

    Bytes are stored as they came, under the digest they were verified against. Threads and processes may
    write at once. `sibling` finds the layout of another repository, for mounts. With `lists_with_tag`, a
    manifest pushed without a tag is stored at once, but enters index.json with the next change of a tag, or with one
    that names a subject, which may come alone: an image is one write, and what a cut-off copy leaves is garbage. Not
    for a server, which has promised to keep it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        answers_any_tag: bool = False,
        sibling: Callable[[str], LayoutRepository] | None = None,
        lists_with_tag: bool = False,
    ) -> None:
        super().__init__(f"oci:{directory}", answers_any_tag=answers_any_tag)
        self.directory = directory
        self._sibling = sibling
        self._lists_with_tag = lists_with_tag
        self._unlisted: dict[Digest, Descriptor] = {}
        self._swept: set[Path] = set()
        self._cached: tuple[_Signature, LayoutIndex] | None = None

    def exists(self) -> bool:
        """Whether there is a layout here."""
        return files.size_of(self.directory / LAYOUT_FILE) is not None

    def index(self) -> LayoutIndex:
        with files.file_errors("read index.json", self.name), files.open_regular(self.directory / INDEX_FILE) as file:
            found = os.fstat(file.fileno())
            signature = (found.st_mtime_ns, found.st_size, found.st_ino)
            cached = self._cached
            if cached is not None and cached[0] == signature:
                return cached[1]
            check_layout(self._read_layout())
            index = LayoutIndex.parse(self._read_index(file))
        self._cached = (signature, index)
        return index

    def _read_index(self, file: BinaryIO) -> bytes:
        """All of index.json, whatever its size was when it was opened."""
        raw = b"".join(files.pieces(file, MAX_MANIFEST_BYTES + 1))
        if len(raw) > MAX_MANIFEST_BYTES:
            message = f"index.json has more than the {MAX_MANIFEST_BYTES} bytes that are read"
            raise LimitError(message, operation="read index.json", reference=self.name)
        return raw

    def blob_size(self, digest: Digest) -> int | None:
        with files.file_errors("read blob", self.reference(digest)):
            return files.size_of(self._path(digest))

    @contextmanager
    def open_blob(self, digest: Digest) -> Iterator[BinaryIO]:
        with files.file_errors("read blob", self.reference(digest)):
            file = files.open_regular(self._path(digest))
        with file:
            yield file

    def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        if self.has_blob(blob):
            return Pushed.PRESENT
        if mount_from is not None and self.mount_blob(blob, mount_from.path):
            return Pushed.MOUNTED
        path = self._path(blob.digest)
        self._sweep(path.parent)
        with files.file_errors("push blob", self.reference(blob.digest)), read(0) as data:
            files.write_blob(path, blob, data)
        return Pushed.UPLOADED

    def mount_blob(self, blob: Descriptor, path: str) -> bool:
        """Take a blob over from another repository of the tree: a hard link, else a copy; False if it is not there."""
        other = self._sibling(path) if self._sibling else None
        if other is None or not other.has_blob(blob):
            return False
        source, target = other._path(blob.digest), self._path(blob.digest)  # noqa: SLF001 - of the same class
        with files.file_errors("mount blob", self.reference(blob.digest)):
            if not files.link(source, target):
                files.write_blob(target, blob, files.copy_pieces(source))
        return True

    def adopt_blob(self, path: Path, digest: Digest) -> None:
        """Move a file in, whose bytes the caller has verified, from the same file system."""
        with files.file_errors("push blob", self.reference(digest)):
            files.adopt(path, self._path(digest))

    def push_manifest(self, content: Content, tag: Tag | None = None) -> None:
        missing = self.missing_successors(content)
        if missing:
            raise StoreError(
                f"manifest refers to {missing[0].digest}, which is not there",
                operation="push manifest",
                reference=self.reference(tag or content.digest),
                code="MANIFEST_BLOB_UNKNOWN",
            )
        if not self.has_blob(content.descriptor):
            with files.file_errors("push manifest", self.reference(content.digest)):
                files.write_blob(self._path(content.digest), content.descriptor, [content.raw])
        if tag is None and self._lists_with_tag and content.subject is None:
            self._unlisted[content.digest] = content.descriptor
        else:
            self._change(lambda index: index.with_manifest(content.descriptor, tag))

    def push_referrer(self, content: Content, subject: Digest) -> bool:  # noqa: ARG002 - a layout lists all
        self.push_manifest(content)
        return True

    def _find(self, target: Tag | Digest) -> Entry | None:
        waiting = self._unlisted.get(target) if isinstance(target, Digest) else None
        if waiting is not None:
            return Entry(waiting.media_type, waiting.digest, waiting.size_bytes)
        return super()._find(target)

    def missing_successors(self, content: Content) -> tuple[Descriptor, ...]:
        """What has to be stored before this manifest, and is not."""
        if isinstance(content, Index):
            return tuple(child for child in content.successors() if self.blob_size(child.digest) is None)
        return tuple(blob for blob in content.successors() if self.blob_size(blob.digest) is None)

    def delete_tag(self, tag: Tag) -> None:
        """Take a tag away; its manifest stays, by digest. Raises NotFoundError where there is none."""
        self._change(lambda index: index.without_tag(tag), must_hold=tag)

    def delete_manifest(self, digest: Digest) -> None:
        """Remove a manifest and every tag on it. Raises NotFoundError where there is none."""
        self.resolve(digest)
        self._change(lambda index: index.without_manifest(digest))
        self._unlink(digest)

    def delete_blob(self, digest: Digest) -> None:
        """Remove a blob. Raises NotFoundError where there is none, UnsupportedError for a manifest."""
        index = self._index_or_none()
        if index is not None and index.find(digest) is not None:
            raise UnsupportedError("is a manifest", hint="delete it as one", reference=self.reference(digest))
        self._unlink(digest)

    def _change(self, edit: Callable[[LayoutIndex], LayoutIndex], must_hold: Tag | None = None) -> None:
        """Read index.json, edit and replace it, alone; nothing is written where nothing changes."""
        if must_hold is not None and self.index().find(must_hold) is None:
            raise self._not_there(must_hold)
        with (
            files.file_errors("write index.json", self.name),
            files.locked(self.directory / LAYOUT_FILE, LAYOUT_BYTES),
        ):
            old, waiting = self._index_or_none(), tuple(self._unlisted.values())
            new = edit(reduce(LayoutIndex.with_manifest, waiting, old or LayoutIndex()))
            if new != old:
                self._replace_index(new)
        for listed in waiting:
            self._unlisted.pop(listed.digest, None)

    def _replace_index(self, new: LayoutIndex) -> None:
        raw = new.to_bytes()
        if len(new.entries) > MAX_ENTRIES or len(raw) > MAX_MANIFEST_BYTES:
            raise LimitError(f"layout would list {len(new.entries)} manifests in {len(raw)} bytes: that is too much")
        files.write_file(self.directory / INDEX_FILE, raw)

    def _sweep(self, folder: Path) -> None:
        """Once for each folder, remove what a killed run left in it."""
        if folder not in self._swept:
            self._swept.add(folder)
            files.remove_abandoned(folder)

    def _index_or_none(self) -> LayoutIndex | None:
        try:
            return self.index()
        except NotFoundError:
            return None

    def _unlink(self, digest: Digest) -> None:
        with files.file_errors("delete", self.reference(digest)):
            self._path(digest).unlink()

    def _path(self, digest: Digest) -> Path:
        return files.refuse_links(self.directory, "blobs", digest.algorithm) / digest.encoded

    def _read_layout(self) -> bytes:
        with files.open_regular(self.directory / LAYOUT_FILE) as file:
            return file.read(4096)
