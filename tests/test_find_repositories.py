"""Finding repositories: who is asked for a catalog, how often, and what becomes of one that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import AuthenticationError, Cancelled
from imagesync.plan.actions import Failure
from imagesync.plan.repositories import Expanded
from imagesync.spec.model import Rule
from imagesync.survey import find_repositories
from imagesync.tasks import Tasks
from tests.fakes.memory import MemoryCatalog, MemoryStores
from tests.plan.test_repositories import make_glob_rule
from tests.plan.values import make_rule


class Bench:
    """Two registries with catalogs, and one worker."""

    def __init__(self) -> None:
        self.stores, self.cancellation = MemoryStores(), Cancellation()
        self.tasks = Tasks(workers=1, hosts=self.stores, cancellation=self.cancellation)
        self.stores.catalogs["quay.io"] = self.quay = MemoryCatalog("team/a", "team/b", "x/c")
        self.stores.catalogs["ghcr.io"] = MemoryCatalog(error=AuthenticationError("answered 401", hint="log in"))

    def find(self, *rules: Rule) -> Expanded:
        return find_repositories(rules, self.stores, self.tasks)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.tasks.close()


def test_each_registry_has_one_lister_and_each_prefix_is_asked_for_once(bench: Bench) -> None:
    bench.find(*(make_glob_rule(text) for text in ("team/*", "x/*", "team/a*", "**")))
    assert (bench.stores.opened, bench.quay.asked) == (["quay.io"], ["team", "x", ""])


def test_no_catalog_is_asked_for_without_a_glob(bench: Bench) -> None:
    rule = make_rule("1")
    assert bench.find(rule).rules == (rule,)
    assert bench.stores.opened == []


def test_a_catalog_that_is_refused_fails_its_globs_and_no_others(bench: Bench) -> None:
    found = bench.find(make_glob_rule(registry="ghcr.io"), make_glob_rule())
    failure, *rules = found.rules
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.hint) == ("authentication", "log in")
    assert "source" in failure.reason
    assert [rule.name for rule in rules if isinstance(rule, Rule)] == ["bases/team/a", "bases/team/b"]


def test_a_run_that_is_stopped_meanwhile_says_so(bench: Bench) -> None:
    bench.cancellation.cancel()
    with pytest.raises(Cancelled):
        bench.find(make_glob_rule())
