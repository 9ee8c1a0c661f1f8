"""Holders: which repository of a registry holds a blob, which task is bringing it there, and which reads it at all.

What one repository holds, others of its registry mount; what this run has brought to one registry, others are fed
from. What earlier runs have learnt stands in for what this one does not know. Nothing here reads a store.
"""

from __future__ import annotations

import threading
from typing import Any

from imagesync.reference import Digest, Repository
from imagesync.store import Memory
from imagesync.tasks import Postponed, Task


class Holders:
    """Thread-safe. A holder is a hint: a mount that is refused becomes an upload."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._held: dict[tuple[str, Digest], Repository] = {}
        self._leaders: dict[tuple[str, Digest], Task[Any]] = {}
        self._readers: dict[Digest, Task[Any]] = {}
        self._arrived: dict[Digest, list[Repository]] = {}

    def add(self, repository: Repository, digest: Digest) -> None:
        """This repository holds this blob."""
        with self._lock:
            self._held.setdefault((repository.registry, digest), repository)

    def arrived(self, repository: Repository, digest: Digest) -> None:
        """This run has brought this blob to this repository."""
        self.add(repository, digest)
        self._memory.note(repository, digest)
        with self._lock:
            self._arrived.setdefault(digest, []).append(repository)

    def claim_reading(self, digest: Digest, task: Task[Any]) -> tuple[Repository, ...]:
        """Where this run has brought the blob already, to be read there; nowhere: `task` is now the one to read it.

        Raises Postponed while another task reads it: a source gives each blob once.
        """
        with self._lock:
            reader = self._readers.get(digest)
            if places := self._arrived.get(digest):
                return tuple(places)
            if reader is None or reader is task or reader.is_finished:
                self._readers[digest] = task
                return ()
        raise Postponed(reader)

    def has(self, registry: str, digest: Digest) -> bool:
        """Whether some repository of this registry is known to hold this blob."""
        with self._lock:
            return self._holder(registry, digest) is not None

    def claim(self, repository: Repository, digest: Digest, task: Task[Any]) -> Repository | None:
        """Which repository of this one's registry holds the blob (perhaps this very one); None where `task` is now
        the one to bring it there.

        Raises Postponed while another task is doing that: one upload a registry, the others follow. When that one
        fails, the next that comes leads.
        """
        key = (repository.registry, digest)
        with self._lock:
            holder = self._holder(*key)
            leader = self._leaders.get(key)
            if holder is not None:
                return holder
            if leader is None or leader is task or leader.is_finished:
                self._leaders[key] = task
                return None
        raise Postponed(leader)

    def _holder(self, registry: str, digest: Digest) -> Repository | None:
        return self._held.get((registry, digest)) or self._memory.holder(registry, digest)
