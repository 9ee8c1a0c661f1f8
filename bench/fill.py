"""Fills a source registry with images, over one connection; no program that is measured has a part in it.

Layers are valid gzip of bytes that do not compress, made while they are sent: a program that compresses what is
not compressed would do, and be measured for, another job.
"""

from __future__ import annotations

import hashlib
import json
import random
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from typing import Self
from urllib.parse import urlsplit

from tests.real.registries import RealRegistry

_OCI = "application/vnd.oci.image"
_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Pushed:
    """A blob or a manifest that the registry has; a layer's `content` is the digest of what was compressed."""

    media_type: str
    digest: str
    size_bytes: int
    content: str = ""
    architecture: str = ""

    def as_descriptor(self) -> dict[str, object]:
        found: dict[str, object] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size_bytes}
        if self.architecture:
            found["platform"] = {"os": "linux", "architecture": self.architecture}
        return found


class Filler:
    """Pushes images to one registry that wants no login. Two runs push the same bytes."""

    def __init__(self, registry: RealRegistry) -> None:
        authority = registry.authority
        self._connection = (
            HTTPSConnection(registry.host, context=authority.context()) if authority else HTTPConnection(registry.host)
        )
        self._random = random.Random(20240101)
        self._sizes: dict[str, int] = {}

    @property
    def unique_bytes(self) -> int:
        """The size of all blobs that were pushed, each counted once."""
        return sum(self._sizes.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def layers(self, repository: str, count: int, size_bytes: int) -> list[Pushed]:
        return [self._layer(repository, size_bytes) for _ in range(count)]

    def mount(self, repository: str, layers: Sequence[Pushed], source: str) -> None:
        """Make layers of one repository known in another one."""
        for layer in layers:
            self._request("POST", f"/v2/{repository}/blobs/uploads/?mount={layer.digest}&from={source}")

    def image(
        self, repository: str, layers: Sequence[Pushed], *, tag: str = "", architecture: str = "amd64", label: str = ""
    ) -> Pushed:
        """Push a manifest and its config; `label` makes it another than one of the same layers."""
        content = {"type": "layers", "diff_ids": [layer.content for layer in layers]}
        labels = {"Labels": {"bench": label or tag}}
        config = {"architecture": architecture, "os": "linux", "config": labels, "rootfs": content}
        pushed = self._push_blob(repository, iter([json.dumps(config).encode()]), f"{_OCI}.config.v1+json")
        parts = {"config": pushed.as_descriptor(), "layers": [layer.as_descriptor() for layer in layers]}
        return self._push_manifest(repository, tag, f"{_OCI}.manifest.v1+json", parts, architecture)

    def index(self, repository: str, tag: str, images: Sequence[Pushed]) -> Pushed:
        parts = {"manifests": [image.as_descriptor() for image in images]}
        return self._push_manifest(repository, tag, f"{_OCI}.index.v1+json", parts)

    def _layer(self, repository: str, size_bytes: int) -> Pushed:
        content = hashlib.sha256()
        pushed = self._push_blob(repository, self._gzip(size_bytes, content.update), f"{_OCI}.layer.v1.tar+gzip")
        return Pushed(pushed.media_type, pushed.digest, pushed.size_bytes, f"sha256:{content.hexdigest()}")

    def _gzip(self, size_bytes: int, seen: Callable[[bytes], None]) -> Iterator[bytes]:
        """Stored, not deflated: random bytes do not shrink."""
        packer = zlib.compressobj(level=0, wbits=31)
        for start in range(0, size_bytes, _PIECE_BYTES):
            piece = self._random.randbytes(min(_PIECE_BYTES, size_bytes - start))
            seen(piece)
            if packed := packer.compress(piece):
                yield packed
        yield packer.flush()

    def _push_blob(self, repository: str, pieces: Iterator[bytes], media_type: str) -> Pushed:
        digest, size_bytes = hashlib.sha256(), 0

        def counted() -> Iterator[bytes]:
            nonlocal size_bytes
            for piece in pieces:
                digest.update(piece)
                size_bytes += len(piece)
                yield piece

        location = self._request("POST", f"/v2/{repository}/blobs/uploads/")
        location = self._request("PATCH", location, counted(), "application/octet-stream")
        name = f"sha256:{digest.hexdigest()}"
        self._request("PUT", f"{location}&digest={name}")
        self._sizes[name] = size_bytes
        return Pushed(media_type, name, size_bytes)

    def _push_manifest(
        self, repository: str, tag: str, media_type: str, parts: Mapping[str, object], architecture: str = ""
    ) -> Pushed:
        raw = json.dumps({"schemaVersion": 2, "mediaType": media_type, **parts}).encode()
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        self._request("PUT", f"/v2/{repository}/manifests/{tag or digest}", raw, media_type)
        return Pushed(media_type, digest, len(raw), architecture=architecture)

    def _request(self, method: str, target: str, body: bytes | Iterator[bytes] = b"", media_type: str = "") -> str:
        """Send a request and return the Location of its answer, as a target."""
        self._connection.request(method, target, body, {"Content-Type": media_type} if media_type else {})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status not in (201, 202):
            raise RuntimeError(f"{method} {target}: {response.status} {answer[:200]!r}")
        location = urlsplit(response.headers["Location"])
        return f"{location.path}?{location.query}"
