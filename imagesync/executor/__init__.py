"""The executor: the only writer. Carries out a ReviewedPlan as a graph of tasks and yields an Outcome for each action.

Blobs, then children by digest, then the root with its tag. Its one judgement is *stale*: the destination's tag
no longer has the digest that the plan saw.
"""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.cancellation import Cancellation
from imagesync.executor.graph import Graph
from imagesync.executor.recheck import recheck
from imagesync.plan.actions import Copy
from imagesync.plan.outcome import Outcome
from imagesync.plan.review import ReviewedPlan
from imagesync.plan.settled import settled
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
        if plan.from_file:
            plan, outcomes = recheck(plan, self._stores, self._tasks)
            yield from outcomes
        graph = Graph(self._stores, self._tasks, self.meter, self._cancellation)
        running = {one.last: one for one in graph.add_all(plan)}
        self.meter.total = len(running)
        self.meter.total_bytes = graph.bytes_to_move
        for action in plan.actions:
            if not isinstance(action, Copy):
                yield settled(action)
        for task in self._tasks.completed(running):
            self.meter.finished()
            yield running[task].outcome()
