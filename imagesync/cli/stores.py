"""Which class serves which repository: registries, layouts and archives behind one door."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cancellation import Cancellation
from imagesync.errors import UsageError
from imagesync.reference import ARCHIVE_SCHEMES, DOCKER_ARCHIVE, LAYOUT_SCHEMES, Repository
from imagesync.registry import Registries, RetryPolicy
from imagesync.settings import Settings
from imagesync.store import Creator, Memory, NoMemory, NoPushTimes, PushTimes, Readable, RepositoryLister, Writable

if TYPE_CHECKING:
    from imagesync.archive import ArchiveTree, DockerArchive
    from imagesync.cache import Cache
    from imagesync.layout import LayoutTree

LAYOUT_CONCURRENCY = 8


class OpenStores:
    """Implements store.Stores and tasks.Hosts. `directory` is where relative `oci:` paths count from."""

    def __init__(
        self,
        settings: Settings,
        cancellation: Cancellation,
        *,
        directory: str,
        environment: Mapping[str, str],
        cache: Cache | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.memory: Memory = cache or NoMemory()
        self.registries = Registries(
            settings, cancellation, environment=environment, policy=policy or RetryPolicy(), ledger=cache
        )
        self._cancellation = cancellation
        self._directory = Path(directory)
        self._lock = threading.Lock()
        self._trees: dict[Path, LayoutTree] = {}
        self._archives: dict[Path, ArchiveTree] = {}
        self._docker_archives: dict[Path, DockerArchive] = {}

    def counts_pulls(self, registry: str) -> bool:
        return not registry.startswith(LAYOUT_SCHEMES) and self.registries.counts_pulls(registry)

    def reserve_pulls(self, registry: str, count: int) -> None:
        if not registry.startswith(LAYOUT_SCHEMES):
            self.registries.reserve_pulls(registry, count)

    def lister(self, registry: str) -> RepositoryLister:
        if registry.startswith(ARCHIVE_SCHEMES):
            return self._archive(registry)
        if registry.startswith("oci:"):
            return self._layout_tree(registry)
        return self.registries.lister(registry)

    def push_times(self, registry: str) -> PushTimes:
        if registry.startswith(LAYOUT_SCHEMES):
            return NoPushTimes()
        return self.registries.push_times(registry)

    def creates(self, repository: Repository) -> bool:
        return not repository.is_layout and self.registries.creates(repository)

    def creator(self, repository: Repository) -> Creator | None:
        return None if repository.is_layout else self.registries.creator(repository)

    def source(self, repository: Repository) -> Readable:
        if repository.registry.startswith(ARCHIVE_SCHEMES):
            return self._archive(repository.registry).repository(repository.path)
        if repository.registry.startswith("oci:"):
            return self._layout_tree(repository.registry).source(repository.path)
        return self.registries.repository(repository)

    def destination(self, repository: Repository) -> Writable:
        if repository.registry.startswith(ARCHIVE_SCHEMES):
            raise UsageError(f"{repository.registry} can only be read", hint="write to oci:DIRECTORY")
        if repository.registry.startswith("oci:"):
            return self._layout_tree(repository.registry).repository(repository.path)
        return self.registries.repository(repository)

    def slots(self, host: str) -> int:
        return LAYOUT_CONCURRENCY if host.startswith(LAYOUT_SCHEMES) else self.registries.slots(host)

    def pause_seconds(self, host: str) -> float:
        return 0.0 if host.startswith(LAYOUT_SCHEMES) else self.registries.pause_seconds(host)

    def close(self) -> None:
        self.registries.close()

    def shutdown(self) -> None:
        """Wake whatever hangs on a socket."""
        self.registries.shutdown()

    def _layout_tree(self, registry: str) -> LayoutTree:
        from imagesync.layout import LayoutTree  # noqa: PLC0415 - most specs have none

        root = self._directory / registry.removeprefix("oci:")
        with self._lock:
            return self._trees.setdefault(root, LayoutTree(root, lists_with_tag=True))

    def _archive(self, registry: str) -> ArchiveTree | DockerArchive:
        from imagesync.archive import ArchiveTree, DockerArchive  # noqa: PLC0415 - as above

        if registry.startswith(DOCKER_ARCHIVE):
            file = self._directory / registry.removeprefix(DOCKER_ARCHIVE)
            with self._lock:
                return self._docker_archives.setdefault(file, DockerArchive(file, self._cancellation))
        file = self._directory / registry.removeprefix("oci-archive:")
        with self._lock:
            return self._archives.setdefault(file, ArchiveTree(file))
