"""Wire traces: exactly what a plan and an apply send to both sides (decisions 2 and 3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from imagesync.cancellation import Cancellation
from imagesync.executor import Executor
from imagesync.pipeline import carry_out, make_plan
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.outcome import Status
from imagesync.reference import Repository
from imagesync.registry.habits import WHOLE_BYTES
from imagesync.selection import Retag
from imagesync.server.auth import BasicAuth, TokenAuth
from imagesync.tasks import Tasks
from tests.conftest import MakeRegistry
from tests.images import make_image, make_index
from tests.traces.harness import USERS, Sync, kinds


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    return Sync(make_registry(), make_registry())


@pytest.fixture
def token_sync(make_registry: MakeRegistry) -> Sync:
    return Sync(make_registry(auth=TokenAuth(USERS)), make_registry(auth=TokenAuth(USERS)))


def test_an_unchanged_tag_costs_two_requests(sync: Sync) -> None:
    """MAN-16: one HEAD a side, no ping, no manifest, no write."""
    sync.fill(make_index(attestations=True), "latest")
    sync.apply("latest")
    assert [outcome.status for outcome in sync.apply("latest")] == [Status.UNCHANGED]
    assert sync.source.log.lines() == ["HEAD /v2/app/manifests/latest 200"]
    assert sync.destination.log.lines() == ["HEAD /v2/mirror/app/manifests/latest 200"]


def test_a_hundred_unchanged_tags_cost_two_hundred_requests_and_one_list(sync: Sync) -> None:
    image = make_image(layers=1, layer_bytes=10)
    tags = [f"v{number}" for number in range(100)]
    for tag in tags:
        sync.fill(image, tag)
    sync.apply(*tags)
    sync.apply("v*")
    assert kinds(sync.source) == {"HEAD manifests": 100, "GET tags": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 100}


def test_a_new_image_costs_what_it_must(sync: Sync) -> None:
    """Decisions 3: L layers are L + 1 blobs; HEAD, POST, PUT for each that is small, HEAD and PUT for the tag."""
    sync.fill(make_image(layers=3), "latest")
    assert [outcome.status for outcome in sync.apply("latest")] == [Status.COPIED]
    assert kinds(sync.source) == {"HEAD manifests": 1, "GET manifests": 1, "GET blobs": 4}
    assert kinds(sync.destination) == {
        "HEAD manifests": 1,
        "HEAD blobs": 4,
        "POST uploads": 4,
        "PUT uploads": 4,
        "PUT manifests": 1,
    }


def test_a_large_blob_costs_a_patch_more(sync: Sync) -> None:
    """Decisions 3: at most 4 requests a blob."""
    sync.fill(make_image(layers=1, layer_bytes=WHOLE_BYTES + 1), "latest")
    sync.apply("latest")
    requests = kinds(sync.destination)
    assert (requests["POST uploads"], requests["PATCH uploads"], requests["PUT uploads"]) == (2, 1, 2)
    assert requests["HEAD blobs"] == 2


def test_an_empty_repository_is_not_asked_blob_by_blob(sync: Sync) -> None:
    """One tag list and two probes instead of a HEAD for each of 16 blobs."""
    sync.fill(make_index(platforms=("linux/amd64", "linux/arm64", "linux/386", "linux/s390x"), layers=3), "latest")
    sync.apply("latest")
    assert kinds(sync.destination) == {
        "HEAD manifests": 1,
        "GET tags": 1,
        "HEAD blobs": 2,
        "POST uploads": 16,
        "PUT uploads": 16,
        "PUT manifests": 5,
    }


def test_a_repository_without_tags_that_an_earlier_run_has_filled_is_not_filled_again(sync: Sync) -> None:
    """MAN-19: cut off after the blobs and before the tag."""
    image = make_index(platforms=("linux/amd64", "linux/arm64", "linux/386", "linux/s390x"), layers=3)
    sync.fill(image, "latest")
    sync.destination.script("PUT", "/manifests/latest", status=403)
    assert [outcome.status for outcome in sync.apply("latest")] == [Status.FAILED]
    sync.destination.unscript()
    assert [outcome.status for outcome in sync.apply("latest")] == [Status.COPIED]
    assert "POST uploads" not in kinds(sync.destination)
    assert "GET blobs" not in kinds(sync.source)


def test_a_plan_writes_nothing_and_its_apply_reads_no_manifest_again(sync: Sync) -> None:
    sync.fill(make_index(), "latest")
    text = plan_to_json(sync.plan("latest"))
    assert {entry.method for entry in sync.destination.log.entries()} == {"HEAD", "GET"}
    sync.apply(plan=plan_from_json(text, name="plan"))
    assert kinds(sync.source) == {"HEAD manifests": 1, "GET blobs": 6}
    assert kinds(sync.destination)["HEAD manifests"] == 2


def test_a_saved_plan_that_is_fulfilled_writes_nothing(sync: Sync) -> None:
    sync.fill(make_index(), "latest")
    text = plan_to_json(sync.plan("latest"))
    sync.apply("latest")
    (outcome,) = sync.apply(plan=plan_from_json(text, name="plan"))
    assert outcome.status is Status.UNCHANGED
    assert sync.source.log.lines() == []
    assert sync.destination.log.lines() == ["HEAD /v2/mirror/app/manifests/latest 200"]


def test_a_saved_plan_that_was_interrupted_goes_on_where_it_was(sync: Sync) -> None:
    """MAN-19: no blob is sent again."""
    sync.fill(make_image(layers=3), "latest")
    text = plan_to_json(sync.plan("latest"))
    sync.destination.script("PUT", "/manifests/latest", status=403)
    sync.apply("latest")
    sync.destination.unscript()
    (outcome,) = sync.apply(plan=plan_from_json(text, name="plan"))
    assert (outcome.status, outcome.bytes_copied) == (Status.COPIED, 0)
    assert kinds(sync.destination) == {"HEAD manifests": 2, "HEAD blobs": 4, "PUT manifests": 1}


def test_a_replaced_tag_is_read_once_more_before_it_is_written(sync: Sync) -> None:
    sync.fill(make_image("old", layers=1), "latest")
    sync.apply("latest")
    sync.fill(make_image("new", layers=1), "latest")
    sync.apply("latest")
    heads = sync.destination.log.lines("HEAD", "manifests")
    assert heads == ["HEAD /v2/mirror/app/manifests/latest 200"] * 2


def test_layers_that_are_there_cost_one_request_each(sync: Sync) -> None:
    sync.fill(make_image(layers=3), "v1")
    sync.apply("v1")
    sync.fill(make_image(layers=3), "v2")
    sync.apply("v2")
    assert kinds(sync.destination) == {"HEAD manifests": 1, "HEAD blobs": 4, "PUT manifests": 1}
    assert "GET blobs" not in kinds(sync.source)


def test_children_are_written_by_digest_and_the_tag_last(sync: Sync) -> None:
    index = make_index(attestations=True)
    sync.fill(index, "latest")
    sync.apply("latest")
    puts = sync.destination.log.lines("PUT", "manifests")
    assert puts[-1] == "PUT /v2/mirror/app/manifests/latest 201"
    assert sorted(puts[:-1]) == sorted(f"PUT /v2/mirror/app/manifests/{child.digest} 201" for child in index.children)


def test_twenty_tags_that_share_layers_read_each_blob_once(sync: Sync) -> None:
    """BLB-08."""
    image = make_index(layers=3)
    tags = [f"v{number}" for number in range(20)]
    for tag in tags:
        sync.fill(image, tag)
    sync.apply(*tags)
    assert kinds(sync.source)["GET blobs"] == len(image.blobs)
    assert kinds(sync.destination)["PUT uploads"] == len(image.blobs)
    assert kinds(sync.destination)["HEAD blobs"] == 2
    assert kinds(sync.source)["GET manifests"] == len(image.contents)


def test_into_several_repositories_of_one_registry_each_blob_is_read_once_and_mounted(sync: Sync) -> None:
    """MNT-01, BLB-08: a follower costs HEAD and POST a blob."""
    sync.fill(make_image(layers=3), "latest")
    outcomes = sync.apply("latest", to=["a", "b", "c"])
    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 3
    assert kinds(sync.source) == {"HEAD manifests": 1, "GET manifests": 1, "GET blobs": 4}
    assert kinds(sync.destination) == {
        "HEAD manifests": 3,
        "HEAD blobs": 12,
        "POST uploads": 12,
        "PUT uploads": 4,
        "PUT manifests": 3,
    }


def test_three_registries_are_fed_from_one_read_of_each_blob(make_registry: MakeRegistry) -> None:
    source, others = make_registry(), [make_registry() for _ in range(3)]
    sync = Sync(source, others[0])
    image = make_index(layers=2, layer_bytes=3_000_000)
    sync.fill(image, "latest")
    with sync.session() as (stores, tasks, cancellation):
        spec = sync.spec(["latest"], ["app"])
        destinations = tuple(Repository(other.host, "app") for other in others)
        rule = replace(spec.rules[0], destinations=destinations)
        source.log.clear()
        plan = make_plan(replace(spec, rules=(rule,)), stores, tasks)
        outcomes = list(carry_out(plan, Executor(stores, tasks, cancellation)))
    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 3
    assert kinds(source) == {"HEAD manifests": 1, "GET manifests": 3, "GET blobs": 6}
    assert sum(entry.bytes_out for entry in source.log.entries("GET", "blobs")) == image.size_bytes
    for other in others:
        assert (kinds(other)["PATCH uploads"], kinds(other)["PUT uploads"]) == (4, 6)


def test_within_one_registry_blobs_are_mounted(make_registry: MakeRegistry) -> None:
    """MNT-01: one POST a blob, no bytes."""
    registry = make_registry()
    sync = Sync(registry, registry)
    sync.fill(make_image(layers=3), "latest")
    (outcome,) = sync.apply("latest")
    assert outcome.status is Status.COPIED
    assert kinds(registry) == {"HEAD manifests": 2, "GET manifests": 1, "POST uploads": 4, "PUT manifests": 1}


def test_a_new_tag_in_the_same_repository_is_one_put(make_registry: MakeRegistry) -> None:
    """E2E-02."""
    registry = make_registry()
    sync = Sync(registry, registry)
    sync.fill(make_image(), "rc")
    with sync.session() as (stores, tasks, cancellation):
        spec = sync.spec(["rc"], ["app"])
        renamed = replace(spec.rules[0], retag=Retag("{tag}-final"))
        plan = make_plan(replace(spec, rules=(renamed,)), stores, tasks)
        list(carry_out(plan, Executor(stores, tasks, cancellation)))
    assert kinds(registry) == {"HEAD manifests": 2, "GET manifests": 1, "PUT manifests": 1}


def test_tokens_cost_one_401_and_one_token_for_each_side_and_access(token_sync: Sync) -> None:
    """Decisions 3. The 401 comes once a registry: afterwards a token is fetched ahead of the request."""
    token_sync.fill(make_image(layers=3), "latest")
    assert [outcome.status for outcome in token_sync.apply("latest")] == [Status.COPIED]
    for side, tokens in ((token_sync.source, 1), (token_sync.destination, 2)):
        assert len(side.log.entries("GET", "^/token$")) == tokens
        assert sum(entry.status == 401 for entry in side.log.entries()) == 1
    assert kinds(token_sync.source) - Counter({"GET token": 1, "HEAD manifests": 1}) == {
        "HEAD manifests": 1,
        "GET manifests": 1,
        "GET blobs": 4,
    }


def test_many_tags_of_one_repository_share_their_token(token_sync: Sync) -> None:
    """AUTH-09."""
    tags = [f"v{number}" for number in range(10)]
    for tag in tags:
        token_sync.fill(make_image(layers=1), tag)
    token_sync.apply(*tags)
    assert len(token_sync.source.log.entries("GET", "^/token$")) == 1
    assert len(token_sync.destination.log.entries("GET", "^/token$")) == 2


def test_a_run_with_one_thread_sends_the_same(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions 30: `--concurrency 1` finishes everything."""
    make = Tasks.__init__
    monkeypatch.setattr(Tasks, "__init__", lambda self, **given: make(self, **{**given, "workers": 1}))
    sync.fill(make_index(attestations=True, layers=3), "latest")
    assert [outcome.status for outcome in sync.apply("latest", to=["a", "b"])] == [Status.COPIED] * 2


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_a_server_error_on_any_write_is_survived(sync: Sync, method: str, make_fast: Callable[[], None]) -> None:
    """UPL-13 for each step."""
    make_fast()
    sync.fill(make_image(layers=2), "latest")
    sync.destination.script(method, status=503, times=1)
    assert [outcome.status for outcome in sync.apply("latest")] == [Status.COPIED]


@pytest.fixture
def make_fast(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Waits between tries take no time."""
    return lambda: monkeypatch.setattr(Cancellation, "wait", lambda self, _seconds: self.check())


def test_many_tags_asked_for_at_once_cost_one_401(make_registry: MakeRegistry) -> None:
    """Decisions 3: the first request to a registry goes ahead of the others."""
    sync = Sync(make_registry(auth=BasicAuth(USERS)), make_registry(auth=BasicAuth(USERS)))
    tags = [f"v{number}" for number in range(10)]
    for tag in tags:
        sync.fill(make_image(layers=1), tag)
    sync.apply(*tags)
    for side in (sync.source, sync.destination):
        assert sum(entry.status == 401 for entry in side.log.entries()) == 1
