"""The executor: the only writer. Carries out a ReviewedPlan as a graph of tasks and yields an Outcome for each action.

Blobs, then children by digest, then the root with its tag. Its one judgement is *stale*: the destination's tag
no longer has the digest that the plan saw.
"""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.cancellation import Cancellation
from imagesync.executor.graph import Graph
from imagesync.plan.actions import Blocked, Copy, Failure, Keep, Skip
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.review import ReviewedPlan
from imagesync.store import Stores
from imagesync.tasks import Tasks
from imagesync.transfer.meter import Meter

__all__ = ["Executor"]


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
        graph = Graph(self._stores, self._tasks, self.meter, self._cancellation)
        running = {one.last: one for one in graph.add_all(plan)}
        self.meter.total = len(copies)
        self.meter.total_bytes = graph.bytes_to_move
        for action in plan.actions:
            if not isinstance(action, Copy):
                yield _settled(action)
        for task in self._tasks.completed(running):
            self.meter.finished()
            yield running[task].outcome()


def _settled(action: Keep | Skip | Failure | Blocked) -> Outcome:
    """The outcome of an action that asks for nothing to be done."""
    if isinstance(action, Keep):
        return Outcome(action, Status.UNCHANGED)
    if isinstance(action, Skip):
        return Outcome(action, Status.SKIPPED, action.reason)
    if isinstance(action, Blocked):
        return Outcome(action, Status.BLOCKED, action.reason, exit_code=3)
    return Outcome(action, Status.FAILED, action.reason, action.hint, action.kind, exit_code=1)
