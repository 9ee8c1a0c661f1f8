"""Tars to read: of any members, and what `docker save` of several versions writes."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagesync.manifest import OCI_INDEX, digest_of
from imagesync.reference import Digest
from tests.images import MadeImage, make_bytes

Change = Callable[[tarfile.TarInfo], None]
CONTAINERD_NAME = "io.containerd.image.name"
REF_NAME = "org.opencontainers.image.ref.name"


def make_tar(file: Path, *members: tuple[str, Change | bytes]) -> Path:
    """A tar of members with a content, or with what a change makes of an empty one."""
    with tarfile.open(file, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            data = content if isinstance(content, bytes) else b""
            info.size = len(data)
            if not isinstance(content, bytes):
                content(info)
            tar.addfile(info, io.BytesIO(data))
    return file


def of_type(kind: bytes, target: str = "") -> Change:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname = kind, target

    return change


def link_to(target: str) -> Change:
    return of_type(tarfile.SYMTYPE, target)


def make_layer(seed: str, size_bytes: int = 100) -> bytes:
    """A layer: the same tar for the same seed."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo(seed)
        info.size = size_bytes
        tar.addfile(info, io.BytesIO(make_bytes(seed, size_bytes)))
    return made.getvalue()


@dataclass(frozen=True)
class Saved:
    """An image to save: its names, and its layers."""

    names: tuple[str, ...]
    layers: tuple[bytes, ...]
    created: str = "2026-01-01T00:00:00Z"

    @property
    def config(self) -> bytes:
        diff_ids = [digest_of(layer) for layer in self.layers]
        described = {"architecture": "amd64", "os": "linux", "created": self.created}
        return json.dumps({**described, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()

    @property
    def config_name(self) -> str:
        return f"{digest_of(self.config).encoded}.json"


def save(*names: str, seed: str = "app", layers: int = 2) -> Saved:
    return Saved(names, tuple(make_layer(f"{seed}-{number}") for number in range(layers)))


def entry_of(image: Saved, **fields: Any) -> dict[str, Any]:
    """An image in manifest.json."""
    layers = [f"{digest_of(layer).encoded}.tar" for layer in image.layers]
    return {"Config": image.config_name, "RepoTags": list(image.names) or None, "Layers": layers, **fields}


def files_of(image: Saved) -> dict[str, bytes]:
    """The files that entry_of names."""
    layers = {f"{digest_of(layer).encoded}.tar": layer for layer in image.layers}
    return {image.config_name: image.config, **layers}


def skopeo_tar(file: Path, *images: Saved) -> Path:
    """As skopeo and podman write it."""
    files = {name: data for image in images for name, data in files_of(image).items()}
    return saved_tar(file, [entry_of(image) for image in images], *files.items())


def saved_tar(file: Path, manifest: object, *members: tuple[str, Change | bytes]) -> Path:
    raw = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return make_tar(file, *members, ("manifest.json", raw))


def old_docker_tar(file: Path, *images: Saved) -> Path:
    """As Docker 1.10 to 24 write it: a folder for each layer, and links to layers that another image has, too."""
    members: dict[str, Change | bytes] = {}
    homes: dict[bytes, str] = {}
    entries = []
    for image in images:
        names = []
        for layer in image.layers:
            name = f"{digest_of(layer + image.config).encoded}/layer.tar"
            members[name] = link_to(f"../{homes[layer]}") if layer in homes else layer
            homes.setdefault(layer, name)
            names.append(name)
        members[image.config_name] = image.config
        entries.append(entry_of(image, Layers=names))
    return saved_tar(file, entries, *members.items())


def layout_members(*named: tuple[MadeImage, dict[str, str]]) -> list[tuple[str, bytes]]:
    """A layout at the top of a tar, its images with these annotations in index.json."""
    blobs: dict[Digest, bytes] = {}
    entries = []
    for image, notes in named:
        blobs.update(image.blobs)
        blobs |= {content.digest: content.raw for content in image.contents}
        entry = {"mediaType": image.root.media_type, "digest": image.digest, "size": len(image.root.raw)}
        entries.append({**entry, **({"annotations": notes} if notes else {})})
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    files = [(f"blobs/{digest.replace(':', '/')}", body) for digest, body in blobs.items()]
    return [*files, ("index.json", json.dumps(index).encode()), ("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')]


def new_docker_tar(file: Path, image: MadeImage, names: Sequence[str]) -> Path:
    """As Docker 25 and later write it: a layout, its names in index.json, and manifest.json besides."""
    notes = [{CONTAINERD_NAME: name, REF_NAME: name.rpartition(":")[2]} for name in names]
    members = dict(layout_members(*((image, note) for note in notes)))
    return make_tar(file, *members.items(), ("manifest.json", b'[{"Config": "blobs/sha256/x", "RepoTags": []}]'))
