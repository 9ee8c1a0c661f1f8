"""The artifact that one run keeps in a repository: an empty config, the document of a state as its layer, and of a
fold, behind it, the names that it stands for. A small document stands in the manifest too: reading it is one request.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from typing import Any

from imagesync.errors import InvalidManifest
from imagesync.lazy import dataclass
from imagesync.manifest import OCI_MANIFEST, Content, Descriptor, Manifest, digest_of, parse_manifest
from imagesync.reference import Tag
from imagesync.state import State, state_to_json
from imagesync.state.document import MAX_BYTES

TYPE = "application/vnd.imagesync.state.v1+json"
FOLDED_TYPE = "application/vnd.imagesync.state.folded.v1+json"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
MAX_FOLDED = 200_000
_TITLE = "org.opencontainers.image.title"
_MAX_EMBEDDED_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """A manifest, and the blobs that it needs."""

    manifest: Content
    blobs: Mapping[Descriptor, bytes]


def make_artifact(state: State, name: Tag, folded: Collection[Tag] = ()) -> Artifact:
    """The artifact that is kept under this name. No other has its digest: to delete it takes no other tag along."""
    bodies = [(EMPTY_TYPE, b"{}"), (TYPE, state_to_json(state).encode("utf-8"))]
    if folded:
        bodies.append((FOLDED_TYPE, json.dumps(sorted(folded)).encode("ascii")))
    described = [_described(media_type, body) for media_type, body in bodies]
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": TYPE,
        "config": described[0],
        "layers": described[1:],
        "annotations": {_TITLE: name},
    }
    manifest = parse_manifest(json.dumps(document).encode("ascii"), OCI_MANIFEST)
    blobs = [Descriptor(media_type, digest_of(body), len(body)) for media_type, body in bodies]
    return Artifact(manifest, dict(zip(blobs, (body for _, body in bodies), strict=True)))


def layers_of(content: Content) -> tuple[Descriptor, Descriptor | None]:
    """The document and, of a fold, its names. Raises InvalidManifest for anything else."""
    if not isinstance(content, Manifest) or content.descriptor.artifact_type != TYPE:
        raise InvalidManifest("it is no state")
    types = [layer.media_type for layer in content.layers]
    if types not in ([TYPE], [TYPE, FOLDED_TYPE]):
        raise InvalidManifest(f"its layers are not {TYPE}")
    if any(layer.size_bytes > MAX_BYTES for layer in content.layers):
        raise InvalidManifest(f"it has over {MAX_BYTES} bytes")
    return content.layers[0], content.layers[1] if len(types) > 1 else None


def parse_folded(raw: bytes) -> frozenset[Tag]:
    """The names that a fold stands for. Raises InvalidManifest, and InvalidReference."""
    try:
        names = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidManifest("its list of names is no JSON") from error
    if not isinstance(names, list) or len(names) > MAX_FOLDED or not all(isinstance(name, str) for name in names):
        raise InvalidManifest("its list of names is none")
    return frozenset(map(Tag, names))


def _described(media_type: str, body: bytes) -> dict[str, Any]:
    described = {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}
    is_small = len(body) <= _MAX_EMBEDDED_BYTES
    return {**described, **({"data": base64.b64encode(body).decode("ascii")} if is_small else {})}
