"""Asked: the questions of a run, each with the one task that answers it, whoever asks."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from imagesync.gates import ReadFile
from imagesync.plan.questions import Question, ReadBlob, registries_of
from imagesync.store import Stores
from imagesync.survey.answers import answer
from imagesync.tasks import Task, Tasks

BULKY = (ReadBlob, ReadFile)
"""What is answered with megabytes, and seldom asked twice."""


class Asked:
    """Used from one thread. An answer is kept for whoever asks later, unless it is bulky."""

    def __init__(self, stores: Stores, tasks: Tasks) -> None:
        self.stores = stores
        self.tasks = tasks
        self._answering: dict[Question, Task[Any]] = {}
        self._askers: Counter[Question] = Counter()

    def ask(self, question: Question, rank: tuple[int, ...] = ()) -> Task[Any]:
        """The task that answers; the rank is that of who asks first."""
        if question not in self._answering:
            self._answering[question] = self.tasks.add(
                partial(answer, question, self.stores, self.tasks.check), hosts=registries_of(question), rank=rank
            )
        self._askers[question] += isinstance(question, BULKY)
        return self._answering[question]

    def hear(self, question: Question, answer: Any) -> None:
        """The answer came with another: nobody has to be asked for it."""
        self._answering.setdefault(question, self.tasks.add(lambda: answer))

    def task(self, question: Question) -> Task[Any]:
        """The task of a question that has been asked."""
        return self._answering[question]

    def let_go(self, question: Question) -> None:
        """One who has asked has the answer: when all have, what is bulky is not kept for the rest of the run."""
        if isinstance(question, BULKY):
            self._askers[question] -= 1
            if not self._askers[question]:
                del self._askers[question], self._answering[question]
