"""Heads: the tag lists that rules ask for, then what each tag points to on both sides. Each is asked for once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from imagesync.plan.aliases import Following, followings
from imagesync.plan.diff import Wanted
from imagesync.plan.inventory import Broken, Head, Listed
from imagesync.plan.questions import Side
from imagesync.plan.repositories import Named
from imagesync.plan.wants import Listings, Want, lists_needed, lists_trusted, make_wants, needs_list, wants_of
from imagesync.reference import Reference, Repository, Tag
from imagesync.spec.model import Rule
from imagesync.state import State
from imagesync.store import Stores
from imagesync.survey.aliases import Lookup, with_aliases
from imagesync.survey.answers import or_broken, read_head
from imagesync.survey.held import held_heads
from imagesync.tasks import Task, Tasks, Watch


def read_listings(rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> Listings:
    """The tag lists of the source repositories whose rules ask for one."""
    lists = {repository: _list(repository, stores, tasks) for repository in lists_needed(rules)}
    return dict(zip(lists, tasks.results(list(lists.values())), strict=True))


def read_heads(
    named: Sequence[Named], stores: Stores, tasks: Tasks, *, state: State | None = None
) -> tuple[tuple[Wanted, ...], Mapping[Reference, Head], Listings]:
    """Lists and heads. A head is read as soon as the lists of its rule are there: no rule waits for another's. `state`
    is what tells first which versions aliases carry."""
    rules = [rule for rule in named if isinstance(rule, Rule)]
    lists = _Lists(rules, stores, tasks)
    heads = _Heads(frozenset(rule.source for rule in rules), stores, tasks)
    for ready in lists.ready():
        heads.ask(ready, lists)
    wants = make_wants(named, lists.selected)
    found = held_heads(wants, heads.results(), stores, tasks)
    return with_aliases(wants, heads.aliases, found, Lookup(stores, tasks, state)), found, lists.selected


class _Lists:
    """The tag lists that rules ask for: of sources, to select from, and of destinations, to trust them."""

    def __init__(self, rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> None:
        self.selected: dict[Repository, tuple[Tag, ...] | Broken] = {}
        self.trusted: dict[Repository, frozenset[Tag]] = {}
        self._rules, self._stores, self._tasks = rules, stores, tasks
        self._watch: Watch[Any] = tasks.watch()
        self._started: dict[tuple[Side, Repository], Task[Any]] = {}
        self._asked: dict[Task[Any], tuple[dict[Repository, Any], Repository]] = {}
        self._waiting: dict[Task[Any], list[Rule]] = defaultdict(list)

    def ready(self) -> Iterator[list[Rule]]:
        """Yield the rules whose lists are there, as they come."""
        yield self._ready_of(self._rules)
        for task in self._watch:
            found, repository = self._asked[task]
            found[repository] = task.result()
            yield self._ready_of(self._waiting.pop(task, ()))

    def _ready_of(self, rules: Iterable[Rule]) -> list[Rule]:
        """Those of some rules that lack no list; each of the others waits for the first that it lacks."""
        ready = []
        for rule in rules:
            lacking = self._lacking(rule)
            if lacking:
                self._waiting[lacking[0]].append(rule)
            else:
                ready.append(rule)
        return ready

    def _lacking(self, rule: Rule) -> list[Task[Any]]:
        """The lists that it is known to lack: which of its destinations' it trusts is known once its tags are."""
        if needs_list(rule) and rule.source not in self.selected:
            return [self._read("source", rule.source)]
        trusted = lists_trusted(rule, self.selected)
        return [self._read("destination", one) for one in trusted if one not in self.trusted]

    def _read(self, side: Side, repository: Repository) -> Task[Any]:
        """The task that reads a list; each has one, whichever rule asks."""
        task = self._started.get((side, repository))
        if task is None:
            read, found = (_list, self.selected) if side == "source" else (_list_there, self.trusted)
            task = self._started[side, repository] = read(repository, self._stores, self._tasks)
            self._asked[task] = found, repository
            self._watch.add(task)
        return task


class _Heads:
    """The heads that rules ask for, each reference once; what a trusted list has is not asked for."""

    def __init__(self, sources: frozenset[Repository], stores: Stores, tasks: Tasks) -> None:
        self._sources = sources
        self._stores = stores
        self._tasks = tasks
        self._asked: dict[Reference, Task[Head]] = {}
        self._listed: dict[Reference, Head] = {}
        self.aliases: list[Following] = []

    def ask(self, rules: Iterable[Rule], lists: _Lists) -> None:
        wants = [want for rule in rules for want in wants_of(rule, lists.selected) if isinstance(want, Want)]
        listed = {want.destination: Listed() for want in wants if want.trusts_list and _is_listed(want, lists)}
        self._listed.update(listed)
        aliases = list(followings(wants))
        self.aliases += aliases
        asked = [want for want in wants if want.destination not in listed]
        sources = [want.asked for want in wants if want.destination not in listed or want.rule.aliases]
        destinations = [*(want.destination for want in asked), *(alias.destination for alias in aliases)]
        for reference in (*sources, *destinations):
            if reference not in self._asked:
                self._asked[reference] = self._tasks.add(
                    partial(self._read, reference), hosts=[reference.repository.registry]
                )

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
