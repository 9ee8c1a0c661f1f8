"""The stage of a scenario: registries on loopback, the distance to them, and an environment without logins."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.wire import Fault, Wire
from tests.real.registries import Authority, RealRegistry, memory_folder, plain_registry, tls_registry

_SPARE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Side:
    """A registry, and the host that a program reaches it by: that of a wire, where there is a distance."""

    registry: RealRegistry
    host: str


@dataclass(frozen=True)
class Stage:
    """Where a scenario plays. What is put into `folder` goes with it."""

    folder: Path
    authority: Authority
    is_tls: bool
    round_trip_seconds: float

    @contextmanager
    def side(self) -> Iterator[Side]:
        """A new, empty registry."""
        opened = tls_registry(self.authority, self.folder) if self.is_tls else plain_registry(self.folder)
        with opened as registry:
            if not self.round_trip_seconds:
                yield Side(registry, registry.host)
                return
            with Wire(registry.host) as wire:
                wire.fault = Fault(round_trip_seconds=self.round_trip_seconds)
                yield Side(registry, wire.host)

    def environment(self, cache: Path) -> dict[str, str]:
        """For every contestant the same: it trusts the authority, has no login, and an empty cache of its own."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **kept,
            "HOME": str(cache),
            "XDG_CACHE_HOME": str(cache),
            "XDG_RUNTIME_DIR": str(cache),
            "SSL_CERT_FILE": str(self.authority.file),
        }


def folder_with_room(needed_bytes: int) -> Path:
    """A folder in memory, or, where that has no room, the one for temporary files: then the disk is measured too."""
    memory = memory_folder()
    if memory is not None and shutil.disk_usage(memory).free > needed_bytes + _SPARE_BYTES:
        return memory
    return Path(tempfile.gettempdir())
