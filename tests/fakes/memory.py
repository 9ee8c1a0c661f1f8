"""Stores in memory, with a log of calls and scripted failures: for what decides above the wire."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

from imagesync.errors import NotFoundError, StoreError
from imagesync.manifest import Content, Descriptor, Manifest
from imagesync.reference import Digest, Repository, RepositoryList, Tag
from imagesync.store import BlobReader, Creator, Memory, NoMemory, NoPushTimes, Pushed, PushTimes


class MemoryRepository:
    """One repository. `calls` are `(method, argument)`; `failures` maps such a pair to errors to raise in turn."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.manifests: dict[Digest, Content] = {}
        self.tags: dict[Tag, Digest] = {}
        self.blobs: dict[Digest, bytes] = {}
        self.calls: list[tuple[str, str]] = []
        self.failures: dict[tuple[str, str], list[Exception]] = {}
        self.siblings: dict[Repository, MemoryRepository] = {}
        self._lock = threading.Lock()

    def put(self, tag: str, root: Content, *below: Content) -> None:
        """Fill the repository with an image whose layers hold the texts of `make_manifest`."""
        for content in (root, *below):
            self.manifests[content.digest] = content
        self.tags[Tag(tag)] = root.digest

    def resolve(self, target: Tag | Digest) -> Descriptor:
        self._called("resolve", target)
        return self._find(target).descriptor

    def fetch_manifest(self, target: Tag | Digest) -> Content:
        self._called("fetch_manifest", target)
        return self._find(target)

    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> AbstractContextManager[Iterator[bytes]]:
        self._called("fetch_blob", blob.digest)
        if blob.digest not in self.blobs:
            raise NotFoundError("blob unknown", reference=str(self.repository))
        return nullcontext(iter([self.blobs[blob.digest][from_byte:]]))

    def has_blob(self, blob: Descriptor) -> bool:
        self._called("has_blob", blob.digest)
        return blob.digest in self.blobs

    def blob_size(self, digest: Digest) -> int | None:
        self._called("blob_size", digest)
        return len(self.blobs[digest]) if digest in self.blobs else None

    def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        self._called("push_blob", blob.digest)
        if mount_from is not None and blob.digest in self.siblings[mount_from].blobs:
            self.blobs[blob.digest] = self.siblings[mount_from].blobs[blob.digest]
            return Pushed.MOUNTED
        with read(0) as chunks:
            self.blobs[blob.digest] = b"".join(chunks)
        return Pushed.UPLOADED

    def push_manifest(self, content: Content, tag: Tag | None = None) -> None:
        self._called("push_manifest", tag or content.digest)
        held = self.blobs if isinstance(content, Manifest) else self.manifests
        if any(entry.digest not in held for entry in content.successors()):
            raise StoreError("blob unknown to registry", code="MANIFEST_BLOB_UNKNOWN", status=400)
        self.manifests[content.digest] = content
        if tag is not None:
            self.tags[tag] = content.digest

    def push_referrer(self, content: Content, subject: Digest) -> bool:
        self.push_manifest(content)
        return False

    def delete_tag(self, tag: Tag) -> None:
        self._called("delete_tag", tag)
        if self.tags.pop(tag, None) is None:
            raise NotFoundError("manifest unknown", reference=f"{self.repository}:{tag}")

    def delete_manifest(self, digest: Digest) -> None:
        self._called("delete_manifest", digest)
        if self.manifests.pop(digest, None) is None:
            raise NotFoundError("manifest unknown", reference=f"{self.repository}@{digest}")
        self.tags = {tag: found for tag, found in self.tags.items() if found != digest}

    def list_tags(self) -> tuple[Tag, ...]:
        self._called("list_tags", "")
        return tuple(sorted(self.tags))

    def list_referrers(self, digest: Digest) -> tuple[Descriptor, ...] | None:
        self._called("list_referrers", digest)
        return None

    def called(self, method: str) -> list[str]:
        """The arguments of every call of one method, in order."""
        return [argument for name, argument in self.calls if name == method]

    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0].startswith(("push", "delete"))]

    def _called(self, method: str, argument: str) -> None:
        with self._lock:
            self.calls.append((method, str(argument)))
            failures = self.failures.get((method, str(argument)), [])
            if failures:
                raise failures.pop(0)

    def _find(self, target: Tag | Digest) -> Content:
        digest = target if isinstance(target, Digest) else self.tags.get(target)
        if digest not in self.manifests:
            raise NotFoundError("manifest unknown", reference=f"{self.repository}:{target}")
        return self.manifests[digest]


class MemoryCatalog:
    """What one registry lists, or the error that it answers with; `asked` are the prefixes, in order."""

    def __init__(self, *names: str, error: StoreError | None = None) -> None:
        self.asked: list[str] = []
        self._names, self._error = names, error

    def list_repositories(self, prefix: str) -> RepositoryList:
        self.asked.append(prefix)
        if self._error is not None:
            raise self._error
        return RepositoryList.of(self._names, prefix)


class MemoryStores:
    """Implements store.Stores and tasks.Hosts; a repository is made when it is first asked for."""

    def __init__(self) -> None:
        self.repositories: dict[Repository, MemoryRepository] = {}
        self.catalogs: dict[str, MemoryCatalog] = {}
        self.opened: list[str] = []
        """The registries whose catalog was asked for."""
        self.memory: Memory = NoMemory()
        self.creators: dict[Repository, Creator] = {}
        """Who makes a repository that is not there."""
        self._lock = threading.Lock()

    def __getitem__(self, repository: Repository) -> MemoryRepository:
        with self._lock:
            if repository not in self.repositories:
                made = self.repositories[repository] = MemoryRepository(repository)
                made.siblings = self.repositories
            return self.repositories[repository]

    def counts_pulls(self, registry: str) -> bool:
        return False

    def reserve_pulls(self, registry: str, count: int) -> None:
        pass

    def lister(self, registry: str) -> MemoryCatalog:
        self.opened.append(registry)
        return self.catalogs.setdefault(registry, MemoryCatalog())

    def creates(self, repository: Repository) -> bool:
        return repository in self.creators

    def creator(self, repository: Repository) -> Creator | None:
        return self.creators.get(repository)

    def push_times(self, registry: str) -> PushTimes:
        return NoPushTimes()

    def source(self, repository: Repository) -> MemoryRepository:
        return self[repository]

    def destination(self, repository: Repository) -> MemoryRepository:
        return self[repository]

    def slots(self, host: str) -> int:
        return 16

    def pause_seconds(self, host: str) -> float:
        return 0.0
