"""Delivery: how a blob gets into a repository. Mounted where its registry holds it, else brought: once a registry,
and read once from its source, whoever lacks it. How one blob is copied is transfer's business.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from imagesync.cancellation import Cancellation
from imagesync.errors import StoreError
from imagesync.executor.blame import blamed_on
from imagesync.executor.holders import Holders
from imagesync.executor.need import Need
from imagesync.executor.spread import Spread
from imagesync.manifest import Descriptor
from imagesync.plan.actions import Copy
from imagesync.reference import Repository
from imagesync.store import BlobFetcher, Pushed, Stores
from imagesync.tasks import MoreHosts, Task, Tasks
from imagesync.transfer.blob import ATTEMPTS, BlobCopy
from imagesync.transfer.meter import Meter

MOST_DROPS = 2
"""A registry that dropped out of as many spreads is fed alone from then on: it would hold up the others again."""


class Delivery:
    """Brings the blobs of one run; called by its tasks, from any thread."""

    def __init__(self, stores: Stores, tasks: Tasks, meter: Meter, cancellation: Cancellation) -> None:
        self.holders = Holders(stores.memory)
        self._stores = stores
        self._tasks = tasks
        self._meter = meter
        self._cancellation = cancellation
        self._drops: Counter[str] = Counter()
        self._unreadable: set[Repository] = set()
        self._without_mounts: set[str] = set()
        """Registries whose last mount became an upload: the next is tried with a slot of its source in hand."""
        self._lock = threading.Lock()

    def bring(self, need: Need, task: Task[Pushed]) -> Pushed:
        """Do what `need` asks for, as the work of `task`. Raises Postponed while another task brings the same blob."""
        copy, blob, spread = need.copy, need.blob, need.spread
        destination = copy.destination.repository
        if copy.is_within_registry:
            return self.copy_blob(copy, blob, mount_from=copy.source.repository)
        if spread is not None and spread.copies.get(destination.registry) is copy:
            done: Pushed | None = spread.signals[destination.registry].value
            if done is not None:
                return done
        holder = self.holders.claim(destination, blob.digest, task)
        if holder == destination:
            return Pushed.PRESENT
        pushed = self._mount(need, holder, task) if holder is not None else self._copy_from_any(need, task)
        self.holders.arrived(destination, blob.digest)
        return pushed

    def copy_blob(self, copy: Copy, blob: Descriptor, mount_from: Repository | None = None) -> Pushed:
        """Mount or upload one blob, whoever else may do so too."""
        return self._copy(copy, blob, self._stores.source(copy.source.repository), mount_from=mount_from)

    def bring_again(self, copy: Copy, blob: Descriptor) -> None:
        """Upload a blob that the destination turned out not to hold, whatever is known of it."""
        destination = copy.destination.repository
        self._stores.memory.forget(destination, blob.digest)
        self._meter.expect_bytes(blob.size_bytes)
        self.copy_blob(copy, blob)
        self.holders.arrived(destination, blob.digest)

    def run_spread(self, spread: Spread, reading: Task[None]) -> None:
        """Feed every registry that lacks the blob; what does not come of it, each does alone afterwards.

        Raises Postponed while another task reads the blob for another image.
        """
        places = self.holders.claim_reading(spread.blob.digest, reading)
        try:
            self._feed(spread, places[0] if places else spread.source)
        finally:
            for signal in (reading, *spread.signals.values()):
                self._tasks.give(signal)

    def _feed(self, spread: Spread, source: Repository) -> None:
        leading = [copy for copy in spread.leading(self.holders) if not self._is_left_out(copy)]
        fed = leading if len(leading) > 1 else []
        for registry in spread.copies.keys() - {copy.destination.repository.registry for copy in fed}:
            self._tasks.give(spread.signals[registry])
        if fed:
            work = BlobCopy(self._stores.source(source), self._meter, self._cancellation)
            pushers = [self._stores.destination(copy.destination.repository) for copy in fed]
            settled = [partial(self._settled, spread, copy) for copy in fed]
            work.run_for_all(spread.blob, list(zip(pushers, settled, strict=True)))

    def _settled(self, spread: Spread, copy: Copy, outcome: Pushed | BaseException) -> None:
        destination = copy.destination.repository
        if isinstance(outcome, Pushed):
            self.holders.arrived(destination, spread.blob.digest)
        elif not (isinstance(outcome, StoreError) and outcome.side == "source"):
            self._dropped_out(destination.registry)
        self._tasks.give(spread.signals[destination.registry], outcome if isinstance(outcome, Pushed) else None)

    def _dropped_out(self, registry: str) -> None:
        with self._lock:
            self._drops[registry] += 1
            drops = self._drops[registry]
        if drops == MOST_DROPS:
            self._tasks.give_up(registry)

    def _is_left_out(self, copy: Copy) -> bool:
        return self._tasks.is_left_out(copy.destination.repository.registry)

    def _mount(self, need: Need, holder: Repository, task: Task[Pushed]) -> Pushed:
        """Mount what another repository holds; an upload where it does not, or where mounting is refused."""
        has_slot = need.copy.source.repository.registry in task.hosts
        if not has_slot and holder.registry in self._without_mounts:
            raise MoreHosts(hosts_of(need.copy))
        source = self._stores.source(need.copy.source.repository) if has_slot else _NoSlot(need.copy)
        try:
            pushed = self._copy(need.copy, need.blob, source, mount_from=holder)
        except MoreHosts:
            self._without_mounts.add(holder.registry)
            raise
        if pushed is Pushed.UPLOADED:
            self._stores.memory.forget(holder, need.blob.digest)
        else:
            self._without_mounts.discard(holder.registry)
        return pushed

    def _copy_from_any(self, need: Need, task: Task[Pushed]) -> Pushed:
        """Bring a blob from where this run has brought it already, where that can be read, else from its source."""
        for place in self.holders.claim_reading(need.blob.digest, task):
            if place in self._unreadable:
                continue
            try:
                return self._copy(need.copy, need.blob, self._stores.source(place), source_attempts=1)
            except StoreError as error:
                if error.side != "source":
                    raise
                self._unreadable.add(place)
        return self._copy_from_source(need, task)

    def _copy_from_source(self, need: Need, task: Task[Pushed]) -> Pushed:
        """From the bytes that were read ahead, else from the source, once there is a slot of it."""
        copy, blob = need.copy, need.blob
        if isinstance(need.ahead, bytes):
            return self._copy(copy, blob, _InMemory(need.ahead))
        if copy.source.repository.registry not in task.hosts:
            raise MoreHosts(hosts_of(copy))
        return self._copy(copy, blob, self._stores.source(copy.source.repository), failed=need.ahead)

    def _copy(
        self,
        copy: Copy,
        blob: Descriptor,
        source: BlobFetcher,
        *,
        mount_from: Repository | None = None,
        source_attempts: int = ATTEMPTS,
        failed: StoreError | None = None,
    ) -> Pushed:
        work = BlobCopy(source, self._meter, self._cancellation, source_attempts=source_attempts, failed=failed)
        with blamed_on("destination"):
            return work.run(blob, self._stores.destination(copy.destination.repository), mount_from)


class _InMemory:
    """A blob that has been read, and verified."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> AbstractContextManager[Iterator[bytes]]:  # noqa: ARG002
        return nullcontext(iter([self._raw[from_byte:]] if self._raw[from_byte:] else []))


class _NoSlot:
    """A source that may not be asked yet: the mount that was to make it unnecessary has failed."""

    def __init__(self, copy: Copy) -> None:
        self._copy = copy

    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> AbstractContextManager[Iterator[bytes]]:  # noqa: ARG002
        raise MoreHosts(hosts_of(self._copy))


def hosts_of(copy: Copy) -> tuple[str, str]:
    """The registries that a copy moves bytes between."""
    return copy.source.repository.registry, copy.destination.repository.registry
