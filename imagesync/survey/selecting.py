"""Selecting: which tags each rule keeps, told as soon as it is known; no rule waits for what another asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imagesync.lazy import dataclass
from imagesync.plan.choosing import Choice, Moment, choose
from imagesync.plan.inventory import Broken
from imagesync.plan.questions import Answers, Asking, Question
from imagesync.plan.wants import Listings, look_at_names, names_of
from imagesync.reference import Tag
from imagesync.selection import NeedsFacts, Selection
from imagesync.spec.model import Rule
from imagesync.tasks import Task, Watch


@dataclass(eq=False, slots=True)
class _Choosing:
    """A rule whose tags cannot be told by their names alone, between two rounds of questions."""

    rule: Rule
    rounds: Asking[Selection | Broken]
    questions: tuple[Question, ...] = ()
    outstanding: int = 0


class Selecting:
    """Makes the selections of rules whose lists are there. `ask` gives the task that answers a question; `watch` tells
    of it."""

    def __init__(self, ask: Callable[[Question], Task[Any]], watch: Watch[Any], moment: Moment) -> None:
        self._ask = ask
        self._watch = watch
        self._moment = moment
        self._waiting: dict[Task[Any], list[_Choosing]] = {}
        self._begun: set[Rule] = set()
        self.chosen: dict[Rule, Selection | Broken] = {}
        """All that is known so far."""

    def is_known(self, rule: Rule, listings: Listings) -> bool:
        """Whether the tags of a rule whose list is there are known by now; else what tells them is asked."""
        if rule.locked is not None:
            return True
        if rule not in self.chosen and rule not in self._begun:
            found = look_at_names(rule, listings)
            if isinstance(found, NeedsFacts):
                self._begun.add(rule)
                choice = Choice(rule.source, rule.tags, _names(listings.get(rule.source, ())), self._moment)
                self._go_on(_Choosing(rule, choose(choice)), None)
            else:
                self.chosen[rule] = found
        return rule in self.chosen

    def advance(self, task: Task[Any]) -> list[Rule]:
        """Take in an answer; the rules whose tags are known with it. Raises Cancelled."""
        known = []
        for choosing in self._waiting.pop(task, ()):
            choosing.outstanding -= 1
            if not choosing.outstanding:
                self._go_on(choosing, {one: self._ask(one).result() for one in choosing.questions})
            if choosing.rule in self.chosen:
                known.append(choosing.rule)
        return known

    def _go_on(self, choosing: _Choosing, answers: Answers | None) -> None:
        try:
            questions = next(choosing.rounds) if answers is None else choosing.rounds.send(answers)
            while not questions:
                questions = choosing.rounds.send({})
        except StopIteration as end:
            self.chosen[choosing.rule] = end.value
            return
        choosing.questions = tuple(dict.fromkeys(questions))
        choosing.outstanding = len(choosing.questions)
        for question in choosing.questions:
            task = self._ask(question)
            if task not in self._waiting:
                self._watch.add(task)
            self._waiting.setdefault(task, []).append(choosing)


def _names(listed: tuple[Tag, ...] | Broken) -> tuple[str, ...]:
    return () if isinstance(listed, Broken) else tuple(names_of(listed))
