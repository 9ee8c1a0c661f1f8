"""Reading a layout, wherever its files are: LayoutReader asks for index.json and for blobs, and does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO

from imagesync.errors import IntegrityError, InvalidManifest, NotFoundError, StoreError
from imagesync.layout.document import Entry, LayoutIndex
from imagesync.layout.files import pieces
from imagesync.layout.subjects import Subjects
from imagesync.manifest import MAX_MANIFEST_BYTES, Content, Descriptor, Index, digest_of, parse_manifest
from imagesync.reference import Digest, Tag
from imagesync.store import without_first


class LayoutReader(ABC):
    """A Readable over one layout.

    `name` is what messages call it. With `answers_any_tag`, a layout that lists one manifest without a name
    gives that manifest for every tag: other tools write such layouts when they are given no tag.
    """

    def __init__(self, name: str, *, answers_any_tag: bool = False) -> None:
        self.name = name
        self._subjects = Subjects(self._fetch_or_none)
        self._answers_any_tag = answers_any_tag

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    @abstractmethod
    def index(self) -> LayoutIndex:
        """index.json as it is now. Raises NotFoundError where there is no layout."""

    @abstractmethod
    def blob_size(self, digest: Digest) -> int | None:
        """Bytes of a stored blob; None where it is not stored."""

    @abstractmethod
    def open_blob(self, digest: Digest) -> AbstractContextManager[BinaryIO]:
        """Open a stored blob or manifest; raises NotFoundError where it is not stored."""

    def resolve(self, target: Tag | Digest) -> Descriptor:
        entry = self._find(target)
        if entry is None:
            return self._fetch_unlisted(target).descriptor
        stored = self.blob_size(entry.digest)
        if stored is None:
            raise self._not_there(target)
        if stored != entry.size_bytes:
            message = f"manifest has {stored} bytes, index.json says {entry.size_bytes}"
            raise IntegrityError(message, operation="resolve", reference=self.reference(target))
        return entry.descriptor

    def fetch_manifest(self, target: Tag | Digest) -> Content:
        entry = self._find(target)
        if entry is None:
            return self._fetch_unlisted(target)
        try:
            return parse_manifest(self._read_manifest(entry.digest), entry.media_type, entry.digest)
        except InvalidManifest as error:
            raise IntegrityError(
                error.message, hint=error.hint, operation="fetch manifest", reference=self.reference(target)
            ) from error

    @contextmanager
    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> Iterator[Iterator[bytes]]:
        with self.open_blob(blob.digest) as file:
            yield without_first(pieces(file), from_byte)

    def has_blob(self, blob: Descriptor) -> bool:
        return self.blob_size(blob.digest) == blob.size_bytes

    def list_tags(self) -> tuple[Tag, ...]:
        return self.index().tags

    def list_referrers(self, digest: Digest) -> tuple[Descriptor, ...] | None:
        """What names this digest as its subject, and what a client has listed under its tag besides."""
        try:
            listed = (*self._listed_under_tag(digest), *self.naming(digest))
        except NotFoundError:  # there is no layout yet
            return ()
        return tuple({entry.digest: entry for entry in listed}.values())

    def naming(self, subject: Digest) -> tuple[Descriptor, ...]:
        """The manifests that name this digest as their subject, those below an index too. Raises NotFoundError where
        there is no layout."""
        named = self._subjects.naming(self.index(), subject)
        return tuple(one for one in named if self.blob_size(one.digest) is not None)

    def _listed_under_tag(self, digest: Digest) -> tuple[Descriptor, ...]:
        tag = Tag(digest.as_tag)
        if self.index().find(tag) is None:
            return ()
        found = self.fetch_manifest(tag)
        if isinstance(found, Index):
            return found.successors()
        raise IntegrityError(
            "the tag is one of attachments, and what it points to is something else",
            hint="delete or rename that tag",
            operation="list referrers",
            reference=self.reference(tag),
        )

    def _fetch_or_none(self, digest: Digest) -> Content | None:
        try:
            return self.fetch_manifest(digest)
        except StoreError:
            return None

    def reference(self, target: Tag | Digest) -> str:
        """What messages call one manifest or blob of this layout."""
        return f"{self.name}{'@' if isinstance(target, Digest) else ':'}{target}"

    def _find(self, target: Tag | Digest) -> Entry | None:
        index = self.index()
        found = index.find(target)
        if found is None and not isinstance(target, Digest) and self._answers_any_tag:
            found = index.only_unnamed()
        return found

    def _fetch_unlisted(self, target: Tag | Digest) -> Content:
        """A manifest that index.json does not list: a child of an index, in a layout that others wrote."""
        if not isinstance(target, Digest):
            raise self._not_there(target)
        raw = self._read_manifest(target)
        if digest_of(raw, target.algorithm) != target:
            raise IntegrityError("stored bytes are not those of the digest", reference=self.reference(target))
        try:
            return parse_manifest(raw, "", target)
        except InvalidManifest as error:
            raise self._not_there(target) from error

    def _read_manifest(self, digest: Digest) -> bytes:
        with self.open_blob(digest) as file:
            raw = b"".join(pieces(file, MAX_MANIFEST_BYTES + 1))
        if len(raw) > MAX_MANIFEST_BYTES:
            raise NotFoundError("too large for a manifest", reference=self.reference(digest))
        return raw

    def _not_there(self, target: Tag | Digest) -> NotFoundError:
        return NotFoundError("no such manifest", operation="resolve", reference=self.reference(target))
