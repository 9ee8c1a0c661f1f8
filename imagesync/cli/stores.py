"""Which class serves which repository: registries, OCI layouts and archives behind one door."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from imagesync.cancellation import Cancellation
from imagesync.errors import UsageError
from imagesync.reference import Repository
from imagesync.registry import Registries
from imagesync.settings import DEFAULT_CONCURRENCY, Settings
from imagesync.store import Readable, Writable

LAYOUT_CONCURRENCY = 8


class OpenStores:
    """Implements store.Stores. `directory` is where relative `oci:` paths count from."""

    def __init__(
        self, settings: Settings, cancellation: Cancellation, *, directory: str, environment: Mapping[str, str]
    ) -> None:
        self.registries = Registries(settings, cancellation, environment=environment)
        self._settings = settings
        self._directory = Path(directory)
        self._lock = threading.Lock()
        self._layouts: dict[str, object] = {}

    def source(self, repository: Repository) -> Readable:
        if repository.registry.startswith("oci-archive:"):
            return self._archive(repository)
        return self.destination(repository)

    def destination(self, repository: Repository) -> Writable:
        if repository.registry.startswith("oci-archive:"):
            raise UsageError(f"{repository.registry} can only be read", hint="write to oci:DIRECTORY")
        if repository.registry.startswith("oci:"):
            return self._layout(repository)
        return self.registries.repository(repository)

    def concurrency(self, registry: str) -> int:
        if registry.startswith("oci"):
            return LAYOUT_CONCURRENCY
        return self._settings.for_host(registry).concurrency or DEFAULT_CONCURRENCY

    def close(self) -> None:
        self.registries.close()
