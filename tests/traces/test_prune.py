"""Wire traces of a prune: what is asked before anything goes, and the requests that each deletion takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from imagesync.executor import Executor
from imagesync.pipeline import execute, plan_prune
from imagesync.plan.outcome import Outcome
from imagesync.reference import Reference, Repository, Tag
from imagesync.spec.model import MostPercent, Prune
from imagesync.state import State, Written
from tests.conftest import MakeRegistry
from tests.images import make_image, make_index, push_image
from tests.traces.harness import Sync

ROOT = "/v2/mirror/app"


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    """Three images at the destination, each under a tag of its own, the last an index."""
    made = Sync(make_registry(), make_registry())
    for tag, image in (("1", make_image("one")), ("2", make_image("two")), ("3", make_index("three"))):
        push_image(made.destination.repository("mirror/app"), image, tag)
    return made


def prune(sync: Sync, *wanted: str, confirm: bool) -> list[Outcome]:
    """Prune all that imagesync has written, which is all, but for what is wanted."""
    spec = sync.spec(wanted, ["mirror/app"])
    rule = replace(spec.rules[0], prune=Prune(most=MostPercent(100)))
    with sync.session() as (stores, tasks, cancellation):
        reviewed = plan_prune(replace(spec, rules=(rule,)), [rule], written(sync), stores=stores, tasks=tasks)
        return list(execute(reviewed, Executor(stores, tasks, cancellation))) if confirm else []


def written(sync: Sync) -> State:
    repository, store = Repository(sync.destination_host, "mirror/app"), sync.destination.repository("mirror/app")
    at = datetime(2026, 1, 31, tzinfo=UTC)
    tags = (Written(Reference(repository, tag), store.resolve(tag).digest, at) for tag in store.list_tags())
    return State.of(tags)


def test_where_all_is_wanted_a_prune_costs_one_tag_list(sync: Sync) -> None:
    prune(sync, "1", "2", "3", confirm=True)
    assert sync.destination.log.lines() == [f"GET {ROOT}/tags/list 200"]
    assert sync.source.log.lines() == []


def test_where_something_may_go_every_tag_is_asked_for_and_every_index_read(sync: Sync) -> None:
    prune(sync, "1", "3", confirm=False)
    index = sync.destination.repository("mirror/app").resolve(Tag("3")).digest
    lines = sync.destination.log.lines()
    assert lines[0] == f"GET {ROOT}/tags/list 200"
    assert sorted(lines[1:4]) == [f"HEAD {ROOT}/manifests/{tag} 200" for tag in "123"]
    assert lines[4:] == [f"GET {ROOT}/manifests/{index} 200"]


def test_a_tag_is_read_once_more_and_deleted_by_its_name(sync: Sync) -> None:
    prune(sync, "1", "3", confirm=True)
    lines = sync.destination.log.lines()
    assert lines[5:] == [f"HEAD {ROOT}/manifests/2 200", f"DELETE {ROOT}/manifests/2 202"]


def test_by_digest_the_other_tags_are_looked_at_first_and_only_once(sync: Sync) -> None:
    """DEL-01: as docker-registry 2 has it."""
    store = sync.destination.repository("mirror/app")
    two, three = (store.resolve(Tag(tag)).digest for tag in "23")
    sync.destination.script("DELETE", "/manifests/[123]$", status=400)
    prune(sync, "1", confirm=True)
    assert sync.destination.log.lines()[5:] == [
        f"HEAD {ROOT}/manifests/2 200",
        f"DELETE {ROOT}/manifests/2 400",
        f"GET {ROOT}/tags/list 200",
        f"HEAD {ROOT}/manifests/1 200",
        f"HEAD {ROOT}/manifests/2 200",
        f"HEAD {ROOT}/manifests/3 200",
        f"DELETE {ROOT}/manifests/{two} 202",
        f"HEAD {ROOT}/manifests/3 200",
        f"GET {ROOT}/tags/list 200",
        f"DELETE {ROOT}/manifests/{three} 202",
    ]
    assert store.list_tags() == (Tag("1"),)


def test_a_tag_that_came_meanwhile_with_the_same_digest_is_seen(sync: Sync) -> None:
    store = sync.destination.repository("mirror/app")
    sync.destination.script("DELETE", "/manifests/[123]$", status=400)
    spec = sync.spec(["1", "3"], ["mirror/app"])
    rule = replace(spec.rules[0], prune=Prune())
    with sync.session() as (stores, tasks, cancellation):
        reviewed = plan_prune(replace(spec, rules=(rule,)), [rule], written(sync), stores=stores, tasks=tasks)
        store.push_manifest(store.fetch_manifest(Tag("2")), Tag("meanwhile"))
        outcomes = list(execute(reviewed, Executor(stores, tasks, cancellation)))
    assert ["tag meanwhile has" in one.reason for one in outcomes if one.exit_code == 3] == [True]
    assert Tag("2") in store.list_tags()
