"""The manifest that an image of `docker save` gets where it has none: the same bytes from the same layers. Pure.

It is an OCI manifest over the config and the layers as they are stored, marked as made here. Docker keeps layers
unpacked, so its digest is not that which a registry had for the image.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from imagesync.errors import IntegrityError, InvalidReference, UnsupportedError
from imagesync.manifest import MADE_FROM, OCI_MANIFEST, Descriptor, Manifest, parse_manifest
from imagesync.reference import Digest

FORMAT = "docker-archive/1"
"""The form of the bytes: what changes them makes a new one, since every digest of an image made so changes with it."""
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MAGIC_BYTES = 512
"""Of a layer's beginning, to tell what it is."""
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def made_manifest(config: Descriptor, layers: Sequence[Descriptor]) -> Manifest:
    """The manifest over these, a promise to the byte: see FORMAT."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _described(config),
        "layers": [_described(layer) for layer in layers],
        "annotations": {MADE_FROM: FORMAT},
    }
    raw = json.dumps(document, separators=(",", ":")).encode()
    made = parse_manifest(raw, OCI_MANIFEST)
    assert isinstance(made, Manifest)  # noqa: S101 - narrows
    return made


def layer_type(beginning: bytes) -> str:
    """The media type of a layer by its first bytes. Raises UnsupportedError for what no media type is known of."""
    if beginning.startswith(_GZIP):
        return f"{LAYER}+gzip"
    if beginning.startswith(_ZSTD):
        return f"{LAYER}+zstd"
    if beginning[257:262] == b"ustar" or (beginning and not any(beginning)):
        return LAYER
    raise UnsupportedError("holds a layer that is no tar", hint="a layer is a tar, plain or packed by gzip or zstd")


def check_layers(config: bytes, layers: Sequence[Descriptor]) -> None:
    """Raise IntegrityError unless the layers are those that the config speaks of: `rootfs.diff_ids`, image spec,
    "OCI Image Configuration". Those of packed layers are of what is in them, and nothing here unpacks."""
    expected = _diff_ids(config)
    if len(expected) != len(layers):
        raise IntegrityError(f"holds {len(layers)} layers of an image whose config speaks of {len(expected)}")
    for diff_id, layer in zip(expected, layers, strict=True):
        if layer.media_type == LAYER and layer.digest != diff_id:
            raise IntegrityError(f"holds the layer {layer.digest}, where the config of the image has {diff_id}")


def _diff_ids(config: bytes) -> list[Digest]:
    try:
        found = (json.loads(config).get("rootfs") or {}).get("diff_ids") or []
        if not isinstance(found, list):
            raise TypeError("no list")
        return [Digest(one) for one in found]
    except (ValueError, TypeError, AttributeError, RecursionError, InvalidReference) as error:
        raise IntegrityError("holds a config of an image that is damaged") from error


def _described(blob: Descriptor) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size_bytes}
