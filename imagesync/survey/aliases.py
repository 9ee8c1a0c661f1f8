"""Aliases: settles which version each follows, once heads are there; looks up at destinations what one carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from imagesync.lazy import replace
from imagesync.plan.aliases import (
    Following,
    Known,
    follow,
    in_conflict,
    is_unknown,
    place_aliases,
    strictest,
    versions_to_look_up,
)
from imagesync.plan.inventory import Broken, Head
from imagesync.plan.wants import Want, Wanted
from imagesync.reference import Reference, Repository, Tag
from imagesync.state import NOTHING_REMEMBERED, State
from imagesync.store import Stores
from imagesync.survey.answers import or_broken, read_head
from imagesync.tasks import Task, Tasks


def with_aliases(
    wants: Sequence[Wanted], aliases: Sequence[Following], heads: Mapping[Reference, Head], *, lookup: Lookup
) -> tuple[Wanted, ...]:
    """The wants, with one for each alias or why there is none."""
    if not aliases:
        return tuple(wants)
    aliases = strictest(aliases)
    wanted = {want.destination: want for want in wants if isinstance(want, Want)}
    failures, known = in_conflict(aliases, wanted), Known(heads, wanted, state=lookup.state)
    unknown = [one for one in aliases if one not in failures and is_unknown(one, known)]
    known = replace(known, looked_up=lookup.look_up(unknown, known))
    settled = {one: failures.get(one) or follow(one, known) for one in aliases}
    return place_aliases(wants, settled)


class Lookup:
    """Asks destinations which of their version tags have the digest that an alias has."""

    def __init__(self, stores: Stores, tasks: Tasks, state: State | None) -> None:
        self.state = state or NOTHING_REMEMBERED
        """What is remembered, which is asked before any destination."""
        self._stores = stores
        self._tasks = tasks

    def look_up(self, aliases: Sequence[Following], known: Known) -> dict[Reference, Head]:
        """What the version tags of their destinations point to; nothing of one that cannot be listed."""
        repositories = list(dict.fromkeys(one.destination.repository for one in aliases))
        listed = dict(zip(repositories, self._tasks.results([self._list(one) for one in repositories]), strict=True))
        found = (versions_to_look_up(one, listed[one.destination.repository], known) for one in aliases)
        return self._read(want.destination for wants in found for want in wants)

    def _read(self, references: Iterable[Reference]) -> dict[Reference, Head]:
        asked = {reference: self._head(reference) for reference in dict.fromkeys(references)}
        return dict(zip(asked, self._tasks.results(list(asked.values())), strict=True))

    def _list(self, repository: Repository) -> Task[tuple[Tag, ...]]:
        def read() -> tuple[Tag, ...]:
            found = or_broken(lambda: self._stores.destination(repository).list_tags(), "destination")
            return () if isinstance(found, Broken) else found

        return self._tasks.add(read, hosts=[repository.registry])

    def _head(self, reference: Reference) -> Task[Head]:
        store = partial(self._stores.destination, reference.repository)
        return self._tasks.add(
            partial(read_head, store, reference, "destination"), hosts=[reference.repository.registry]
        )
