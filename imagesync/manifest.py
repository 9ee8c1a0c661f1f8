"""Manifests: Descriptor, Manifest and Index over the bytes as they came, and what each leads to.

Bytes are never written anew: `raw` is what was read and what is pushed. Follows the OCI image spec and
Docker's schema 2; schema 1 is refused. Nothing here reads or writes a store; platforms live in `platform`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn

from imagesync.errors import InvalidManifest, InvalidReference
from imagesync.lazy import dataclass, field
from imagesync.platform import Platform
from imagesync.reference import Digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
ACCEPT = ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST))
"""What every manifest request accepts: without all four a registry converts, or says that nothing is there."""

SCHEMA_1_TYPES = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
FOREIGN_LAYER_TYPES = frozenset(
    {
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    }
)
IMAGE_CONFIG_TYPES = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
"""Of configs that say what an image runs on; an artifact has another, or an empty one."""
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
MAX_SIZE_BYTES = 2**53 - 1
MAX_DEPTH = 4
"""Indexes of indexes: the root is at depth 1."""
MAX_ENTRIES = 10_000
"""Descriptors in one document, and manifests below one root."""
MAX_MARKS = 250_000
"""Brackets, braces, commas and colons in one JSON document of a server: what stands between two of them may take
twenty times its letters in memory."""
REFERENCE_DIGEST = "vnd.docker.reference.digest"
"""BuildKit's annotation on an index entry: the child that an attestation manifest speaks of."""
MADE_FROM = "vnd.imagesync.made-from"
"""The annotation on a manifest that imagesync has made, for an image that had none."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What to fetch and what must come back (image spec, "OCI Content Descriptors").

    `size_bytes` is the length of the content in bytes. `data` is the content itself where the descriptor
    embeds it and it matches digest and size; `urls` are kept, never fetched.
    """

    media_type: str
    digest: Digest
    size_bytes: int
    platform: Platform | None = None
    artifact_type: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)
    urls: tuple[str, ...] = ()
    data: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES

    @property
    def is_manifest(self) -> bool:
        """True for whatever is fetched from the manifests endpoint, an index included."""
        return self.media_type in MANIFEST_TYPES or self.is_index

    @property
    def is_foreign(self) -> bool:
        """True for a layer that its makers keep elsewhere: listed in the manifest, not pushed."""
        return self.media_type in FOREIGN_LAYER_TYPES


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image or artifact: a config and layers (image spec, "Image Manifest")."""

    descriptor: Descriptor
    raw: bytes = field(repr=False)
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None

    @property
    def digest(self) -> Digest:
        return self.descriptor.digest

    @property
    def media_type(self) -> str:
        return self.descriptor.media_type

    def successors(self) -> tuple[Descriptor, ...]:
        """What must be in the repository before this manifest: its blobs, each once, foreign layers left out."""
        wanted = (self.config, *self.layers)
        return tuple({blob.digest: blob for blob in wanted if not blob.is_foreign}.values())


@dataclass(frozen=True, slots=True)
class Index:
    """Several manifests under one digest, one for each platform (image spec, "Image Index")."""

    descriptor: Descriptor
    raw: bytes = field(repr=False)
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None = None

    @property
    def digest(self) -> Digest:
        return self.descriptor.digest

    @property
    def media_type(self) -> str:
        return self.descriptor.media_type

    def successors(self) -> tuple[Descriptor, ...]:
        """What must be in the repository before this index: its entries, each digest once."""
        return tuple({entry.digest: entry for entry in self.manifests}.values())

    def platforms(self) -> tuple[Platform, ...]:
        """The platforms an image can be run on; attestations (`unknown/unknown`) are not one."""
        return tuple(entry.platform for entry in self.manifests if entry.platform and not entry.platform.is_unknown)


Content = Manifest | Index


def digest_of(raw: bytes, algorithm: str = "sha256") -> Digest:
    """The digest of these bytes."""
    return Digest(f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}")


def parse_manifest(raw: bytes, media_type: str = "", digest: Digest | None = None) -> Content:
    """Read a manifest or index and check its form; the bytes must hash to `digest` where one is given.

    `media_type` is what the store said (a Content-Type, its parameters are dropped); where that says
    nothing, the document's own `mediaType` decides, then its shape. Raises InvalidManifest for JSON that is
    not strict, schema 1, a document that claims two types (CVE-2021-41190), sizes and counts over the limits.
    """
    if len(raw) > MAX_MANIFEST_BYTES:
        raise InvalidManifest(f"manifest of {len(raw)} bytes: at most {MAX_MANIFEST_BYTES} are read")
    actual = digest_of(raw, digest.algorithm if digest else "sha256")
    if digest is not None and actual != digest:
        raise InvalidManifest(f"manifest hashes to {actual}, not to the {digest} that was asked for")
    document = _load(raw)
    kind = _media_type(document, media_type)
    descriptor = Descriptor(kind, actual, len(raw), artifact_type=_optional_text(document, "artifactType"))
    subject = _descriptor(document["subject"], "subject") if document.get("subject") is not None else None
    if kind in INDEX_TYPES:
        entries = _descriptors(document, "manifests")
        return Index(descriptor, raw, entries, subject)
    config = _descriptor(document.get("config"), "config")
    return Manifest(descriptor, raw, config, _descriptors(document, "layers"), subject)


def is_made_here(content: Content) -> bool:
    """Whether imagesync has made this manifest: its digest is no registry's."""
    annotations = json.loads(content.raw).get("annotations")
    return isinstance(content, Manifest) and isinstance(annotations, dict) and MADE_FROM in annotations


def walk(
    root: Content, contents: Mapping[Digest, Content], left_out: Collection[Digest] = frozenset()
) -> Iterator[Content]:
    """Yield the root and everything below it that `contents` holds and is not `left_out`, children before parents,
    each once."""
    seen: set[Digest] = set(left_out)

    def visit(node: Content) -> Iterator[Content]:
        if node.digest in seen:
            return
        seen.add(node.digest)
        if isinstance(node, Index):
            for entry in node.successors():
                child = contents.get(entry.digest)
                if child is not None:
                    yield from visit(child)
        yield node

    return visit(root)


def has_too_many_values(raw: bytes) -> bool:
    """Whether JSON has more than MAX_MARKS around its values; those within texts count, too."""
    return sum(map(raw.count, (b"{", b"[", b",", b":"))) > MAX_MARKS


def _load(raw: bytes) -> dict[str, Any]:
    if has_too_many_values(raw):
        raise InvalidManifest(f"manifest has more than {MAX_MARKS} brackets, commas and colons")
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_strict_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise InvalidManifest(f"manifest is not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise InvalidManifest("manifest is nested too deeply") from error
    except ValueError as error:
        raise InvalidManifest(f"manifest is not JSON: {ascii(str(error))[1:-1]}") from error
    if not isinstance(document, dict):
        raise InvalidManifest("manifest is not a JSON object")
    return document


def _strict_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise InvalidManifest(f"key {twice!a} stands twice in one object")
    return result


def _refuse_constant(text: str) -> NoReturn:
    raise InvalidManifest(f"{text} is not a JSON number")


def _media_type(document: dict[str, Any], stated: str) -> str:
    """The one type of a document: what the store said and what it says of itself may not differ."""
    stated = stated.partition(";")[0].strip().lower()
    own = _optional_text(document, "mediaType")
    if stated in SCHEMA_1_TYPES or own in SCHEMA_1_TYPES or document.get("schemaVersion") == 1:
        raise InvalidManifest("image is in Docker's schema 1", hint="rebuild or re-push it: schema 1 is not supported")
    if document.get("schemaVersion") != 2 or isinstance(document.get("schemaVersion"), bool):
        raise InvalidManifest(f"schemaVersion is {document.get('schemaVersion')!a}, not 2")
    has_entries = "manifests" in document
    if has_entries and ("layers" in document or "config" in document):
        raise InvalidManifest("document is an index and an image manifest at once")
    known = MANIFEST_TYPES | INDEX_TYPES
    if stated in known and own is not None and own != stated:
        raise InvalidManifest(f"served as {stated}, but says that it is {own!a}")
    kind = stated if stated in known else own or (OCI_INDEX if has_entries else OCI_MANIFEST)
    if kind not in known:
        raise InvalidManifest(f"{kind!a} is not a manifest or index type")
    if (kind in INDEX_TYPES) != has_entries and (has_entries or "layers" in document or "config" in document):
        raise InvalidManifest(f"document has not the shape of {kind}")
    return kind


def _descriptors(document: dict[str, Any], key: str) -> tuple[Descriptor, ...]:
    entries = document.get(key)
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise InvalidManifest(f"{key} is not a list")
    if len(entries) > MAX_ENTRIES:
        raise InvalidManifest(f"{key} has {len(entries)} entries: at most {MAX_ENTRIES} are read")
    return tuple(_descriptor(entry, f"{key}[{number}]") for number, entry in enumerate(entries))


def _descriptor(value: object, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise InvalidManifest(f"{where} is not a descriptor")
    try:
        digest = Digest(_text(value, "digest", where))
    except InvalidReference as error:
        raise InvalidManifest(f"{where}: {error.message}") from error
    size = value.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_SIZE_BYTES:
        raise InvalidManifest(f"{where}: size {ascii(size)[:40]} is not a count of bytes")
    media_type = _text(value, "mediaType", where)
    if media_type in MANIFEST_TYPES | INDEX_TYPES and size > MAX_MANIFEST_BYTES:
        raise InvalidManifest(f"{where}: manifest of {size} bytes: at most {MAX_MANIFEST_BYTES} are read")
    platform = value.get("platform")
    annotations = value.get("annotations")
    urls = value.get("urls")
    return Descriptor(
        media_type=media_type,
        digest=digest,
        size_bytes=size,
        platform=Platform.from_dict(platform) if isinstance(platform, dict) else None,
        artifact_type=_optional_text(value, "artifactType"),
        annotations=_annotations(annotations, where),
        urls=tuple(url for url in urls if isinstance(url, str)) if isinstance(urls, list) else (),
        data=_embedded(value.get("data"), digest, size),
    )


def _annotations(value: object, where: str) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise InvalidManifest(f"{where}: annotations are not a map of strings")
    return value


def _embedded(value: object, digest: Digest, size_bytes: int) -> bytes | None:
    """The embedded content, or None when there is none or it is not what the descriptor says."""
    if not isinstance(value, str) or size_bytes > MAX_MANIFEST_BYTES:
        return None
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == size_bytes and digest_of(data, digest.algorithm) == digest else None


def _text(value: dict[str, Any], key: str, where: str) -> str:
    text = value.get(key)
    if not isinstance(text, str) or not text:
        raise InvalidManifest(f"{where} has no {key}")
    return text


def _optional_text(value: dict[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is not None and not isinstance(text, str):
        raise InvalidManifest(f"{key} is not a string")
    return text or None
