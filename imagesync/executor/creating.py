"""Creating: makes what copies need before anything of them can be written, each once, whichever copy comes first."""

from __future__ import annotations

from functools import partial
from typing import Any

from imagesync.errors import PlanFileError
from imagesync.executor.blame import blamed_on
from imagesync.plan.actions import Copy
from imagesync.plan.creating import CreateRepository
from imagesync.plan.order import FINISHING
from imagesync.reference import Repository
from imagesync.store import Stores
from imagesync.tasks import Task, Tasks


class Creating:
    """The creations of one run; used from one thread, while its tasks run in others."""

    def __init__(self, stores: Stores, tasks: Tasks) -> None:
        self._stores = stores
        self._tasks = tasks
        self._started: dict[CreateRepository, Task[None]] = {}
        self._before: dict[Repository, Task[None]] = {}

    def begin(self, copy: Copy) -> None:
        """See to it that what a copy's repository needs is made."""
        creation, destination = copy.creates, copy.destination.repository
        if creation is None:
            return
        if creation not in self._started:
            run = partial(self._create, creation, destination)
            self._started[creation] = self._tasks.add(run, hosts=[destination.registry], rank=FINISHING)
        self._before[destination] = self._started[creation]

    def before(self, repository: Repository) -> list[Task[Any]]:
        """What has to end before something can be written there; nothing once it is made."""
        task = self._before.get(repository)
        return [] if task is None or (task.is_finished and task.error is None) else [task]

    def _create(self, creation: CreateRepository, destination: Repository) -> None:
        """With what the spec says: a plan that says something else was made from another, or by hand."""
        with blamed_on("destination"):
            creator = self._stores.creator(destination)
            wanted = creator and CreateRepository(creator.makes, creator.what, creator.made_with)
            if creator is None or wanted != creation:
                raise PlanFileError(
                    f"the spec does not create {creation.what} {creation.repository} so", hint="plan again"
                )
            creator.create()
