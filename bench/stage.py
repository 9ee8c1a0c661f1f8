"""The stage of a scenario: a folder in memory, a source registry over TLS, and an environment without logins."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.fill import fill
from tests.real.layouts import make_layout
from tests.real.registries import Authority, RealRegistry, memory_folder

_SPARE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Stage:
    """Where a scenario plays. What is put into `folder` goes with it."""

    folder: Path
    authority: Authority
    source: RealRegistry

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

    def load(self, repository: str, tags: tuple[str, ...], *, layers: int, layer_bytes: int, shared: int = 0) -> None:
        """Make images and put them into the source registry."""
        layout = make_layout(self.folder / "layout", list(tags), layers=layers, layer_bytes=layer_bytes, shared=shared)
        fill(self.source, repository, layout, tags)
        shutil.rmtree(layout.folder)


def folder_with_room(needed_bytes: int) -> Path:
    """A folder in memory, or, where that has no room, the one for temporary files: then the disk is measured too."""
    memory = memory_folder()
    if memory is not None and shutil.disk_usage(memory).free > needed_bytes + _SPARE_BYTES:
        return memory
    return Path(tempfile.gettempdir())
