"""Heads: the tag lists that rules ask for, then what each tag points to on both sides. Each is asked for once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from imagesync.plan.choosing import Moment
from imagesync.plan.inventory import Broken, Head, Listed
from imagesync.plan.questions import Question, ReadHead
from imagesync.plan.repositories import Named
from imagesync.plan.wants import Listings, Want, Wanted, lists_needed, lists_trusted, make_wants, needs_list, wants_of
from imagesync.reference import Reference, Repository, Tag
from imagesync.selection import Selection
from imagesync.spec.model import NOTHING_IMMUTABLE, Rule
from imagesync.state import State
from imagesync.store import Stores
from imagesync.survey.answers import or_broken, read_head
from imagesync.survey.asked import Asked
from imagesync.survey.held import held_heads
from imagesync.survey.selecting import Selected, Selecting
from imagesync.tasks import Task, Tasks, Watch


def read_selections(
    rules: Sequence[Rule], stores: Stores, tasks: Tasks, *, state: State | None = None
) -> list[Selection | Broken]:
    """Which tags each rule keeps, without what they point to."""
    alone = [replace(rule, immutable=NOTHING_IMMUTABLE) for rule in rules]
    reading = _Reading(alone, Asked(stores, tasks), state)
    chosen = dict(reading.selected())
    return [chosen[rule] for rule in alone]


def read_heads(
    named: Sequence[Named],
    stores: Stores,
    tasks: Tasks,
    *,
    asked: Asked | None = None,
    state: State | None = None,
) -> tuple[tuple[Wanted, ...], Mapping[Reference, Head], Listings]:
    """Lists and heads. A head is read as soon as the tags of its rule are known: no rule waits for another's."""
    rules = [rule for rule in named if isinstance(rule, Rule)]
    reading = _Reading(rules, asked or Asked(stores, tasks), state)
    for rule, selection in reading.selected():
        reading.heads.ask(wants_of(rule, selection), reading.lists)
    listings = reading.lists.selected
    wants = make_wants(named, listings, reading.selecting.chosen)
    return wants, held_heads(wants, reading.heads.results(), stores, tasks), listings


class _Reading:
    """Lists, then whatever else tells which tags a rule keeps, each rule as far as it is."""

    def __init__(self, rules: Sequence[Rule], asked: Asked, state: State | None) -> None:
        self._asked = asked
        self._watch: Watch[Any] = asked.tasks.watch()
        self.lists = _Lists(rules, asked.stores, asked.tasks)
        self.heads = _Heads(frozenset(rule.source for rule in rules), asked.stores, asked.tasks)
        self.selecting = Selecting(self._ask, self._watch, Moment(datetime.now(UTC), state))

    def selected(self) -> Iterator[Selected]:
        """Yield each rule with its tags, as they become known."""
        for task in self.lists.tasks:
            self._watch.add(task)
        yield from self.selecting.begin(self.lists.ready(), self.lists.selected)
        for task in self._watch:
            if self.lists.take(task):
                yield from self.selecting.begin(self.lists.ready(), self.lists.selected)
            else:
                yield from self.selecting.advance(task)

    def _ask(self, question: Question) -> Task[Any]:
        """A head that was asked for once is that of the tag, should it be kept."""
        return self.heads.read(question.reference) if isinstance(question, ReadHead) else self._asked.ask(question)


class _Lists:
    """The tag lists that rules ask for: of sources, to select from, and of destinations, to trust them."""

    def __init__(self, rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> None:
        self.selected: dict[Repository, tuple[Tag, ...] | Broken] = {}
        self.trusted: dict[Repository, frozenset[Tag]] = {}
        self._left = list(rules)
        self._asked: dict[Task[Any], tuple[dict[Repository, Any], Repository]] = {
            **{_list(one, stores, tasks): (self.selected, one) for one in lists_needed(rules)},
            **{_list_there(one, stores, tasks): (self.trusted, one) for one in lists_trusted(rules)},
        }

    @property
    def tasks(self) -> tuple[Task[Any], ...]:
        return tuple(self._asked)

    def take(self, task: Task[Any]) -> bool:
        """Take in a list, if this task has read one."""
        if task not in self._asked:
            return False
        found, repository = self._asked[task]
        found[repository] = task.result()
        return True

    def ready(self) -> list[Rule]:
        """The rules whose lists are there by now, each told once."""
        ready: list[Rule] = []
        left: list[Rule] = []
        for rule in self._left:
            (ready if self._has_lists_of(rule) else left).append(rule)
        self._left = left
        return ready

    def _has_lists_of(self, rule: Rule) -> bool:
        is_selected = not needs_list(rule) or rule.source in self.selected
        return is_selected and all(one in self.trusted for one in lists_trusted([rule]))


class _Heads:
    """The heads that rules ask for, each reference once; what a trusted list has is not asked for."""

    def __init__(self, sources: frozenset[Repository], stores: Stores, tasks: Tasks) -> None:
        self._sources = sources
        self._stores = stores
        self._tasks = tasks
        self._asked: dict[Reference, Task[Head]] = {}
        self._listed: dict[Reference, Head] = {}

    def ask(self, wanted: Iterable[Wanted], lists: _Lists) -> None:
        wants = [want for want in wanted if isinstance(want, Want)]
        listed = {want.destination: Listed() for want in wants if want.trusts_list and _is_listed(want, lists)}
        self._listed.update(listed)
        asked = [want for want in wants if want.destination not in listed]
        for reference in (*(want.asked for want in asked), *(want.destination for want in asked)):
            self.read(reference)

    def read(self, reference: Reference) -> Task[Head]:
        """The task that reads this head; each has one."""
        if reference not in self._asked:
            self._asked[reference] = self._tasks.add(
                partial(self._read, reference), hosts=[reference.repository.registry]
            )
        return self._asked[reference]

    def results(self) -> dict[Reference, Head]:
        """What was read of each, rather than what a list says where another rule does not trust that."""
        read = dict(zip(self._asked, self._tasks.results(list(self._asked.values())), strict=True))
        return {**self._listed, **read}

    def _read(self, reference: Reference) -> Head:
        if reference.repository in self._sources:
            return read_head(lambda: self._stores.source(reference.repository), reference, "source")
        return read_head(lambda: self._stores.destination(reference.repository), reference, "destination")


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


def _is_listed(want: Want, lists: _Lists) -> bool:
    return want.destination.tag in lists.trusted[want.destination.repository]
