"""The graph of one run: which tasks there are, and which need which. Each child manifest once for a repository, each
blob once for a repository and source. What the tasks do is said in delivery and writing, when they start in tasks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from imagesync.cancellation import Cancellation
from imagesync.executor.ahead import MAX_BYTES, Ahead
from imagesync.executor.attaching import Attaching
from imagesync.executor.creating import Creating
from imagesync.executor.delivery import Delivery, hosts_of
from imagesync.executor.need import Key, Need, key_of
from imagesync.executor.recheck import is_at_stake
from imagesync.executor.running import Running
from imagesync.executor.spread import Spread, find_spreads
from imagesync.executor.writing import Writing
from imagesync.lazy import dataclass
from imagesync.manifest import Content, Descriptor, walk
from imagesync.plan.actions import Attach, Copy, Plan
from imagesync.plan.diff import blobs_of
from imagesync.plan.order import FINISHING, is_large, rank_of_blob
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Digest, Reference
from imagesync.store import Pushed, Stores
from imagesync.tasks import MoreHosts, Task, Tasks
from imagesync.transfer.meter import Meter


@dataclass(frozen=True, eq=False, slots=True)
class Child:
    """The task that writes a manifest below a root, and those that it waits for."""

    task: Task[int]
    below: list[Task[Any]]

    def is_for(self, below: list[Task[Any]]) -> bool:
        """Whether it serves a copy that needs these: it has not failed, and is not about to, since it waits for a
        blob that nobody needed any more."""
        return (self.task.is_finished or self.below == below) and self.task.error is None


class Graph:
    """Grows by one plan after the other; used from one thread, while its tasks run in others."""

    def __init__(self, stores: Stores, tasks: Tasks, meter: Meter, cancellation: Cancellation) -> None:
        self._tasks = tasks
        self._meter = meter
        self._delivery = Delivery(stores, tasks, meter, cancellation)
        self._ahead = Ahead(stores, tasks, self._delivery.holders)
        self._writing = Writing(stores, self._delivery, cancellation)
        self._creating = Creating(stores, tasks)
        self._attaching = Attaching(stores, tasks, self._delivery, self._writing)
        self._attached: dict[tuple[Reference, Reference, Task[int] | None], Running] = {}
        """Attachments that are on their way, by destination, source, and the task that they wait for."""
        self._needs: dict[Key, Need] = {}
        self._children: dict[Key, Child] = {}
        self._tags: dict[Reference, Task[Outcome]] = {}
        self._brought: set[tuple[str, Digest]] = set()
        """Registries and blobs for which there is a task that brings the one to the other."""
        self._adding = threading.Lock()
        self._position = 0

    def add(self, plan: Plan) -> list[Running]:
        """Queue every copy of a plan."""
        for copy in plan.copies():
            self._creating.begin(copy)
        for copy in plan.all_copies():
            root = plan.contents[copy.root.digest]
            self._note_what_is_held(copy, blobs_of(root, plan.contents, copy.left_out))
        work = _Work(plan, find_spreads(self._lacking(plan.all_copies())))
        for spread in work.spreads.values():
            self._add_spread(spread)
        return [self._add(action, work) for action in plan.actions if isinstance(action, Copy | Attach)]

    def _add(self, action: Copy | Attach, work: _Work) -> Running:
        """Queue everything that one tag needs: its image, then what speaks of that, what writes the tag last."""
        self._position += 1
        running = Running(action)
        self._meter.expect_copy()
        if isinstance(action, Attach):
            return self._add_attachments_alone(running, action, work)
        root = self._add_image(running, action, work)
        needs = [*self._below(action, root), *self._creating.before(action.destination.repository)]
        if action.attachments:
            subject = self._add_child(running, action, root)
            needs += self._attach_all(running, work, subject)
        is_read_again = _may_have_moved(action, work.plan)
        after = self._tag_task_of_version(action)
        needs += [after] if after is not None else []
        write = self._writing.write_tag if after is None else partial(self._writing.write_alias, after)
        running.last = self._tags[action.destination] = self._tasks.add(
            partial(write, action, root, is_read_again=is_read_again),
            hosts=[action.destination.repository.registry],
            needs=needs,
            rank=FINISHING,
        )
        return running

    def _tag_task_of_version(self, copy: Copy) -> Task[Outcome] | None:
        """What writes the version that an alias follows, where that is still to be written."""
        if copy.carries is None:
            return None
        return self._tags.get(Reference(copy.destination.repository, copy.carries.version))

    def _add_attachments_alone(self, running: Running, attach: Attach, work: _Work) -> Running:
        """The tag is there: what speaks of the image is all that is to be done."""
        needs = self._attach_all(running, work, None)
        running.last = self._tasks.add(lambda: Outcome(attach, Status.ATTACHED), needs=needs, rank=FINISHING)
        return running

    def _attach_all(self, running: Running, work: _Work, subject: Task[int] | None) -> list[Task[Outcome]]:
        """Queue the attachments of an action, after its root where that is to be written; each once, however many tags
        that root has. Another root that lists the same child queues its own: it would fail with this one else."""
        needed = []
        for copy in running.action.attachments:
            key = (copy.destination, copy.source, subject)
            attached = self._attached.get(key)
            if attached is None or attached.error is not None:
                attached = self._attached[key] = self._attach(copy, work, subject)
                running.attached.append(attached)
            needed.append(attached.tag_task)
        return needed

    def _attach(self, copy: Copy, work: _Work, subject: Task[int] | None) -> Running:
        running = Running(copy)
        root = self._add_image(running, copy, work)
        running.last = self._tasks.add(
            partial(self._attaching.attach, copy, root),
            hosts=[copy.destination.repository.registry],
            needs=[
                *self._below(copy, root),
                *self._creating.before(copy.destination.repository),
                *([subject] if subject is not None else []),
            ],
            rank=FINISHING,
        )
        return running

    def _add_image(self, running: Running, copy: Copy, work: _Work) -> Content:
        """Queue the blobs and children of a copy; returns the root, which is still to be written."""
        for blob in copy.missing:
            self._add_blob(running, copy, _Part(blob, work.spreads.get(blob.digest)))
        root = work.plan.contents[copy.root.digest]
        for node in walk(root, work.plan.contents, copy.left_out):
            if node.digest != root.digest:
                self._add_child(running, copy, node)
        return root

    def _add_blob(self, running: Running, copy: Copy, part: _Part) -> None:
        """Note that a copy needs this blob, and queue it unless a task brings it from there to there already."""
        blob = part.blob
        key = key_of(copy, blob.digest)
        with self._adding:  # a task that has started looks at its users, and may drop its work
            need = self._needs.get(key)
            is_new = need is None or need.is_dropped
            if need is None or need.is_dropped:
                need = self._needs[key] = Need(copy, blob, part.spread, position=self._position)
            need.users.append(running)
            if is_new:
                running.blobs.append((blob, self._queue(need)))

    def _queue(self, need: Need) -> Task[Pushed]:
        """The task that brings a blob. What is mounted or read ahead asks for a slot of its source only if need be."""
        copy, blob, signals = need.copy, need.blob, _signals(need)
        is_moved = self._is_moved(copy, blob)
        created = self._creating.before(copy.destination.repository)
        is_ahead = is_moved and not signals and not created and blob.data is None and blob.size_bytes <= MAX_BYTES
        needs: list[Task[Any]] = [self._tasks.signal()] if is_ahead else [*signals, *created]
        need.expected_bytes = blob.size_bytes if is_moved else 0
        self._meter.expect_bytes(need.expected_bytes)
        self._brought.add((copy.destination.repository.registry, blob.digest))
        need.task = self._tasks.add(
            partial(self._bring, need),
            hosts=hosts_of(copy) if is_moved and not is_ahead else [copy.destination.repository.registry],
            needs=needs,
            is_heavy=is_moved and is_large(blob),
            rank=rank_of_blob(blob, need.position),
        )
        if is_ahead:
            self._ahead.add(need, *needs)
        return need.task

    def _bring(self, need: Need) -> Pushed:
        is_over = True
        try:
            return self._bring_unless_in_vain(need)
        except MoreHosts:
            is_over = False
            raise
        finally:
            if is_over:
                self._ahead.done(need)

    def _bring_unless_in_vain(self, need: Need) -> Pushed:
        """Bring a blob, unless every copy that it was for has failed meanwhile: that would hold up the others."""
        with self._adding:
            task, ended_by = need.task, need.error()
            if ended_by is not None:
                need.is_dropped = True
                self._brought.discard((need.copy.destination.repository.registry, need.blob.digest))
                raise ended_by
        assert task is not None  # noqa: S101 - narrows: it was set before the lock was let go
        pushed = self._delivery.bring(need, task)
        moved_bytes = need.blob.size_bytes if pushed is Pushed.UPLOADED else 0
        self._meter.expect_bytes(moved_bytes - need.expected_bytes)
        return pushed

    def _add_child(self, running: Running, copy: Copy, node: Content) -> Task[int]:
        key, below = key_of(copy, node.digest), self._below(copy, node)
        child = self._children.get(key)
        if child is not None and child.is_for(below):
            return child.task
        task = self._tasks.add(
            partial(self._writing.push, copy, node),
            hosts=[copy.destination.repository.registry],
            needs=[*below, *self._creating.before(copy.destination.repository)],
            rank=FINISHING,
        )
        self._children[key] = Child(task, below)
        running.children.append(task)
        return task

    def _below(self, copy: Copy, node: Content) -> list[Task[Any]]:
        """The tasks of this run that bring what a manifest or index needs; what is there already has none."""
        keys = [key_of(copy, entry.digest) for entry in node.successors() if entry.digest not in copy.left_out]
        needs = [need.task for key in keys if (need := self._needs.get(key)) is not None and need.task is not None]
        return [*needs, *(self._children[key].task for key in keys if key in self._children)]

    def _add_spread(self, spread: Spread) -> None:
        spread.signals = {registry: self._tasks.signal() for registry in spread.copies}
        self._tasks.add(
            partial(self._delivery.run_spread, spread, self._tasks.signal()),
            hosts=spread.hosts,
            optional=spread.copies.keys() - {spread.source.registry},
            is_heavy=is_large(spread.blob),
            rank=rank_of_blob(spread.blob, self._position),
        )

    def _lacking(self, copies: Iterable[Copy]) -> Iterator[tuple[Copy, Descriptor]]:
        """The blobs that have to be moved to the registry of a copy, and are not being brought there yet. What waits
        for its repository to be made holds up no other: it is fed from what they have brought."""
        for copy in copies:
            for blob in copy.missing if not self._creating.before(copy.destination.repository) else ():
                if self._is_moved(copy, blob):
                    yield copy, blob

    def _is_moved(self, copy: Copy, blob: Descriptor) -> bool:
        """Whether its bytes have to be read and written, by what is known: else it can be mounted, or will be."""
        registry = copy.destination.repository.registry
        is_brought = (registry, blob.digest) in self._brought
        return not (copy.is_within_registry or is_brought or self._delivery.holders.has(registry, blob.digest))

    def _note_what_is_held(self, copy: Copy, blobs: tuple[Descriptor, ...]) -> None:
        missing = {blob.digest for blob in copy.missing}
        for blob in blobs:
            if blob.digest not in missing:
                self._delivery.holders.add(copy.destination.repository, blob.digest)


def _may_have_moved(copy: Copy, plan: Plan) -> bool:
    """Whether the tag is worth a look right before it is written: a plan is old, or something would be lost."""
    return plan.from_file or is_at_stake(copy)


def _signals(need: Need) -> list[Task[Any]]:
    """What a blob's task waits for: the spread that brings the blob to its registry, if there is one."""
    signal = need.spread.signals.get(need.copy.destination.repository.registry) if need.spread is not None else None
    return [] if signal is None or need.copy.is_within_registry else [signal]


@dataclass(frozen=True, slots=True)
class _Work:
    """A plan, and the blobs of it that several registries lack."""

    plan: Plan
    spreads: Mapping[Digest, Spread]


@dataclass(frozen=True, slots=True)
class _Part:
    """A blob, and what brings it to several registries at once, if there is something."""

    blob: Descriptor
    spread: Spread | None
