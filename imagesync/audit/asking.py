"""Asking: answers what a pure function asks for an audit, round by round, each question once."""

from __future__ import annotations

from functools import partial
from typing import Any

from imagesync.audit.looking import Looking
from imagesync.plan.questions import Answers, Asking, Question, T, registries_of
from imagesync.tasks import Tasks


def ask(asking: Asking[T], looking: Looking, tasks: Tasks) -> T:
    """What came of it. What a destination is asked for stays known until it is looked at. Raises Cancelled."""
    answers: dict[Question, Any] = {}
    try:
        asked = next(asking)
        while True:
            answers |= _answers_to([question for question in asked if question not in answers], looking, tasks)
            asked = asking.send(answers)
    except StopIteration as end:
        found: T = end.value
        return found


def _answers_to(questions: list[Question], looking: Looking, tasks: Tasks) -> Answers:
    started = {one: tasks.add(partial(looking.answer, one), hosts=registries_of(one)) for one in questions}
    return dict(zip(started, tasks.results(list(started.values())), strict=True))
