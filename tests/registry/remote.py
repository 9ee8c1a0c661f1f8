"""Registries opened for a test: quick retries, an environment that holds nothing, closed when done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from imagesync.cancellation import Cancellation
from imagesync.manifest import OCI_INDEX, OCI_MANIFEST, Content, Descriptor, digest_of, parse_manifest
from imagesync.reference import make_repository
from imagesync.registry import Registries, RemoteRepository, RetryPolicy
from imagesync.settings import RegistrySettings, Settings, Tls, TlsMode
from imagesync.store import without_first
from tests.fakes.registry import FakeRegistry
from tests.registry.wire import WireServer

QUICK = RetryPolicy(tries=4, server_error_tries=2, first_seconds=0.005, longest_seconds=0.3)
PLAIN = RegistrySettings(tls=Tls(TlsMode.DISABLED))
OCTETS = "application/octet-stream"
CONFIG = "application/vnd.oci.image.config.v1+json"


@contextmanager
def open_registries(
    *settings: tuple[str, RegistrySettings],
    cancellation: Cancellation | None = None,
    environment: dict[str, str] | None = None,
    policy: RetryPolicy = QUICK,
) -> Iterator[Registries]:
    """Registries that speak plain HTTP to every host but those that `settings` name otherwise."""
    registries = Registries(
        Settings(patterns=(("*", PLAIN),), hosts=settings),
        cancellation or Cancellation(),
        environment={"HOME": "/nonexistent", **(environment or {})},
        policy=policy,
    )
    try:
        yield registries
    finally:
        registries.close()


@contextmanager
def open_repository(
    registry: FakeRegistry | WireServer, path: str = "a/b", cancellation: Cancellation | None = None
) -> Iterator[RemoteRepository]:
    with open_registries(cancellation=cancellation) as registries:
        yield registries.repository(make_repository(registry.host, path))


def make_blob(data: bytes, size_bytes: int | None = None) -> Descriptor:
    return Descriptor(OCTETS, digest_of(data), len(data) if size_bytes is None else size_bytes)


class Source:
    """Bytes that can be opened again and again; `opened_at` says from which byte on they were, each time."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self.opened_at: list[int] = []

    @property
    def opened(self) -> int:
        return len(self.opened_at)

    def __call__(self, start: int) -> AbstractContextManager[Iterator[bytes]]:
        self.opened_at.append(start)
        return nullcontext(without_first(iter(self._pieces), start))


def make_manifest(config: bytes, *layers: bytes) -> Content:
    def descriptor(data: bytes, media_type: str) -> dict[str, object]:
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(config, CONFIG),
        "layers": [descriptor(layer, "application/vnd.oci.image.layer.v1.tar") for layer in layers],
    }
    return parse_manifest(json.dumps(document, indent=1).encode())


def make_index(*manifests: Content) -> Content:
    entries = [{"mediaType": found.media_type, "digest": found.digest, "size": len(found.raw)} for found in manifests]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return parse_manifest(json.dumps(document).encode())
