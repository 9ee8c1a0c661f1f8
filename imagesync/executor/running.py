"""Running: one copy under way, or what is attached to a tag that stays, and what became of it. Which tasks it has,
the graph says."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from imagesync.errors import ImagesyncError
from imagesync.lazy import dataclass, field, replace
from imagesync.manifest import Descriptor
from imagesync.plan.actions import Attach, Copy
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.settled import failed
from imagesync.store import Pushed
from imagesync.tasks import Task


@dataclass(eq=False, slots=True)
class Running:
    """One copy: the blobs that it moves itself, each with its task, the tasks of the manifests that it writes itself,
    the attachments that it brings itself, and the task that writes its tag."""

    action: Copy | Attach
    blobs: list[tuple[Descriptor, Task[Pushed]]] = field(default_factory=list)
    children: list[Task[int]] = field(default_factory=list)
    attached: list[Running] = field(default_factory=list)
    last: Task[Outcome] | None = None

    @property
    def error(self) -> ImagesyncError | None:
        """What has ended it early: a task of it has failed, and those that have not started are for nothing."""
        return None if self.last is None else self.last.error

    @property
    def tag_task(self) -> Task[Outcome]:
        """The task that writes its tag; it has one once the graph has added it."""
        assert self.last is not None  # noqa: S101 - narrows
        return self.last

    def outcome(self) -> Outcome:
        """What became of the copy, once its last task has finished."""
        last = self.tag_task
        try:
            outcome = last.result()
        except ImagesyncError as error:
            outcome = failed(self.action, error)
        repaired = outcome.bytes_copied + sum(task.value or 0 for task in self.children)
        said = self.action.present_bytes if isinstance(self.action, Copy) else 0
        there = said + self._bytes(Pushed.PRESENT)
        beside = [one.outcome() for one in self.attached]
        return replace(
            outcome,
            reason=outcome.reason or _left_out(beside),
            bytes_copied=self._bytes(Pushed.UPLOADED) + repaired + sum(one.bytes_copied for one in beside),
            bytes_mounted=self._bytes(Pushed.MOUNTED) + sum(one.bytes_mounted for one in beside),
            bytes_skipped=max(0, there - repaired) + sum(one.bytes_skipped for one in beside),  # said to be there
            seconds=self._seconds(last),
        )

    def _seconds(self, last: Task[Outcome]) -> float:
        """Since the first of its own tasks was started; 0 where none was."""
        own: list[Task[Any]] = [last, *(task for _, task in self.blobs), *(one.tag_task for one in self.attached)]
        starts = [task.started_at for task in own if task.started_at is not None]
        return time.monotonic() - min(starts, default=time.monotonic())

    def _bytes(self, how: Pushed) -> int:
        return sum(blob.size_bytes for blob, task in self.blobs if task.value is how)


def _left_out(outcomes: Iterable[Outcome]) -> str:
    """Which attachments the destination did not take: no reason to do without the image."""
    blocked = [(one.action, one.reason) for one in outcomes if one.status is Status.BLOCKED]
    told = [(action.destination, reason) for action, reason in blocked if isinstance(action, Copy)]
    return "; ".join(f"not added to {destination}: {reason}" for destination, reason in told)
