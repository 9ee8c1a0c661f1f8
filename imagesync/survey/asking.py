"""Asking: answers what a pure function asks, round by round, until it is done."""

from __future__ import annotations

from functools import partial

from imagesync.plan.questions import Answers, Asking, T, registries_of
from imagesync.store import Stores
from imagesync.survey.answers import answer
from imagesync.tasks import Tasks


def ask(asking: Asking[T], stores: Stores, tasks: Tasks) -> T:
    """What came of it; each question of a round is asked once, all at the same time. Raises Cancelled."""
    answers: Answers | None = None
    while True:
        try:
            questions = next(asking) if answers is None else asking.send(answers)
        except StopIteration as end:
            found: T = end.value
            return found
        asked = {
            question: tasks.add(partial(answer, question, stores, tasks.check), hosts=registries_of(question))
            for question in questions
        }
        answers = dict(zip(asked, tasks.results(list(asked.values())), strict=True))
