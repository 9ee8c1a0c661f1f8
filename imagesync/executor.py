"""The executor: the only writer. Carries out a ReviewedPlan as a graph of tasks and yields an Outcome for each action.

Blobs, then children by digest, then the root with its tag. Its one judgement is *stale*: the destination's tag
no longer has the digest that the plan saw. How one blob is copied is transfer's business.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled, ImagesyncError, NotFoundError, StoreError
from imagesync.manifest import Content, Descriptor, Manifest, walk
from imagesync.plan.actions import Action, Blocked, Copy, Failure, Keep, Plan, Skip
from imagesync.plan.inventory import str_without_hint
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.review import ReviewedPlan
from imagesync.reference import Digest, Repository, Tag
from imagesync.store import Pushed, Stores, Writable
from imagesync.tasks import Task, Tasks
from imagesync.transfer.blob import BlobCopy
from imagesync.transfer.meter import Meter

HEAVY_BYTES = 1024 * 1024
"""A blob above this size counts against the bodies that a host may have under way."""
STALE_EXIT_CODE = 3
"""As for a blocked copy: the tag was left alone, the rest was carried out."""
_MANIFEST_RANK, _BLOB_RANK = 0, 1


class Executor:
    """Carries out one plan; `meter` tells how far it is."""

    def __init__(self, stores: Stores, tasks: Tasks, cancellation: Cancellation) -> None:
        self.meter = Meter()
        self._stores = stores
        self._tasks = tasks
        self._cancellation = cancellation

    def run(self, reviewed: ReviewedPlan) -> Iterator[Outcome]:
        """Yield the outcome of every action: at once where nothing is to be done, else as copies finish."""
        plan = reviewed.plan
        copies = plan.copies()
        graph = _Graph(self._stores, self._tasks, self.meter, self._cancellation)
        running = {one.last: one for one in (graph.add(copy, plan) for copy in copies)}
        self.meter.total = len(copies)
        self.meter.total_bytes = graph.bytes_to_move
        for action in plan.actions:
            if not isinstance(action, Copy):
                yield _settled(action)
        for task in self._tasks.completed(running):
            self.meter.finished()
            yield running[task].outcome()


@dataclass(frozen=True, slots=True)
class _Done:
    """What the last task of a copy found: written, or left alone with the reason."""

    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Running:
    """One copy under way: its last task, and the blobs that it moves itself."""

    copy: Copy
    last: Task[_Done]
    blobs: tuple[tuple[Descriptor, Task[Pushed]], ...]

    def outcome(self) -> Outcome:
        """What became of the copy, once its last task has finished."""
        seconds = self._seconds()
        try:
            done = self.last.result()
        except ImagesyncError as error:
            return _failed(self.copy, error, seconds)
        return Outcome(
            self.copy,
            done.status,
            done.reason,
            exit_code=STALE_EXIT_CODE if done.status is Status.STALE else 0,
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


class _Graph:
    """The tasks of one run: each blob and each child manifest once for a destination repository."""

    def __init__(self, stores: Stores, tasks: Tasks, meter: Meter, cancellation: Cancellation) -> None:
        self._stores = stores
        self._tasks = tasks
        self._meter = meter
        self._cancellation = cancellation
        self._nodes: dict[tuple[Repository, Digest], Task[Any]] = {}
        self.bytes_to_move = 0

    def add(self, copy: Copy, plan: Plan) -> _Running:
        """Queue everything that one copy needs, what writes the tag last."""
        own = tuple((blob, task) for blob in copy.missing if (task := self._blob(copy, blob)) is not None)
        root = plan.contents[copy.root.digest]
        for node in walk(root, plan.contents):
            if node.digest != root.digest:
                self._child(copy, node)
        last = self._tasks.add(
            partial(self._write_tag, copy, root, plan.from_file),
            hosts=[copy.destination.repository.registry],
            needs=self._below(copy, root),
            rank=(_MANIFEST_RANK,),
        )
        return _Running(copy, last, own)

    def _blob(self, copy: Copy, blob: Descriptor) -> Task[Pushed] | None:
        """A task for this blob, or None where another copy of this run brings it to the same repository."""
        key = (copy.destination.repository, blob.digest)
        if key in self._nodes:
            return None
        task = self._nodes[key] = self._tasks.add(
            partial(self._copy_blob, copy, blob),
            hosts=[copy.source.repository.registry, copy.destination.repository.registry],
            is_heavy=blob.size_bytes > HEAVY_BYTES,
            rank=(_BLOB_RANK, -blob.size_bytes),
        )
        self.bytes_to_move += 0 if copy.is_within_registry else blob.size_bytes
        return task

    def _child(self, copy: Copy, node: Content) -> None:
        key = (copy.destination.repository, node.digest)
        if key not in self._nodes:
            self._nodes[key] = self._tasks.add(
                partial(self._push_manifest, copy, node, None),
                hosts=[copy.destination.repository.registry],
                needs=self._below(copy, node),
                rank=(_MANIFEST_RANK,),
            )

    def _below(self, copy: Copy, node: Content) -> list[Task[Any]]:
        """The tasks of this run that bring what a manifest or index needs; what is there already has none."""
        keys = [(copy.destination.repository, entry.digest) for entry in node.successors()]
        return [self._nodes[key] for key in keys if key in self._nodes]

    def _copy_blob(self, copy: Copy, blob: Descriptor, *, may_mount: bool = True) -> Pushed:
        source, destination = copy.source.repository, copy.destination.repository
        work = BlobCopy(
            self._stores.source(source),
            self._stores.destination(destination),
            meter=self._meter,
            cancellation=self._cancellation,
        )
        with _blamed_on("destination"):
            return work.run(blob, source if copy.is_within_registry and may_mount else None)

    def _push_manifest(self, copy: Copy, node: Content, tag: Tag | None) -> None:
        destination = self._stores.destination(copy.destination.repository)
        with _blamed_on("destination"):
            try:
                destination.push_manifest(node, tag)
            except StoreError as error:
                if error.code != "MANIFEST_BLOB_UNKNOWN" or not isinstance(node, Manifest):
                    raise
                self._bring_what_is_missing(copy, node, destination)
                destination.push_manifest(node, tag)

    def _bring_what_is_missing(self, copy: Copy, manifest: Manifest, destination: Writable) -> None:
        """A repair, once a manifest: a mount that was none, or a blob that was collected since it was seen."""
        for blob in manifest.successors():
            if not destination.has_blob(blob):
                self._copy_blob(copy, blob, may_mount=False)

    def _write_tag(self, copy: Copy, root: Content, from_file: bool) -> _Done:
        if from_file or copy.replaces is not None:
            with _blamed_on("destination"):
                left_alone = self._left_alone(copy)
            if left_alone is not None:
                return left_alone
        self._cancellation.check()
        self._push_manifest(copy, root, copy.destination.tag)
        return _Done(Status.COPIED)

    def _left_alone(self, copy: Copy) -> _Done | None:
        """Read the tag once more: a registry has no compare-and-set, this comes as close as it gets."""
        try:
            now = self._stores.destination(copy.destination.repository).resolve(copy.destination.target).digest
        except NotFoundError:
            now = None
        if now == copy.root.digest:
            return _Done(Status.UNCHANGED, "another hand has written the same digest")
        if now == copy.replaces:
            return None
        seen = f"pointed to {copy.replaces.short}" if copy.replaces else "was not there"
        found = f"points to {now.short} now" if now else "is gone now"
        return _Done(Status.STALE, f"the tag {seen} when the plan was made, and {found}")


@contextmanager
def _blamed_on(side: str) -> Iterator[None]:
    """Say of a StoreError that passes through which side it is of, unless that is known."""
    try:
        yield
    except StoreError as error:
        error.side = error.side or side
        raise


def _settled(action: Keep | Skip | Failure | Blocked) -> Outcome:
    """The outcome of an action that asks for nothing to be done."""
    if isinstance(action, Keep):
        return Outcome(action, Status.UNCHANGED)
    if isinstance(action, Skip):
        return Outcome(action, Status.SKIPPED, action.reason)
    if isinstance(action, Blocked):
        return Outcome(action, Status.BLOCKED, action.reason, exit_code=3)
    return Outcome(action, Status.FAILED, action.reason, action.hint, action.kind, exit_code=1)


def _failed(action: Action, error: ImagesyncError, seconds: float) -> Outcome:
    status = Status.CANCELLED if isinstance(error, Cancelled) else Status.FAILED
    return Outcome(
        action, status, str_without_hint(error), error.hint, error.kind, exit_code=error.exit_code, seconds=seconds
    )
