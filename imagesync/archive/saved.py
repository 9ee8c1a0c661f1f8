"""Images of a `docker save` that has no layout in it: `manifest.json` says of which files each is made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from imagesync.archive.maker import Maker, SavedImage
from imagesync.archive.members import Archive
from imagesync.archive.names import Named, by_tag, called, parse_name, what_is_there
from imagesync.cancellation import Cancellation
from imagesync.errors import IntegrityError, NotFoundError
from imagesync.layout.files import pieces
from imagesync.manifest import MAX_ENTRIES, MAX_MANIFEST_BYTES, Content, Descriptor, Manifest
from imagesync.reference import Digest, Tag, TagList
from imagesync.store import without_first

SAVED_FILE = "manifest.json"
"""What a tar of `docker save` has at its top."""


def parse_saved(raw: bytes) -> tuple[Named[SavedImage], ...]:
    """Read manifest.json: the images and what they are called. Raises IntegrityError where it is damaged."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{SAVED_FILE} is not JSON") from error
    if not isinstance(document, list) or not document or len(document) > MAX_ENTRIES:
        raise IntegrityError(f"{SAVED_FILE} lists no images, or too many")
    return tuple(map(_saved, document))


def _saved(entry: object) -> Named[SavedImage]:
    said: dict[str, Any] = entry if isinstance(entry, dict) else {}
    config, layers, names = said.get("Config"), said.get("Layers") or [], said.get("RepoTags") or []
    if not isinstance(config, str) or not isinstance(layers, list) or not isinstance(names, list):
        raise IntegrityError(f"{SAVED_FILE} has an image without Config, Layers and RepoTags")
    if len(layers) > MAX_ENTRIES or len(names) > MAX_ENTRIES or not all(isinstance(one, str) for one in layers):
        raise IntegrityError(f"{SAVED_FILE} has an image whose layers are no names of files")
    return Named(SavedImage(config, tuple(layers)), tuple(map(parse_name, names)))


class SavedRepository:
    """A Readable over the images of an archive that one name asks for."""

    def __init__(self, archive: Archive, path: str, images: tuple[Named[SavedImage], ...], maker: Maker) -> None:
        self.name = f"{archive.name}/{path}"
        self._archive = archive
        self._maker = maker
        self._tags: Mapping[Tag, SavedImage] = by_tag(path, images, lambda image: image)
        self._images = tuple(dict(called(path, images)))
        self._hint = what_is_there(images)

    def __repr__(self) -> str:
        return f"SavedRepository({self.name})"

    def resolve(self, target: Tag | Digest) -> Descriptor:
        return self._find(target).descriptor

    def fetch_manifest(self, target: Tag | Digest) -> Content:
        return self._find(target)

    @contextmanager
    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> Iterator[Iterator[bytes]]:
        with self._archive.open(self._file_of(blob.digest) or "", self._reference(blob.digest)) as file:
            yield without_first(pieces(file), from_byte)

    def has_blob(self, blob: Descriptor) -> bool:
        found = self._archive.find(self._file_of(blob.digest) or "")
        return found is not None and found.size_bytes == blob.size_bytes

    def list_tags(self) -> tuple[Tag, ...]:
        return TagList.of(self._tags)

    def list_referrers(self, digest: Digest) -> tuple[Descriptor, ...] | None:  # noqa: ARG002
        """None: the format has no place for them."""
        return ()

    def _find(self, target: Tag | Digest) -> Manifest:
        if isinstance(target, Digest):
            found = next((made for made in map(self._maker.manifest, self._images) if made.digest == target), None)
        else:
            image = self._tags.get(target) or self._only_unnamed()
            found = self._maker.manifest(image) if image is not None else None
        if found is None:
            where = self._reference(target)
            raise NotFoundError("no such manifest", hint=self._hint, operation="resolve", reference=where)
        return found

    def _only_unnamed(self) -> SavedImage | None:
        """The single image of an archive that was saved without a name answers to any tag."""
        return self._images[0] if len(self._images) == 1 and not self._tags else None

    def _file_of(self, digest: Digest) -> str | None:
        """The file of a blob. Another run may have made the plan: then nothing was asked for yet."""
        if self._maker.file_of(digest) is None:
            for image in self._images:
                self._maker.manifest(image)
        return self._maker.file_of(digest)

    def _reference(self, target: Tag | Digest) -> str:
        return f"{self.name}{'@' if isinstance(target, Digest) else ':'}{target}"


class SavedImages:
    """Implements docker.Inside over manifest.json."""

    def __init__(self, archive: Archive, cancellation: Cancellation) -> None:
        self._archive = archive
        self._maker = Maker(archive, cancellation)
        with archive.naming_itself():
            self.images = parse_saved(archive.read(SAVED_FILE, MAX_MANIFEST_BYTES))

    def repository(self, path: str) -> SavedRepository:
        return SavedRepository(self._archive, path, self.images, self._maker)
