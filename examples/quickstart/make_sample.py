"""Writes `sample/hello`: a small multi-platform image as an OCI layout, the same bytes on every machine.

Two platforms that share a layer, and BuildKit's attestation manifest for each. Layers are plain tar: what
gzip makes of the same input differs between versions of zlib.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
from pathlib import Path

OCI = "application/vnd.oci.image"
TAGS = ("1.0", "latest")
ARCHITECTURES = ("amd64", "arm64")
CREATED = "2024-01-01T00:00:00Z"

Entry = dict[str, object]


class Layout:
    """An OCI layout that is being written: blobs first, `index.json` last."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (directory / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)

    def add(self, media_type: str, data: bytes) -> Entry:
        """Write one blob and return the descriptor of it."""
        digest = hashlib.sha256(data).hexdigest()
        (self._directory / "blobs" / "sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def add_json(self, media_type: str, document: Entry) -> Entry:
        return self.add(media_type, as_json(document))

    def finish(self, root: Entry) -> None:
        """Name the root by every tag."""
        entries = [{**root, "annotations": {"org.opencontainers.image.ref.name": tag}} for tag in TAGS]
        index: Entry = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": entries}
        (self._directory / "index.json").write_bytes(as_json(index))
        (self._directory / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))


def as_json(document: Entry) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def one_file_tar(name: str, text: str) -> bytes:
    """A tar with a single file: owned by root, from 1970, the same everywhere."""
    data = text.encode()
    header = tarfile.TarInfo(name)
    header.size = len(data)
    padding = -len(data) % tarfile.BLOCKSIZE
    return header.tobuf(tarfile.USTAR_FORMAT) + data + bytes(padding + 2 * tarfile.BLOCKSIZE)


def add_manifest(layout: Layout, config: Entry, layers: list[Entry]) -> Entry:
    kind = f"{OCI}.manifest.v1+json"
    return layout.add_json(kind, {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers})


def add_image(layout: Layout, architecture: str) -> Entry:
    """One platform: a layer that all platforms share, and one of its own."""
    tars = [
        one_file_tar("etc/hello/README", "A sample image. It holds two text files and nothing that runs.\n"),
        one_file_tar("etc/hello/platform", f"linux/{architecture}\n"),
    ]
    config: Entry = {
        "created": CREATED,
        "architecture": architecture,
        "os": "linux",
        "config": {"Labels": {"org.opencontainers.image.title": "hello"}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars]},
        "history": [{"created": CREATED, "created_by": "make_sample.py"} for _ in tars],
    }
    layers = [layout.add(f"{OCI}.layer.v1.tar", tar) for tar in tars]
    manifest = add_manifest(layout, layout.add_json(f"{OCI}.config.v1+json", config), layers)
    return {**manifest, "platform": {"architecture": architecture, "os": "linux"}}


def add_attestation(layout: Layout, image: Entry) -> Entry:
    """What BuildKit adds for a platform: a manifest whose layer is an in-toto statement about it."""
    statement: Entry = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"name": "hello", "digest": {"sha256": str(image["digest"]).partition(":")[2]}}],
        "predicate": {"builder": {"id": "make_sample.py"}, "buildType": "https://example.com/sample"},
    }
    layer = layout.add_json("application/vnd.in-toto+json", statement)
    layer["annotations"] = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}
    rootfs = {"type": "layers", "diff_ids": [layer["digest"]]}
    config = layout.add_json(
        f"{OCI}.config.v1+json", {"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": rootfs}
    )
    return {
        **add_manifest(layout, config, [layer]),
        "annotations": {
            "vnd.docker.reference.digest": image["digest"],
            "vnd.docker.reference.type": "attestation-manifest",
        },
        "platform": {"architecture": "unknown", "os": "unknown"},
    }


def write_sample(directory: Path) -> str:
    """Write the layout and return the digest of its index."""
    layout = Layout(directory)
    images = [add_image(layout, architecture) for architecture in ARCHITECTURES]
    attestations = [add_attestation(layout, image) for image in images]
    kind = f"{OCI}.index.v1+json"
    root = layout.add_json(kind, {"schemaVersion": 2, "mediaType": kind, "manifests": images + attestations})
    layout.finish(root)
    return str(root["digest"])


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.stdout.write(f"{write_sample(here / 'sample' / 'hello')}\n")
