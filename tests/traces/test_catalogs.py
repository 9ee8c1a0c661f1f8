"""What a glob over repositories costs: its catalog once, then what its repositories would cost if they were named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from imagesync.audit import Looking, audit
from imagesync.pipeline import make_plan
from imagesync.server.auth import TokenAuth
from imagesync.spec.globs import RepositoryGlob
from imagesync.spec.model import Rule, Spec
from tests.conftest import MakeRegistry
from tests.images import make_image
from tests.traces.harness import USERS, Sync

CATALOG = "GET /v2/_catalog 200"


class GlobSync(Sync):
    """A Sync whose rules are globs, written for the tags that are asked for; `to` is not used."""

    patterns: tuple[str, ...] = ("team/*",)

    def spec(self, tags: Sequence[str], to: Sequence[str]) -> Spec:
        spec = super().spec(tags, to)
        return replace(spec, rules=tuple(self._glob_rule(spec.rules[0], pattern) for pattern in self.patterns))

    def _glob_rule(self, rule: Rule, pattern: str) -> Rule:
        glob = RepositoryGlob(self.source_host, "", pattern, (f"{self.destination_host}/{{path}}",))
        return replace(rule, image=pattern, source=glob.source, destinations=(), glob=glob)


@pytest.fixture
def sync(make_registry: MakeRegistry) -> GlobSync:
    made = GlobSync(make_registry(), make_registry())
    for path in ("team/a", "team/b", "other/c"):
        made.fill(make_image(path), "1", path=path)
    return made


def test_a_catalog_comes_before_all_heads_and_costs_one_request(sync: GlobSync) -> None:
    sync.apply("1")
    sync.apply("1")
    first, *others = sync.source.log.lines()
    assert first == CATALOG
    assert sorted(others) == ["HEAD /v2/team/a/manifests/1 200", "HEAD /v2/team/b/manifests/1 200"]
    assert sorted(sync.destination.log.lines()) == sorted(others)


def test_globs_of_one_registry_share_its_catalog(sync: GlobSync) -> None:
    sync.patterns = ("team/*", "team/a*", "other/*", "**/c")
    sync.plan("1")
    assert sync.source.log.lines().count(CATALOG) == 1


def test_lists_are_read_of_what_the_glob_finds_alone(sync: GlobSync) -> None:
    sync.plan("*")
    lists = [line for line in sync.source.log.lines() if line.endswith("/tags/list 200")]
    assert sorted(lists) == ["GET /v2/team/a/tags/list 200", "GET /v2/team/b/tags/list 200"]


def test_an_audit_expands_globs_as_a_plan_does(sync: GlobSync) -> None:
    sync.apply("1")
    sync.clear()
    with sync.session() as (stores, tasks, _):
        found = audit(sync.spec(["1"], ()), Looking(stores), tasks)
    assert sorted(str(tag.want.destination.repository.path) for tag in found.tags if tag.want) == ["team/a", "team/b"]
    assert sync.source.log.lines().count(CATALOG) == 1


def test_a_registry_with_tokens_gives_one_for_its_catalog(make_registry: MakeRegistry) -> None:
    sync = GlobSync(make_registry(auth=TokenAuth(USERS)), make_registry())
    sync.fill(make_image("a"), "1", path="team/a")
    with sync.session() as (stores, tasks, _):
        plan = make_plan(sync.spec(["1"], ()), stores, tasks)
    assert len(plan.copies()) == 1
    assert sync.source.log.lines()[:3] == ["GET /v2/_catalog 401", "GET /token 200", CATALOG]
