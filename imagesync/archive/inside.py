"""The OCI layout in what `docker save` of Docker 25 and later writes: its images by the names they have there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO

from imagesync.archive.layouts import ArchiveRepository
from imagesync.archive.members import Archive
from imagesync.archive.names import CONTAINERD_NAME, Named, SavedName, by_tag, called, parse_layout_name, what_is_there
from imagesync.archive.saved import SAVED_FILE, parse_saved
from imagesync.errors import NotFoundError
from imagesync.layout.document import INDEX_FILE, LAYOUT_FILE, Entry, LayoutIndex, check_layout
from imagesync.lazy import replace
from imagesync.manifest import MAX_MANIFEST_BYTES, Manifest, parse_manifest
from imagesync.reference import Digest, Tag


class InsideRepository(ArchiveRepository):
    """A Readable over what one name asks for of a layout."""

    def __init__(self, archive: Archive, path: str, images: tuple[Named[Entry], ...]) -> None:
        super().__init__(archive)
        self.name = f"{archive.name}/{path}"
        by_tag(path, images, lambda entry: entry.digest)
        entries: dict[tuple[Tag | None, str], Entry] = {}
        for entry, tag in called(path, images):
            entries.setdefault((tag, entry.digest), replace(entry, name=tag))
        self._index = LayoutIndex(tuple(entries.values()))
        self._hint = what_is_there(images)

    def open_blob(self, digest: Digest) -> AbstractContextManager[BinaryIO]:
        if self.blob_size(digest) is None:
            hint = "`docker save` leaves out platforms that were not pulled: `platforms` keeps the others"
            message = "not in the archive"
            raise NotFoundError(message, hint=hint, operation="read", reference=self.reference(digest))
        return super().open_blob(digest)

    def _not_there(self, target: Tag | Digest) -> NotFoundError:
        error = super()._not_there(target)
        error.hint = self._hint
        return error


class LayoutInside:
    """Implements docker.Inside over a layout."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        with archive.naming_itself():
            check_layout(archive.read(LAYOUT_FILE, MAX_MANIFEST_BYTES))
            index = LayoutIndex.parse_with_any_names(archive.read(INDEX_FILE, MAX_MANIFEST_BYTES))
            saved = self._saved_names()
            self.images = tuple(Named(entry, self._names(entry, saved)) for entry in index.entries)

    def repository(self, path: str) -> InsideRepository:
        return InsideRepository(self._archive, path, self.images)

    def _saved_names(self) -> Mapping[str, tuple[SavedName, ...]]:
        """What manifest.json calls the images, by the digest of their configs."""
        if self._archive.find(SAVED_FILE) is None:
            return {}
        listed = parse_saved(self._archive.read(SAVED_FILE, MAX_MANIFEST_BYTES))
        return {one.image.config.rpartition("/")[2]: one.names for one in listed}

    def _names(self, entry: Entry, saved: Mapping[str, tuple[SavedName, ...]]) -> tuple[SavedName, ...]:
        annotations = (entry.fields or {}).get("annotations") or {}
        if CONTAINERD_NAME in annotations or not saved:
            return parse_layout_name(annotations, entry.name)
        return saved.get(self._config_of(entry)) or parse_layout_name(annotations, entry.name)

    def _config_of(self, entry: Entry) -> str:
        """The digest of an image's config, without its algorithm; empty of what is no image."""
        digest = entry.digest
        if entry.descriptor.is_index:
            return ""
        raw = self._archive.read(f"blobs/{digest.algorithm}/{digest.encoded}", MAX_MANIFEST_BYTES)
        content = parse_manifest(raw, entry.media_type, digest)
        return content.config.digest.encoded if isinstance(content, Manifest) else ""
