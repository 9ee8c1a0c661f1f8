"""Catalogs: what registries list below the prefixes that globs ask for. Each registry has one task for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from imagesync.plan.repositories import Catalogs, Expanded, catalogs_needed, expand
from imagesync.spec.model import Rule
from imagesync.store import Stores
from imagesync.survey.answers import or_broken
from imagesync.tasks import Tasks


def find_repositories(rules: Sequence[Rule], stores: Stores, tasks: Tasks) -> Expanded:
    """The rules with a rule for every repository in place of each glob. Asks nobody where there is none."""
    return expand(rules, read_catalogs(rules, stores, tasks))


def read_catalogs(rules: Iterable[Rule], stores: Stores, tasks: Tasks) -> Catalogs:
    """What registries list for the globs of these rules."""
    needed = catalogs_needed(rules)
    asked = [
        tasks.add(partial(_list_all, registry, prefixes, stores), hosts=[registry])
        for registry, prefixes in needed.items()
    ]
    return {below: found for catalog in tasks.results(asked) for below, found in catalog.items()}


def _list_all(registry: str, prefixes: Iterable[str], stores: Stores) -> Catalogs:
    """One lister for all prefixes: it may keep a catalog that is the same for each."""
    lister = stores.lister(registry)
    return {(registry, prefix): or_broken(partial(lister.list_repositories, prefix), "source") for prefix in prefixes}
