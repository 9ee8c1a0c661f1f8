"""Lists: the tag lists that rules ask for: of sources, to select from, and of destinations, to trust them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from imagesync.plan.inventory import Broken
from imagesync.plan.questions import Side
from imagesync.plan.wants import Chosen, lists_trusted, needs_list
from imagesync.reference import Repository, Tag
from imagesync.spec.model import Rule
from imagesync.store import Stores
from imagesync.survey.answers import or_broken
from imagesync.tasks import Task, Tasks, Watch


class Lists:
    """Each list is read once, whichever rule asks, and `watch` tells of it."""

    def __init__(self, stores: Stores, tasks: Tasks, watch: Watch[Any]) -> None:
        self.selected: dict[Repository, tuple[Tag, ...] | Broken] = {}
        self.trusted: dict[Repository, frozenset[Tag]] = {}
        self._stores, self._tasks, self._watch = stores, tasks, watch
        self._started: dict[tuple[Side, Repository], Task[Any]] = {}
        self._asked: dict[Task[Any], tuple[dict[Repository, Any], Repository]] = {}
        self._waiting: dict[Task[Any], list[Rule]] = defaultdict(list)

    def of_source(self, rule: Rule) -> list[Task[Any]]:
        """The list that a rule selects from, while it is not there."""
        is_lacking = needs_list(rule) and rule.source not in self.selected
        return [self._read("source", rule.source)] if is_lacking else []

    def of_destinations(self, rule: Rule, chosen: Chosen) -> list[Task[Any]]:
        """The lists that a rule trusts and that are not there: which they are is known once its tags are."""
        trusted = lists_trusted(rule, self.selected, chosen)
        return [self._read("destination", one) for one in trusted if one not in self.trusted]

    def lacks(self, rule: Rule, lists: Sequence[Task[Any]]) -> bool:
        """Whether a rule has to wait for one of these; `take` gives it back when the first of them is there."""
        if lists:
            self._waiting[lists[0]].append(rule)
        return bool(lists)

    def take(self, task: Task[Any]) -> list[Rule]:
        """Take in a list, if this task has read one, and return the rules that have waited for it."""
        if task in self._asked:
            found, repository = self._asked[task]
            found[repository] = task.result()
        return self._waiting.pop(task, [])

    def _read(self, side: Side, repository: Repository) -> Task[Any]:
        task = self._started.get((side, repository))
        if task is None:
            read, found = (_list, self.selected) if side == "source" else (_list_there, self.trusted)
            task = self._started[side, repository] = read(repository, self._stores, self._tasks)
            self._asked[task] = found, repository
            self._watch.add(task)
        return task


def _list(repository: Repository, stores: Stores, tasks: Tasks) -> Task[tuple[Tag, ...] | Broken]:
    def read() -> tuple[Tag, ...] | Broken:
        return or_broken(lambda: stores.source(repository).list_tags(), "source")

    return tasks.add(read, hosts=[repository.registry])


def _list_there(repository: Repository, stores: Stores, tasks: Tasks) -> Task[frozenset[Tag]]:
    """The tags of a destination whose list is trusted; none where it cannot be read: then each is asked for."""

    def read() -> frozenset[Tag]:
        found = or_broken(lambda: stores.destination(repository).list_tags(), "destination")
        return frozenset() if isinstance(found, Broken) else frozenset(found)

    return tasks.add(read, hosts=[repository.registry])
