"""Holders: which repository of a registry holds a blob, and which task is bringing it there first.

What one repository holds, others of its registry mount. Knowledge of one run; nothing here reads a store.
"""

from __future__ import annotations

import threading
from typing import Any

from imagesync.reference import Digest, Repository
from imagesync.tasks import Postponed, Task


class Holders:
    """Thread-safe. A holder is a hint: a mount that is refused becomes an upload."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[str, Digest], Repository] = {}
        self._leaders: dict[tuple[str, Digest], Task[Any]] = {}

    def add(self, repository: Repository, digest: Digest) -> None:
        """This repository holds this blob."""
        with self._lock:
            self._held.setdefault((repository.registry, digest), repository)

    def claim(self, repository: Repository, digest: Digest, task: Task[Any]) -> Repository | None:
        """Which repository of this one's registry holds the blob (perhaps this very one); None where `task` is now
        the one to bring it there.

        Raises Postponed while another task is doing that: one upload a registry, the others follow. When that one
        fails, the next that comes leads.
        """
        key = (repository.registry, digest)
        with self._lock:
            holder = self._held.get(key)
            leader = self._leaders.get(key)
            if holder is not None:
                return holder
            if leader is None or leader is task or leader.is_finished:
                self._leaders[key] = task
                return None
        raise Postponed(leader)
