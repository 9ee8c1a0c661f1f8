"""The graph of one run: the tasks of every copy, each child manifest once for a repository, each blob uploaded once
for a registry. How one blob is copied is transfer's business, when a task starts is that of tasks.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from imagesync.cancellation import Cancellation
from imagesync.errors import ImagesyncError, IntegrityError, StoreError
from imagesync.executor.blame import blamed_on
from imagesync.executor.holders import Holders
from imagesync.executor.recheck import left_alone
from imagesync.executor.spread import Spread, find_spreads
from imagesync.manifest import Content, Descriptor, Manifest, walk
from imagesync.plan.actions import Copy, Plan
from imagesync.plan.diff import blobs_of
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.settled import failed
from imagesync.reference import Digest, Repository, Tag
from imagesync.store import Pushed, Stores
from imagesync.tasks import Task, Tasks
from imagesync.transfer.blob import BlobCopy
from imagesync.transfer.meter import Meter

HEAVY_BYTES = 1024 * 1024
"""A blob above this size counts against the bodies that a host may have under way."""
_ARRIVED_WRONG = frozenset({"MANIFEST_INVALID", "DIGEST_INVALID"})
_MANIFEST_RANK, _BLOB_RANK = 0, 1


@dataclass(frozen=True, slots=True)
class Running:
    """One copy under way: its last task, and the blobs that it moves itself."""

    copy: Copy
    last: Task[Outcome]
    blobs: tuple[tuple[Descriptor, Task[Pushed]], ...]

    def outcome(self) -> Outcome:
        """What became of the copy, once its last task has finished."""
        seconds = self._seconds()
        try:
            outcome = self.last.result()
        except ImagesyncError as error:
            outcome = failed(self.copy, error)
        return replace(
            outcome,
            bytes_copied=self._bytes(Pushed.UPLOADED),
            bytes_mounted=self._bytes(Pushed.MOUNTED),
            seconds=seconds,
        )

    def _seconds(self) -> float:
        """Since the first of its own tasks was started; 0 where none was."""
        own: list[Task[Any]] = [self.last, *(task for _, task in self.blobs)]
        starts = [task.started_at for task in own]
        return time.monotonic() - min((start for start in starts if start is not None), default=time.monotonic())

    def _bytes(self, how: Pushed) -> int:
        return sum(blob.size_bytes for blob, task in self.blobs if task.value is how)


class Graph:
    """The tasks of one run: each child manifest once for a repository, each blob uploaded once for a registry."""

    def __init__(self, stores: Stores, tasks: Tasks, meter: Meter, cancellation: Cancellation) -> None:
        self._stores = stores
        self._tasks = tasks
        self._meter = meter
        self._cancellation = cancellation
        self._nodes: dict[tuple[Repository, Digest, Repository], Task[Any]] = {}
        self._adding = threading.Lock()
        self._holders = Holders()
        self._spreads: dict[Digest, Spread] = {}
        self._counted: set[tuple[str, Digest]] = set()
        self.bytes_to_move = 0

    def add_all(self, plan: Plan) -> list[Running]:
        """Queue every copy of a plan."""
        copies = plan.copies()
        for copy in copies:
            self._note_what_is_held(copy, blobs_of(plan.contents[copy.root.digest], plan.contents))
        self._spreads = find_spreads(copies)
        for spread in self._spreads.values():
            self._add_spread(spread)
        return [self._add(copy, plan) for copy in copies]

    def _add(self, copy: Copy, plan: Plan) -> Running:
        """Queue everything that one copy needs, what writes the tag last."""
        root = plan.contents[copy.root.digest]
        own = tuple((blob, task) for blob in copy.missing if (task := self._blob(copy, blob)) is not None)
        for node in walk(root, plan.contents):
            if node.digest != root.digest:
                self._child(copy, node)
        last = self._tasks.add(
            partial(self._write_tag, copy, root, is_read_again=plan.from_file or copy.replaces is not None),
            hosts=[copy.destination.repository.registry],
            needs=self._below(copy, root),
            rank=(_MANIFEST_RANK,),
        )
        return Running(copy, last, own)

    def _blob(self, copy: Copy, blob: Descriptor) -> Task[Pushed] | None:
        """A task for this blob, or None where another copy from the same source brings it to the same repository."""
        key = self._key(copy, blob.digest)
        if key in self._nodes:
            return None
        with self._adding:  # the task may be started before it is noted, and looks itself up
            task = self._nodes[key] = self._tasks.add(
                partial(self._bring_blob, copy, blob),
                hosts=[copy.source.repository.registry, copy.destination.repository.registry],
                needs=self._signals(copy, blob),
                is_heavy=blob.size_bytes > HEAVY_BYTES,
                rank=(_BLOB_RANK, -blob.size_bytes),
            )
        self._count(copy, blob)
        return task

    def _child(self, copy: Copy, node: Content) -> None:
        key = self._key(copy, node.digest)
        if key not in self._nodes:
            self._nodes[key] = self._tasks.add(
                partial(self._push_child, copy, node),
                hosts=[copy.destination.repository.registry],
                needs=self._below(copy, node),
                rank=(_MANIFEST_RANK,),
            )

    def _below(self, copy: Copy, node: Content) -> list[Task[Any]]:
        """The tasks of this run that bring what a manifest or index needs; what is there already has none."""
        keys = [self._key(copy, entry.digest) for entry in node.successors()]
        return [self._nodes[key] for key in keys if key in self._nodes]

    @staticmethod
    def _key(copy: Copy, digest: Digest) -> tuple[Repository, Digest, Repository]:
        """What makes two needs one task. Another source is another task: where one has failed, the other may do."""
        return (copy.destination.repository, digest, copy.source.repository)

    def _signals(self, copy: Copy, blob: Descriptor) -> list[Task[Any]]:
        """What a blob's task waits for: the spread that brings the blob to its registry, if there is one."""
        spread = self._spreads.get(blob.digest)
        signal = spread.signals.get(copy.destination.repository.registry) if spread is not None else None
        return [] if signal is None or copy.is_within_registry else [signal]

    def _add_spread(self, spread: Spread) -> None:
        spread.signals = {registry: self._tasks.signal() for registry in spread.copies}
        self._tasks.add(
            partial(self._run_spread, spread),
            hosts=spread.hosts,
            is_heavy=spread.blob.size_bytes > HEAVY_BYTES,
            rank=(_BLOB_RANK, -spread.blob.size_bytes),
        )

    def _run_spread(self, spread: Spread) -> None:
        """Feed every registry that lacks the blob; what does not come of it, each does alone afterwards."""
        try:
            leading = spread.leading(self._holders)
            if len(leading) > 1:
                work = BlobCopy(self._stores.source(spread.source), self._meter, self._cancellation)
                pushers = [self._stores.destination(copy.destination.repository) for copy in leading]
                settled = [partial(self._settled, spread, copy) for copy in leading]
                work.run_for_all(spread.blob, list(zip(pushers, settled, strict=True)))
        finally:
            for signal in spread.signals.values():
                self._tasks.give(signal)

    def _settled(self, spread: Spread, copy: Copy, outcome: Pushed | BaseException) -> None:
        destination = copy.destination.repository
        if isinstance(outcome, Pushed):
            self._holders.add(destination, spread.blob.digest)
        self._tasks.give(spread.signals[destination.registry], outcome if isinstance(outcome, Pushed) else None)

    def _note_what_is_held(self, copy: Copy, blobs: tuple[Descriptor, ...]) -> None:
        missing = {blob.digest for blob in copy.missing}
        for blob in blobs:
            if blob.digest not in missing:
                self._holders.add(copy.destination.repository, blob.digest)

    def _count(self, copy: Copy, blob: Descriptor) -> None:
        """Bytes that have to be moved: once for a destination registry, none within one."""
        key = (copy.destination.repository.registry, blob.digest)
        if not copy.is_within_registry and key not in self._counted:
            self._counted.add(key)
            self.bytes_to_move += blob.size_bytes

    def _bring_blob(self, copy: Copy, blob: Descriptor) -> Pushed:
        """Mount what the registry has elsewhere, else upload it: once a registry, whoever needs it."""
        destination = copy.destination.repository
        if copy.is_within_registry:
            return self._copy_blob(copy, blob, mount_from=copy.source.repository)
        spread = self._spreads.get(blob.digest)
        if spread is not None and spread.copies.get(destination.registry) is copy:
            done: Pushed | None = spread.signals[destination.registry].value
            if done is not None:
                return done
        with self._adding:
            task = self._nodes[self._key(copy, blob.digest)]
        holder = self._holders.claim(destination, blob.digest, task)
        if holder == destination:
            return Pushed.PRESENT
        pushed = self._copy_blob(copy, blob, holder)
        self._holders.add(destination, blob.digest)
        return pushed

    def _copy_blob(self, copy: Copy, blob: Descriptor, mount_from: Repository | None = None) -> Pushed:
        work = BlobCopy(self._stores.source(copy.source.repository), self._meter, self._cancellation)
        with blamed_on("destination"):
            return work.run(blob, self._stores.destination(copy.destination.repository), mount_from)

    def _push_child(self, copy: Copy, node: Content) -> None:
        if not self._push(copy, node, None):
            self._bring_what_is_missing(copy, node)
            self._push(copy, node, None, is_last=True)

    def _write_tag(self, copy: Copy, root: Content, *, is_read_again: bool) -> Outcome:
        """Write the root under its tag. Where the tag may have moved it is read right before each try to write it."""
        for is_last in (False, True):
            reason_not_to = left_alone(copy, self._stores) if is_read_again else None
            if reason_not_to is not None:
                return reason_not_to
            self._cancellation.check()
            if self._push(copy, root, copy.destination.tag, is_last=is_last):
                break
            self._bring_what_is_missing(copy, root)
        return Outcome(copy, Status.COPIED)

    def _push(self, copy: Copy, node: Content, tag: Tag | None, *, is_last: bool = False) -> bool:
        """Write a manifest; False where the registry lacks one of its blobs, unless this `is_last` try."""
        with blamed_on("destination"):
            try:
                self._push_twice(copy, node, tag)
            except StoreError as error:
                if is_last or error.code != "MANIFEST_BLOB_UNKNOWN" or not isinstance(node, Manifest):
                    raise
                return False
        return True

    def _push_twice(self, copy: Copy, node: Content, tag: Tag | None) -> None:
        """Write a manifest, once more where it seems to have arrived with other bytes than it was sent with."""
        destination = self._stores.destination(copy.destination.repository)
        try:
            destination.push_manifest(node, tag)
        except StoreError as error:
            if not isinstance(error, IntegrityError) and error.code not in _ARRIVED_WRONG:
                raise
            destination.push_manifest(node, tag)

    def _bring_what_is_missing(self, copy: Copy, node: Content) -> None:
        """A repair, once a manifest: a mount that was none, or a blob that was collected since it was seen."""
        destination = self._stores.destination(copy.destination.repository)
        for blob in node.successors():
            with blamed_on("destination"):
                is_there = destination.has_blob(blob)
            if not is_there:
                self._copy_blob(copy, blob)
