"""Uniting: two manifests under one attachment tag become one that holds what either held. Pure.

The destination's own come first and stay as they are. Where it lacks nothing, its bytes stay; what has to be written
is the same bytes for the same two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from imagesync.errors import InvalidManifest
from imagesync.lazy import replace
from imagesync.manifest import (
    IMAGE_CONFIG_TYPES,
    OCI_INDEX,
    Content,
    Descriptor,
    Index,
    Manifest,
    digest_of,
    parse_manifest,
)

_EMPTY_CONFIG = {"architecture": "", "os": "", "config": {}}


def unite(there: Content, new: Content) -> Content:
    """What the destination has, and after it what it lacks of the new; `there` itself where it lacks nothing.

    Raises InvalidManifest for an index and an image manifest, which have nothing in common.
    """
    lacking = _lacking(there, new)
    if not lacking:
        return there
    document = json.loads(there.raw)
    key = _key(there)
    document[key] = [*(document.get(key) or []), *lacking]
    return _with_config(there, document) if isinstance(there, Manifest) else _parsed(document, there.media_type)


def count_lacking(there: Content | None, new: Content) -> int:
    """How many signatures, attestations or referrers of the new the destination does not have."""
    return len(_lacking(there, new)) if there is not None else len(json.loads(new.raw).get(_key(new)) or [])


def entries_shared(there: Content, new: Content) -> tuple[Descriptor, ...]:
    """What two that are united have both, with the config that the destination's needs for it."""
    held = {entry.digest for entry in new.successors()}
    config = (there.config,) if isinstance(there, Manifest) else ()
    return tuple(dict.fromkeys((*config, *(entry for entry in there.successors() if entry.digest in held))))


def index_of_referrer(content: Content) -> Index:
    """An index with this one referrer, as a client writes it under a tag (distribution spec, "Pushing Manifests with
    Subject")."""
    document = json.loads(content.raw)
    artifact_type = content.descriptor.artifact_type
    if artifact_type is None and isinstance(content, Manifest):
        artifact_type = content.config.media_type
    entry = {"mediaType": content.media_type, "digest": content.digest, "size": len(content.raw)}
    more = {"artifactType": artifact_type, "annotations": document.get("annotations")}
    entry |= {key: value for key, value in more.items() if value}
    index = _parsed({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}, OCI_INDEX)
    assert isinstance(index, Index)  # noqa: S101 - narrows
    return index


def _lacking(there: Content, new: Content) -> list[dict[str, Any]]:
    if isinstance(there, Index) != isinstance(new, Index):
        raise InvalidManifest("an index of referrers and an image manifest stand under one tag, and cannot be united")
    key = _key(new)
    held = {_identity(entry, key) for entry in json.loads(there.raw).get(key) or []}
    found = {_identity(entry, key): entry for entry in json.loads(new.raw).get(key) or []}
    return [entry for identity, entry in found.items() if identity not in held]


def _key(content: Content) -> str:
    return "manifests" if isinstance(content, Index) else "layers"


def _identity(entry: dict[str, Any], key: str) -> str:
    """What makes two entries one. Referrers are one by digest. Two keys sign the same payload: those layers differ in
    their annotations alone."""
    if key == "manifests":
        return str(entry["digest"])
    return json.dumps([entry["digest"], entry.get("annotations") or {}], sort_keys=True)


def _with_config(there: Manifest, document: dict[str, Any]) -> Manifest:
    """The manifest with the config that its layers need; one that says nothing of layers stays."""
    if there.config.media_type not in IMAGE_CONFIG_TYPES:
        return _manifest(document, there)
    config = _config_of([layer["digest"] for layer in document["layers"]], there.config.media_type)
    described = {"mediaType": config.media_type, "digest": config.digest, "size": config.size_bytes}
    return replace(_manifest({**document, "config": described}, there), config=config)


def _config_of(layers: Sequence[str], media_type: str) -> Descriptor:
    """A config for layers that are no file systems, its content embedded: nobody has it yet."""
    raw = _compact({**_EMPTY_CONFIG, "rootfs": {"type": "layers", "diff_ids": list(layers)}})
    return Descriptor(media_type, digest_of(raw), len(raw), data=raw)


def _manifest(document: dict[str, Any], there: Manifest) -> Manifest:
    found = _parsed(document, there.media_type)
    assert isinstance(found, Manifest)  # noqa: S101 - narrows: it was one before
    return found


def _parsed(document: dict[str, Any], media_type: str) -> Content:
    return parse_manifest(_compact(document), media_type)


def _compact(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
