"""Mirrors: registries that are asked first for what is named by digest, and given up when they fail.

A tag is always resolved at its origin: a mirror may be behind. What a mirror sends is checked like everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from imagesync.errors import IntegrityError, NetworkError, StoreError
from imagesync.manifest import Content, Descriptor
from imagesync.reference import Digest, Repository, Tag
from imagesync.registry.client import RegistryClient
from imagesync.registry.repository import RemoteRepository


class Mirror:
    """One repository on a mirror. `is_lost` once it was not reached, or sent wrong bytes: others are asked then."""

    def __init__(self, store: RemoteRepository) -> None:
        self._store = store
        self.is_lost = False

    def fetch_manifest(self, digest: Digest) -> Content:
        with self._noticed():
            return self._store.fetch_manifest(digest)

    @contextmanager
    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> Iterator[Iterator[bytes]]:
        with ExitStack() as stack:
            with self._noticed():
                pieces = stack.enter_context(self._store.fetch_blob(blob, from_byte=from_byte))
            try:
                yield self._watched(pieces)
            except IntegrityError:
                self.is_lost = True
                raise

    def _watched(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        with self._noticed():
            yield from pieces

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        try:
            yield
        except (NetworkError, IntegrityError):
            self.is_lost = True
            raise


class MirroredRepository(RemoteRepository):
    """A repository that reads manifests and blobs by digest from its mirrors first, in their order."""

    def __init__(self, repository: Repository, client: RegistryClient, mirrors: tuple[Mirror, ...]) -> None:
        super().__init__(repository, client)
        self._mirrors = mirrors

    def fetch_manifest(self, target: Tag | Digest) -> Content:
        for mirror in self._living() if isinstance(target, Digest) else ():
            with suppress(StoreError):
                return mirror.fetch_manifest(Digest(target))
        return super().fetch_manifest(target)

    @contextmanager
    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> Iterator[Iterator[bytes]]:
        with ExitStack() as stack:
            yield self._opened(stack, blob, from_byte)

    def _opened(self, stack: ExitStack, blob: Descriptor, from_byte: int) -> Iterator[bytes]:
        for mirror in self._living():
            with suppress(StoreError):
                return stack.enter_context(mirror.fetch_blob(blob, from_byte=from_byte))
        return stack.enter_context(super().fetch_blob(blob, from_byte=from_byte))

    def _living(self) -> tuple[Mirror, ...]:
        return tuple(mirror for mirror in self._mirrors if not mirror.is_lost)
