"""The executor: the only writer. Carries out a ReviewedPlan as a graph of tasks and yields an Outcome for each action.

Blobs, then children by digest, then the root with its tag. Its one judgement is *stale*: the destination's tag
no longer has the digest that the plan saw. How one blob is copied is transfer's business.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled, ImagesyncError, NotFoundError, StoreError
from imagesync.manifest import Content, Descriptor, Index, walk
from imagesync.plan.actions import Action, Blocked, Copy, Failure, Keep, Plan, Skip
from imagesync.plan.inventory import str_without_hint
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.review import ReviewedPlan
from imagesync.reference import Digest, Repository
from imagesync.store import Pushed, Stores, Writable
from imagesync.tasks import Task, Tasks
from imagesync.transfer.blob import BlobCopy
from imagesync.transfer.meter import Meter

HEAVY_BYTES = 1024 * 1024
"""A blob above this size counts against the bodies that a host may have under way."""
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
        running = {graph.add(copy, plan): copy for copy in copies}
        self.meter.total = len(copies)
        self.meter.total_bytes = graph.bytes_to_move
        for action in plan.actions:
            if not isinstance(action, Copy):
                yield _settled(action)
        for task in self._tasks.completed(running):
            self.meter.finished()
            yield graph.outcome(running[task], task)


@dataclass(frozen=True, slots=True)
class _Done:
    """What the last task of a copy found: written, or left alone with the reason."""

    status: Status
    reason: str = ""
    finished_at: float = 0.0


class _Graph:
    """The tasks of one run: each blob and each child manifest once for a destination repository."""

    def __init__(self, stores: Stores, tasks: Tasks, meter: Meter, cancellation: Cancellation) -> None:
        self._stores = stores
        self._tasks = tasks
        self._meter = meter
        self._cancellation = cancellation
        self._blobs: dict[tuple[Repository, Digest], Task[Pushed]] = {}
        self._manifests: dict[tuple[Repository, Digest], Task[None]] = {}
        self._own_blobs: dict[Copy, list[tuple[Descriptor, Task[Pushed]]]] = {}
        self._started = time.monotonic()
        self.bytes_to_move = 0

    def add(self, copy: Copy, plan: Plan) -> Task[_Done]:
        """Queue everything that one copy needs; the task returned is its last, the one that writes the tag."""
        self._own_blobs[copy] = []
        blobs = [self._blob(copy, blob) for blob in copy.missing]
        root = plan.contents[copy.root.digest]
        below = [node for node in walk(root, plan.contents) if node.digest != root.digest]
        children = self._children(copy, below, dict(zip((blob.digest for blob in copy.missing), blobs, strict=True)))
        return self._tasks.add(
            partial(self._write_tag, copy, root, plan.from_file),
            hosts=[copy.destination.repository.registry],
            needs=[*blobs, *children],
            rank=(_MANIFEST_RANK,),
        )

    def outcome(self, copy: Copy, task: Task[_Done]) -> Outcome:
        """What became of a copy, by its last task."""
        moved = [(blob, own.value) for blob, own in self._own_blobs[copy]]
        sizes = {
            how: sum(blob.size_bytes for blob, pushed in moved if pushed is how)
            for how in (Pushed.UPLOADED, Pushed.MOUNTED)
        }
        try:
            done = task.result()
        except ImagesyncError as error:
            return _failed(copy, error, time.monotonic() - self._started)
        return Outcome(
            copy,
            done.status,
            done.reason,
            bytes_copied=sizes[Pushed.UPLOADED],
            bytes_mounted=sizes[Pushed.MOUNTED],
            seconds=done.finished_at - self._started,
        )

    def _blob(self, copy: Copy, blob: Descriptor) -> Task[Pushed]:
        key = (copy.destination.repository, blob.digest)
        task = self._blobs.get(key)
        if task is None or (task.is_finished and task.error is not None):
            task = self._blobs[key] = self._tasks.add(
                partial(self._copy_blob, copy, blob),
                hosts=[copy.source.repository.registry, copy.destination.repository.registry],
                is_heavy=blob.size_bytes > HEAVY_BYTES,
                rank=(_BLOB_RANK, -blob.size_bytes),
            )
            self._own_blobs[copy].append((blob, task))
            self.bytes_to_move += 0 if copy.is_within_registry else blob.size_bytes
        return task

    def _children(self, copy: Copy, below: Sequence[Content], blobs: dict[Digest, Task[Pushed]]) -> list[Task[None]]:
        """Tasks for everything between the blobs and the root, children first, so that what one needs is known."""
        repository = copy.destination.repository
        tasks = []
        for node in below:
            key = (repository, node.digest)
            if key not in self._manifests:
                needs = [self._manifests.get((repository, entry.digest)) for entry in node.successors()]
                needs += [blobs.get(entry.digest) for entry in node.successors()]
                self._manifests[key] = self._tasks.add(
                    partial(self._push_manifest, copy, node),
                    hosts=[repository.registry],
                    needs=[need for need in needs if need is not None],
                    rank=(_MANIFEST_RANK,),
                )
            tasks.append(self._manifests[key])
        return tasks

    def _copy_blob(self, copy: Copy, blob: Descriptor) -> Pushed:
        source, destination = copy.source.repository, copy.destination.repository
        work = BlobCopy(
            self._stores.source(source),
            self._stores.destination(destination),
            meter=self._meter,
            cancellation=self._cancellation,
        )
        try:
            return work.run(blob, source if copy.is_within_registry else None)
        except StoreError as error:
            error.side = error.side or "destination"
            raise

    def _push_manifest(self, copy: Copy, node: Content) -> None:
        with _Blamed("destination"):
            self._stores.destination(copy.destination.repository).push_manifest(node)

    def _write_tag(self, copy: Copy, root: Content, from_file: bool) -> _Done:
        with _Blamed("destination"):
            destination = self._stores.destination(copy.destination.repository)
            if from_file or copy.replaces is not None:
                left_alone = self._stale(copy, destination)
                if left_alone is not None:
                    return left_alone
            self._cancellation.check()
            destination.push_manifest(root, copy.destination.tag)
            return _Done(Status.COPIED, finished_at=time.monotonic())

    def _stale(self, copy: Copy, destination: Writable) -> _Done | None:
        """Read the tag once more: a registry has no compare-and-set, this comes as close as it gets."""
        try:
            now = destination.resolve(copy.destination.target).digest
        except NotFoundError:
            now = None
        if now == copy.root.digest:
            return _Done(Status.UNCHANGED, "another hand has written the same digest", time.monotonic())
        if now == copy.replaces:
            return None
        seen = f"pointed to {copy.replaces.short}" if copy.replaces else "was not there"
        found = f"points to {now.short} now" if now else "is gone now"
        return _Done(Status.STALE, f"the tag {seen} when the plan was made, and {found}", time.monotonic())


class _Blamed:
    """Says of every StoreError that passes through which side it is of."""

    def __init__(self, side: str) -> None:
        self._side = side

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, StoreError):
            error.side = error.side or self._side


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
