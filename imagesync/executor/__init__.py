"""The executor: the only writer. Carries out ReviewedPlans as a graph of tasks and yields an Outcome for each action.

Blobs, then children by digest, then what speaks of the image, then the root with its tag. Its one judgement is
*stale*: the destination's tag no longer has the digest that the plan saw. What a plan deletes goes tag by tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from imagesync.cancellation import Cancellation
from imagesync.executor.deleting import Deleting
from imagesync.executor.graph import Graph
from imagesync.executor.recheck import is_at_stake, look_at_tags, recheck
from imagesync.executor.running import Running
from imagesync.plan.actions import Attach, Copy, Delete, Plan
from imagesync.plan.outcome import Outcome
from imagesync.plan.review import ReviewedPlan
from imagesync.plan.settled import failed, settled
from imagesync.reference import Repository
from imagesync.store import Stores
from imagesync.tasks import Task, Tasks, Watch
from imagesync.transfer.meter import Meter

__all__ = ["Executor"]


class Executor:
    """Carries out plans, as many as come: what one of them brings somewhere the next finds there.

    `meter` tells how far it is. `watch` tells of the tasks that end: each is for `advance`, or for whoever else
    has added it.
    """

    def __init__(self, stores: Stores, tasks: Tasks, cancellation: Cancellation) -> None:
        self.meter = Meter()
        self.watch: Watch[Any] = tasks.watch()
        self._stores = stores
        self._tasks = tasks
        self._graph = Graph(stores, tasks, self.meter, cancellation)
        self._running: dict[Task[Outcome], Running] = {}
        self._deleting = Deleting(stores, cancellation)
        self._deletions: dict[Task[Outcome], Delete] = {}

    def begin(self, reviewed: ReviewedPlan) -> Iterator[Outcome]:
        """Start every copy of a plan; yields the outcomes of all other actions, and of copies that are done already."""
        plan = reviewed.plan
        if plan.from_file:
            plan, outcomes = recheck(plan, self._stores, self._tasks)
            yield from outcomes
        for running in self._graph.add(plan):
            last = running.tag_task
            self._running[last] = running
            self.watch.add(last)
        for action in plan.actions:
            if not isinstance(action, Copy | Attach | Delete):
                yield settled(action)
        self._delete([action for action in plan.actions if isinstance(action, Delete)])

    def carry_out(self, reviewed: ReviewedPlan) -> Iterator[Outcome]:
        """Do all of a plan; yields the outcome of each action."""
        yield from self.begin(reviewed)
        for task in self.watch:
            yield from self.advance(task)

    def look_again(self, plan: Plan) -> tuple[Plan, list[Outcome]]:
        """What is still to be done of a plan that is old, and the outcomes of what is not."""
        return recheck(plan, self._stores, self._tasks)

    def look_at_tags(self, copies: Iterable[Copy]) -> list[Outcome]:
        """The outcomes of those of some copies whose tags are not as their plan saw them, or have arrived meanwhile."""
        return look_at_tags([copy for copy in copies if is_at_stake(copy)], self._stores, self._tasks)

    def advance(self, task: Task[Any]) -> Iterator[Outcome]:
        """Take in a task that has finished; yields the outcome of the copy whose last one it was."""
        running = self._running.pop(task, None)
        if running is not None:
            self.meter.finished()
            yield running.outcome()
        deletion = self._deletions.pop(task, None)
        if deletion is not None:
            yield failed(deletion, task.error) if task.error is not None else task.result()

    def _delete(self, deletions: list[Delete]) -> None:
        """Start to delete these, those of one repository in a row."""
        self._deleting.expect(deletions)
        last: dict[Repository, Task[Outcome]] = {}
        for deletion in deletions:
            repository = deletion.destination.repository
            before = [last[repository]] if repository in last else []
            run = partial(self._deleting.delete, deletion)
            task = self._tasks.add(run, hosts=[repository.registry], needs=before)
            last[repository] = task
            self._deletions[task] = deletion
            self.watch.add(task)
