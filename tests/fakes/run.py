"""Runs over stores in memory: the stores, the scheduler and the executor that a test of the engine needs."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.cancellation import Cancellation
from imagesync.executor import Executor
from imagesync.pipeline import Drawing, plan_and_carry_out
from imagesync.plan.outcome import Outcome
from imagesync.spec.model import Rule
from imagesync.tasks import Tasks
from tests.fakes.memory import MemoryStores
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_spec


class MemoryRun:
    """A source, an empty destination, and runs between them that share one executor."""

    def __init__(self, stores: MemoryStores, *, workers: int) -> None:
        self.cancellation = Cancellation()
        self.tasks = Tasks(workers=workers, hosts=stores, cancellation=self.cancellation)
        self.executor = Executor(stores, self.tasks, self.cancellation)
        self.source, self.destination = stores[HUB_NGINX], stores[LOCAL_NGINX]
        self._stores = stores

    def run(self, *rules: Rule) -> Iterator[Outcome]:
        """Plan and carry out image by image, as apply does."""
        return plan_and_carry_out(Drawing(make_spec(*rules), self._stores, self.tasks), self.executor)
