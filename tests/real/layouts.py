"""OCI layouts to copy from: the sample of the repository, and ones that a test or a benchmark makes on disk."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
NGINX = ROOT.parent / "shared" / "images" / "nginx.oci.tar"
"""A real signed image for two platforms; it lies beside the checkout on some machines."""

_OCI = "application/vnd.oci.image"
_NAME = "org.opencontainers.image.ref.name"
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Layout:
    """A folder with one OCI layout; as text it is its path, as skopeo wants it after `oci:`."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    def digest(self, tag: str) -> str:
        index = json.loads((self.folder / "index.json").read_text())
        found = [entry for entry in index["manifests"] if entry["annotations"][_NAME] == tag]
        return str(found[0]["digest"])

    def root_bytes(self, tag: str) -> bytes:
        return self.blob(self.digest(tag))

    def blob(self, digest: str) -> bytes:
        return self.blob_file(digest).read_bytes()

    def blob_file(self, digest: str) -> Path:
        return self.folder / "blobs" / digest.replace(":", "/")


SAMPLE = Layout(ROOT / "examples" / "quickstart" / "sample" / "hello")


def make_layout(folder: Path, tags: list[str], *, layers: int, layer_bytes: int, shared: int = 0) -> Layout:
    """An OCI layout with one image a tag, each with layers of its own, and `shared` ones that all of them have.

    Layers are random bytes from a fixed seed: nothing compresses them, and two runs make the same.
    """
    (folder / "blobs" / "sha256").mkdir(parents=True)
    source = random.Random(20240101)
    common = [_add_layer(folder, source, layer_bytes) for _ in range(shared)]
    entries = []
    for tag in tags:
        own = [_add_layer(folder, source, layer_bytes) for _ in range(layers)]
        entries.append({**_add_image(folder, tag, [*common, *own]), "annotations": {_NAME: tag}})
    index = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": entries}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return Layout(folder)


def _add_image(folder: Path, tag: str, layers: list[dict[str, Any]]) -> dict[str, Any]:
    rootfs = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"tag": tag}}, "rootfs": rootfs}
    kind = f"{_OCI}.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": _add(folder, f"{_OCI}.config.v1+json", json.dumps(config).encode()),
        "layers": layers,
    }
    return _add(folder, kind, json.dumps(manifest).encode())


def _add(folder: Path, media_type: str, data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    (folder / "blobs" / "sha256" / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def _add_layer(folder: Path, source: random.Random, size_bytes: int) -> dict[str, Any]:
    """Write a layer piece by piece: a large one is never in memory as a whole."""
    unnamed = folder / "blobs" / "sha256" / "unnamed"
    digest = hashlib.sha256()
    with unnamed.open("wb") as file:
        for start in range(0, size_bytes, _PIECE_BYTES):
            piece = source.randbytes(min(_PIECE_BYTES, size_bytes - start))
            digest.update(piece)
            file.write(piece)
    unnamed.rename(unnamed.with_name(digest.hexdigest()))
    return {"mediaType": f"{_OCI}.layer.v1.tar", "digest": f"sha256:{digest.hexdigest()}", "size": size_bytes}
