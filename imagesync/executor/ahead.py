"""Ahead: small blobs are read before their destination has a slot for them, so that neither side waits for the other.

Only so many at once for one registry: what has been read and not written is bounded, and a registry that is slow or
asks for patience holds no slot of the source.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from functools import partial

from imagesync.errors import StoreError
from imagesync.executor.holders import Holders
from imagesync.executor.need import Need
from imagesync.plan.order import rank_of_blob
from imagesync.store import Stores
from imagesync.tasks import Postponed, Task, Tasks
from imagesync.transfer.verify import verified

MAX_BYTES = 256 * 1024
"""Larger blobs are moved piece by piece, and never kept."""
MOST_AT_ONCE = 32
"""Blobs that are being read for one registry, or were and are on their way to it: 8 MiB at most."""


class Ahead:
    """Reads for the needs that it is given, in their order; every method from any thread."""

    def __init__(self, stores: Stores, tasks: Tasks, holders: Holders) -> None:
        self._stores = stores
        self._tasks = tasks
        self._holders = holders
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, deque[tuple[Need, Task[None]]]] = defaultdict(deque)
        self._taken: defaultdict[str, int] = defaultdict(int)

    def add(self, need: Need, over: Task[None]) -> None:
        """Read this need's blob when its turn comes; then the signal `over` is given, whatever came of it."""
        registry = need.copy.destination.repository.registry
        with self._lock:
            self._waiting[registry].append((need, over))
        self._go_on(registry)

    def done(self, need: Need) -> None:
        """The blob has arrived, or never will: forget its bytes, and read for the next."""
        if not need.is_ahead:
            return
        need.is_ahead, need.ahead = False, None
        registry = need.copy.destination.repository.registry
        with self._lock:
            self._taken[registry] -= 1
        self._go_on(registry)

    def _go_on(self, registry: str) -> None:
        while (found := self._next(registry)) is not None:
            need, over = found
            self._tasks.add(
                partial(self._read, need, over),
                hosts=[need.copy.source.repository.registry],
                rank=rank_of_blob(need.blob, need.position),
            )

    def _next(self, registry: str) -> tuple[Need, Task[None]] | None:
        with self._lock:
            if self._taken[registry] >= MOST_AT_ONCE or not self._waiting[registry]:
                return None
            self._taken[registry] += 1
            need, over = self._waiting[registry].popleft()
            need.is_ahead = True
            return need, over

    def _read(self, need: Need, over: Task[None]) -> None:
        """Read the blob if its task is the one to do so; what goes wrong is for that task to deal with."""
        try:
            if need.error() is None and self._is_to_be_read(need):
                need.ahead = self._bytes(need)
        except StoreError as error:
            error.side = "source"
            need.ahead = error
        finally:
            self._tasks.give(over)

    def _is_to_be_read(self, need: Need) -> bool:
        assert need.task is not None  # noqa: S101 - narrows: it waits for this very read
        destination, digest = need.copy.destination.repository, need.blob.digest
        try:
            if self._holders.claim(destination, digest, need.task) is not None:
                return False
            return not self._holders.claim_reading(digest, need.task)
        except Postponed:
            return False

    def _bytes(self, need: Need) -> bytes:
        with self._stores.source(need.copy.source.repository).fetch_blob(need.blob) as pieces:
            return b"".join(verified(pieces, need.blob))
