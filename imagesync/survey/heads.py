"""Heads: the tags that rules keep, then what each points to on both sides. Each is asked for once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from imagesync.plan.aliases import Following, followings
from imagesync.plan.choosing import Moment
from imagesync.plan.inventory import Head, Listed, Whole
from imagesync.plan.questions import Question, ReadHead, ReadManifest
from imagesync.plan.repositories import Named
from imagesync.plan.wants import Chosen, Listings, Want, Wanted, make_wants, wants_of
from imagesync.reference import Reference, Repository
from imagesync.spec.model import Rule
from imagesync.state import State
from imagesync.store import Stores
from imagesync.survey.aliases import Lookup, with_aliases
from imagesync.survey.answers import read_head, read_wanted, read_whole
from imagesync.survey.asked import Asked
from imagesync.survey.held import held_heads
from imagesync.survey.lists import Lists
from imagesync.survey.selecting import Selecting
from imagesync.tasks import Task, Tasks, Watch


def read_choices(
    rules: Sequence[Rule], stores: Stores, tasks: Tasks, *, state: State | None = None
) -> tuple[Listings, Chosen]:
    """The tag lists of the sources whose rules ask for one, and the tags that each rule keeps."""
    reading = _Reading(rules, Asked(stores, tasks), state)
    for _ in reading.known(lambda _: ()):
        pass
    return reading.lists.selected, reading.selecting.chosen


def read_heads(
    named: Sequence[Named],
    stores: Stores,
    tasks: Tasks,
    *,
    beside: Sequence[Rule] = (),
    asked: Asked | None = None,
    state: State | None = None,
) -> tuple[tuple[Wanted, ...], Mapping[Reference, Head], Listings]:
    """Lists and heads. A head is read as soon as the tags of its rule are known: no rule waits for another's. `state`
    is what tells how old tags are, and first which versions aliases carry. Of rules `beside` these only what they say
    of the same tags is known."""
    rules = [rule for rule in named if isinstance(rule, Rule)]
    reading = _Reading([*rules, *beside], asked or Asked(stores, tasks), state)
    lists, chosen = reading.lists, reading.selecting.chosen
    for rule in reading.known(lambda rule: () if rule in beside else lists.of_destinations(rule, chosen)):
        if rule not in beside:
            reading.heads.ask(wants_of(rule, lists.selected, chosen), lists)
    for rule in beside:
        reading.heads.hear(wants_of(rule, lists.selected, chosen))
    wants = make_wants(named, lists.selected, chosen, beside=beside)
    found = held_heads(wants, reading.heads.results(), stores=stores, tasks=tasks)
    lookup = Lookup(stores, tasks, state)
    return with_aliases(wants, reading.heads.aliases, found, lookup=lookup), found, lists.selected


class _Reading:
    """Lists, then whatever else tells which tags a rule keeps, each rule as far as it is."""

    def __init__(self, rules: Sequence[Rule], asked: Asked, state: State | None) -> None:
        self._rules = rules
        self._asked = asked
        self._watch: Watch[Any] = asked.tasks.watch()
        self.lists = Lists(asked.stores, asked.tasks, self._watch)
        self.heads = _Heads(frozenset(rule.source for rule in rules), asked)
        self.selecting = Selecting(self._ask, self._watch, Moment(datetime.now(UTC), state))

    def known(self, more: Callable[[Rule], Sequence[Task[Any]]]) -> Iterator[Rule]:
        """Yield each rule once its tags are known, and whatever lists it takes `more` are there."""
        yield from self._ready(self._rules, more)
        for task in self._watch:
            yield from self._ready([*self.lists.take(task), *self.selecting.advance(task)], more)

    def _ready(self, rules: Iterable[Rule], more: Callable[[Rule], Sequence[Task[Any]]]) -> Iterator[Rule]:
        for rule in rules:
            if self.lists.lacks(rule, self.lists.of_source(rule)):
                continue
            if self.selecting.is_known(rule, self.lists.selected) and not self.lists.lacks(rule, more(rule)):
                yield rule

    def _ask(self, question: Question) -> Task[Any]:
        """A head that was asked for once is that of the tag, should it be kept."""
        return self.heads.read(question.reference) if isinstance(question, ReadHead) else self._asked.ask(question)


class _Heads:
    """The heads that rules ask for, each reference once; what a trusted list has is not asked for."""

    def __init__(self, sources: frozenset[Repository], asked: Asked) -> None:
        self._sources = sources
        self._answers = asked
        self._stores = asked.stores
        self._tasks = asked.tasks
        self._asked: dict[Reference, Task[Head]] = {}
        self._wanted: set[Reference] = set()
        self._whole: set[Reference] = set()
        self._listed: dict[Reference, Head] = {}
        self.aliases: list[Following] = []

    def ask(self, wanted: Iterable[Wanted], lists: Lists) -> None:
        wants = [want for want in wanted if isinstance(want, Want)]
        listed = {want.destination: Listed() for want in wants if want.trusts_list and _is_listed(want, lists)}
        self._listed.update(listed)
        aliases = list(followings(wants))
        self.aliases += aliases
        asked = [want for want in wants if want.destination not in listed]
        sources = [want.asked for want in wants if want.destination not in listed or want.rule.aliases]
        destinations = [*(want.destination for want in asked), *(alias.destination for alias in aliases)]
        self._wanted.update(sources)
        self._whole.update(want.asked for want in wants if want.rule.is_read_at_once)
        for reference in (*sources, *destinations):
            self.read(reference)

    def hear(self, wanted: Iterable[Wanted]) -> None:
        """What a rule beside those that ask says of their aliases."""
        known = {alias.destination for alias in self.aliases}
        found = followings(want for want in wanted if isinstance(want, Want))
        self.aliases += [alias for alias in found if alias.destination in known]

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
        for reference, head in read.items():
            if isinstance(head, Whole):
                self._answers.hear(ReadManifest(reference.repository, head.descriptor.digest), head.content)
        return {**self._listed, **read}

    def _read(self, reference: Reference) -> Head:
        repository = reference.repository
        if repository not in self._sources:
            return read_head(lambda: self._stores.destination(repository), reference, "destination")
        if reference not in self._wanted:
            return read_head(lambda: self._stores.source(repository), reference, "source")
        is_free = not self._stores.counts_pulls(repository.registry)
        read = read_whole if reference in self._whole and is_free else read_wanted
        return read(lambda: self._stores.source(repository), reference, "source")


def _is_listed(want: Want, lists: Lists) -> bool:
    return want.destination.tag in lists.trusted[want.destination.repository]
