"""Asked: the questions of a run, each with the one task that answers it, whoever asks."""

from __future__ import annotations

from functools import partial
from typing import Any

from imagesync.plan.questions import Question, registries_of
from imagesync.store import Stores
from imagesync.survey.answers import answer
from imagesync.tasks import Task, Tasks


class Asked:
    """Used from one thread."""

    def __init__(self, stores: Stores, tasks: Tasks) -> None:
        self.stores = stores
        self.tasks = tasks
        self._answering: dict[Question, Task[Any]] = {}

    def ask(self, question: Question, rank: tuple[int, ...] = ()) -> Task[Any]:
        """The task that answers; the rank is that of who asks first."""
        if question not in self._answering:
            self._answering[question] = self.tasks.add(
                partial(answer, question, self.stores), hosts=registries_of(question), rank=rank
            )
        return self._answering[question]

    def task(self, question: Question) -> Task[Any]:
        """The task of a question that has been asked."""
        return self._answering[question]
