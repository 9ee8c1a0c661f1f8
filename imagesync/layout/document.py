"""index.json of a layout as a value: which manifests it lists, under which names, and how it changes. No files here.

What other tools wrote into an entry stays in it. Image spec, "Image Layout", index.json.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from imagesync.errors import IntegrityError, InvalidManifest
from imagesync.lazy import dataclass, replace
from imagesync.manifest import OCI_INDEX, Descriptor, Index, parse_manifest
from imagesync.reference import Digest, Tag, TagList

LAYOUT_FILE = "oci-layout"
INDEX_FILE = "index.json"
LAYOUT_VERSION = "1.0.0"
LAYOUT_BYTES = json.dumps({"imageLayoutVersion": LAYOUT_VERSION}).encode()
REF_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of index.json: a manifest and the name it has there, if any. `fields` is the JSON as it was read."""

    media_type: str
    digest: Digest
    size_bytes: int
    name: str | None = None
    fields: Mapping[str, Any] | None = None

    @property
    def descriptor(self) -> Descriptor:
        return Descriptor(self.media_type, self.digest, self.size_bytes)

    def to_dict(self) -> dict[str, Any]:
        written = dict(self.fields or {})
        written |= {"mediaType": self.media_type, "digest": self.digest, "size": self.size_bytes}
        annotations = {key: text for key, text in (written.pop("annotations", None) or {}).items() if key != REF_NAME}
        if self.name is not None:
            annotations[REF_NAME] = self.name
        return written | ({"annotations": annotations} if annotations else {})


@dataclass(frozen=True)
class LayoutIndex:
    """The entries of one index.json, in their order. `fields` is what else stood in the document."""

    entries: tuple[Entry, ...] = ()
    fields: Mapping[str, Any] | None = None

    @classmethod
    def parse(cls, raw: bytes) -> LayoutIndex:
        """Read index.json. Raises IntegrityError where it is no image index, or gives one name to two entries."""
        index = cls.parse_with_any_names(raw)
        _check_names(index.entries)
        return index

    @classmethod
    def parse_with_any_names(cls, raw: bytes) -> LayoutIndex:
        """Read index.json where the same tag may stand twice, as Docker writes it for two repositories."""
        try:
            index = parse_manifest(raw, OCI_INDEX)
        except InvalidManifest as error:
            raise IntegrityError(f"index.json of the layout is damaged: {error.message}") from error
        document = json.loads(raw)
        listed = zip(index.manifests, document.get("manifests") or (), strict=True) if isinstance(index, Index) else ()
        entries = tuple(
            Entry(found.media_type, found.digest, found.size_bytes, found.annotations.get(REF_NAME), fields)
            for found, fields in listed
        )
        return cls(entries, {key: value for key, value in document.items() if key != "manifests"})

    def to_bytes(self) -> bytes:
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, **(self.fields or {})}
        return json.dumps(document | {"manifests": [entry.to_dict() for entry in self.entries]}).encode()

    @cached_property
    def tags(self) -> TagList:
        """The names that are legal tags; a layout may hold others, which nothing asks for."""
        return TagList.of(self._by_name)

    def find(self, target: Tag | Digest) -> Entry | None:
        return self._by_digest.get(target) if isinstance(target, Digest) else self._by_name.get(target)

    def only_unnamed(self) -> Entry | None:
        """The single entry of a layout that was written without a tag."""
        return self.entries[0] if len(self.entries) == 1 and self.entries[0].name is None else None

    def with_manifest(self, descriptor: Descriptor, tag: Tag | None = None) -> LayoutIndex:
        """List a manifest, under a tag if one is given. What had the tag stays listed, without a name."""
        old = self.find(tag or descriptor.digest)
        if old is not None and old.descriptor == descriptor:
            return self
        kept = self.without_tag(tag).entries if tag else self.entries
        new = Entry(descriptor.media_type, descriptor.digest, descriptor.size_bytes, tag)
        same = tuple(replace(e, media_type=new.media_type) for e in kept if e.digest == new.digest and e.name)
        others = tuple(entry for entry in kept if entry.digest != new.digest)
        return replace(self, entries=(*others, *same, *(() if same and tag is None else (new,))))

    def without_tag(self, tag: Tag) -> LayoutIndex:
        """Take a name away; its manifest stays listed."""
        found = self._by_name.get(tag)
        if found is None:
            return self
        others = tuple(entry for entry in self.entries if entry is not found)
        is_listed = any(entry.digest == found.digest for entry in others)
        return replace(self, entries=others if is_listed else (*others, replace(found, name=None)))

    def without_manifest(self, digest: Digest) -> LayoutIndex:
        """Take a manifest away, with every name it has."""
        return replace(self, entries=tuple(entry for entry in self.entries if entry.digest != digest))

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in self.entries if entry.name is not None}

    @cached_property
    def _by_digest(self) -> dict[str, Entry]:
        return {entry.digest: entry for entry in reversed(self.entries)}


def check_layout(raw: bytes) -> None:
    """Raise IntegrityError unless this is the oci-layout file of a version that imagesync reads."""
    try:
        document = json.loads(raw)
        version = document["imageLayoutVersion"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError("the file oci-layout is damaged") from error
    if version != LAYOUT_VERSION:
        raise IntegrityError(f"layout version {ascii(version)[:40]} is not {LAYOUT_VERSION}")


def _check_names(entries: tuple[Entry, ...]) -> None:
    names = Counter(entry.name for entry in entries if entry.name is not None)
    twice = next((name for name, times in names.items() if times > 1), None)
    if twice is not None:
        raise IntegrityError(
            f"index.json of the layout gives the name {twice[:128]!a} to two manifests",
            hint="remove one of them from index.json",
        )
