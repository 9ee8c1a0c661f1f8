"""Images made by rule: the same arguments give the same bytes, and no two seeds share a blob."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from imagesync.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    REFERENCE_DIGEST,
    Content,
    Descriptor,
    digest_of,
    parse_manifest,
)
from imagesync.reference import Digest, Tag
from imagesync.store import CHUNK_BYTES, BlobReader, Writable

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
COSIGN_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
COSIGN_SIGNATURE = "dev.cosignproject.cosign/signature"
EMPTY = "application/vnd.oci.empty.v1+json"
ATTESTATION_TYPE = "vnd.docker.reference.type"


@dataclass(frozen=True)
class MadeImage:
    """A root and all that is below it, children before parents. `blobs` are bytes by digest."""

    root: Content
    children: tuple[Content, ...] = ()
    blobs: Mapping[Digest, bytes] = field(default_factory=dict, repr=False)

    @property
    def digest(self) -> Digest:
        return self.root.digest

    @property
    def contents(self) -> tuple[Content, ...]:
        return (*self.children, self.root)

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.blobs.values()))


def make_image(
    seed: str = "image",
    *,
    layers: int = 2,
    layer_bytes: int = 1000,
    platform: str = "linux/amd64",
    docker: bool = False,
    created: str = "",
    **fields: Any,
) -> MadeImage:
    """One image. Its config says `created`, its manifest `fields` (`subject`, `artifactType`, `annotations`)."""
    os, architecture, variant = (*platform.split("/"), "")[:3]
    described = {"architecture": architecture, "os": os} | ({"variant": variant} if variant else {})
    described |= {"created": created} if created else {}
    config = json.dumps({**described, "config": {"Labels": {"seed": seed}}}).encode()
    bodies = [make_bytes(f"{seed} layer {number}", layer_bytes) for number in range(layers)]
    types = (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER) if docker else (OCI_MANIFEST, CONFIG, LAYER)
    return _image(types, config, bodies, fields)


def make_artifact(
    seed: str = "artifact", *, artifact_type: str = "application/vnd.example+json", **fields: Any
) -> MadeImage:
    """An artifact with the empty config and one layer."""
    bodies = [make_bytes(seed, 64)]
    return _image((OCI_MANIFEST, EMPTY, artifact_type), b"{}", bodies, {"artifactType": artifact_type, **fields})


def make_attestations(subject: Digest, *types: str) -> MadeImage:
    """BuildKit's manifest beside an image: a statement of each type, which nobody has signed."""
    statements = {one: json.dumps({"predicateType": one, "of": subject}).encode() for one in types}
    layers = [
        {**_described("application/vnd.in-toto+json", body), "annotations": {"in-toto.io/predicate-type": one}}
        for one, body in statements.items()
    ]
    made = make_artifact(layers=layers)
    return MadeImage(made.root, (), {**made.blobs, **{digest_of(body): body for body in statements.values()}})


def beside(subject: Digest) -> dict[str, Any]:
    """What the index entry of such a manifest says."""
    notes = {ATTESTATION_TYPE: "attestation-manifest", REFERENCE_DIGEST: subject}
    return {"platform": _platform("unknown/unknown"), "annotations": notes}


def make_signature(subject: Digest, *signers: str) -> MadeImage:
    """What cosign keeps under `sha256-….sig`: one layer a signer, all with the same payload."""
    payload = json.dumps({"critical": {"image": {"docker-manifest-digest": subject}}}).encode()
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [digest_of(payload)] * len(signers)}}).encode()
    layers = [{**_described(COSIGN_LAYER, payload), "annotations": {COSIGN_SIGNATURE: signer}} for signer in signers]
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": _described(CONFIG, config), "layers": layers}
    root = parse_manifest(json.dumps(document).encode(), OCI_MANIFEST)
    return MadeImage(root, (), {digest_of(body): body for body in (config, payload)})


def make_referrer(subject: Content, seed: str = "sbom") -> MadeImage:
    """An artifact that names its subject."""
    return make_artifact(seed, subject=descriptor_of(subject))


def list_of(*referrers: MadeImage, **fields: Any) -> MadeImage:
    """The index of referrers that a client keeps under `sha256-…`."""
    return index_of([descriptor_of(one.root, **fields) for one in referrers], list(referrers))


def make_index(
    seed: str = "index",
    *,
    platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64"),
    attestations: bool = False,
    docker: bool = False,
    layers: int = 2,
    layer_bytes: int = 1000,
    created: str = "",
    **fields: Any,
) -> MadeImage:
    """An image for several platforms; with `attestations`, one in BuildKit's form for each."""
    parts = {"docker": docker, "layers": layers, "layer_bytes": layer_bytes, "created": created}
    images = {name: make_image(f"{seed} {name}", platform=name, **parts) for name in platforms}  # type: ignore[arg-type]
    entries = [descriptor_of(image.root, platform=_platform(name)) for name, image in images.items()]
    made = list(images.values())
    for name, image in images.items() if attestations else ():
        attestation = make_image(f"{seed} {name} attestation", platform="unknown/unknown", layers=1)
        entries.append(descriptor_of(attestation.root, **beside(image.digest)))
        made.append(attestation)
    return index_of(entries, made, docker=docker, **fields)


def index_of(entries: list[dict[str, Any]], made: list[MadeImage], *, docker: bool = False, **fields: Any) -> MadeImage:
    """An index over images that were made before."""
    kind = DOCKER_LIST if docker else OCI_INDEX
    raw = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries, **fields}).encode()
    children = {content.digest: content for image in made for content in image.contents}
    blobs = {digest: body for image in made for digest, body in image.blobs.items()}
    return MadeImage(parse_manifest(raw, kind), tuple(children.values()), blobs)


def descriptor_of(content: Content, **fields: Any) -> dict[str, Any]:
    """A manifest's descriptor as JSON, for an index entry or a subject."""
    return {"mediaType": content.media_type, "digest": content.digest, "size": len(content.raw), **fields}


def make_bytes(seed: str, size_bytes: int) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return random.Random(hashlib.sha256(seed.encode()).digest()).randbytes(size_bytes)


def push_image(store: Writable, image: MadeImage, *tags: str) -> MadeImage:
    """Write an image in the order that registries ask for; without a tag by digest alone."""
    for content in image.contents:
        for blob in content.successors():
            if blob.digest in image.blobs:
                store.push_blob(blob, reader(image.blobs[blob.digest]))
        store.push_manifest(content)
    for tag in tags:
        store.push_manifest(image.root, Tag(tag))
    return image


def reader(data: bytes) -> BlobReader:
    """A BlobReader over bytes."""

    @contextmanager
    def read(start: int) -> Iterator[Iterator[bytes]]:
        yield (data[at : at + CHUNK_BYTES] for at in range(start, len(data), CHUNK_BYTES))

    return read


def blob_of(data: bytes, media_type: str = LAYER, *, algorithm: str = "sha256") -> Descriptor:
    """The descriptor of some bytes."""
    return Descriptor(media_type, digest_of(data, algorithm), len(data))


def _image(types: tuple[str, str, str], config: bytes, bodies: list[bytes], fields: Mapping[str, Any]) -> MadeImage:
    kind, config_type, layer_type = types
    document = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": _described(config_type, config),
        "layers": [_described(layer_type, body) for body in bodies],
        **fields,
    }
    root = parse_manifest(json.dumps(document).encode(), kind)
    return MadeImage(root, (), {digest_of(body): body for body in (config, *bodies)})


def _described(media_type: str, body: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}


def _platform(name: str) -> dict[str, str]:
    os, architecture, variant = (*name.split("/"), "")[:3]
    return {"os": os, "architecture": architecture} | ({"variant": variant} if variant else {})
