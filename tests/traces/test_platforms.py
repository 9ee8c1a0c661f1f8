"""Wire traces of narrowed copies: what is asked for, what is not, and what a run costs that has nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imagesync.cache import Cache
from imagesync.executor import Executor
from imagesync.pipeline import Drawing, plan_and_carry_out
from imagesync.plan.actions import Copy
from imagesync.plan.outcome import Status
from imagesync.reference import Tag
from imagesync.selection import Platforms, Retag, TagFilter
from tests.conftest import MakeRegistry
from tests.images import MadeImage, descriptor_of, index_of, make_artifact, make_image, make_index
from tests.traces.harness import Sync, kinds
from tests.traces.narrowing import (
    AMD64,
    ARM64,
    FLAT,
    INDEX,
    OF_AMD64,
    ONE,
    SPARSE,
    blobs_read,
    keep,
    layers_of,
    manifests,
    narrowed,
    statuses,
    there,
)


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    made = Sync(make_registry(), make_registry())
    made.platforms = ONE
    return made


@pytest.fixture
def cached(sync: Sync, tmp_path: Path) -> Iterator[Sync]:
    sync.memory = cache = Cache(tmp_path / "cache")
    yield sync
    cache.close()


def test_a_narrowed_copy_asks_for_what_is_kept_and_for_nothing_else(sync: Sync) -> None:
    """ATT-01: the platform, its attestation, and an index of just these."""
    sync.fill(INDEX, "v1")
    (outcome,) = sync.apply("v1")
    assert isinstance(outcome.action, Copy)
    assert outcome.action.platforms == ("linux/amd64",)
    assert manifests(sync.source, "GET")[0] == INDEX.digest
    assert set(manifests(sync.source, "GET")[1:]) == {AMD64.digest, OF_AMD64.digest}
    assert blobs_read(sync) == layers_of(AMD64, OF_AMD64)
    assert sorted(manifests(sync.destination, "PUT")[:2]) == sorted([AMD64.digest, OF_AMD64.digest])
    assert manifests(sync.destination, "PUT")[2:] == ["v1"]
    assert there(sync).digest == narrowed(INDEX)
    assert "narrowed from" in outcome.action.note


def test_a_rerun_reads_the_sources_index_and_writes_nothing(sync: Sync) -> None:
    """PLT-04: what the destination has is compared with what the source becomes."""
    sync.fill(INDEX, "v1")
    sync.apply("v1")
    assert statuses(sync.apply("v1")) == [Status.UNCHANGED]
    assert sync.source.log.lines() == ["HEAD /v2/app/manifests/v1 200", f"GET /v2/app/manifests/{INDEX.digest} 200"]
    assert sync.destination.log.lines() == ["HEAD /v2/mirror/app/manifests/v1 200"]


@pytest.mark.usefixtures("_takes_sparse")
@pytest.mark.parametrize("platforms", [ONE, SPARSE, FLAT, keep(required=("linux/arm64",))])
def test_a_rerun_with_a_cache_costs_two_requests(cached: Sync, platforms: Platforms) -> None:
    """PLT-04."""
    cached.platforms = platforms
    cached.fill(INDEX, "v1")
    assert statuses(cached.apply("v1")) == [Status.COPIED]
    assert statuses(cached.apply("v1")) == [Status.UNCHANGED]
    assert kinds(cached.source) == kinds(cached.destination) == {"HEAD manifests": 1}


def test_a_cache_that_knows_no_manifest_any_more_still_knows_what_an_index_becomes(cached: Sync) -> None:
    cached.fill(INDEX, "v1")
    cached.apply("v1")
    memory = cached.memory
    memory.manifest = lambda digest: None  # type: ignore[method-assign] # noqa: ARG005 - they were dropped, for their size
    assert statuses(cached.apply("v1")) == [Status.UNCHANGED]
    assert kinds(cached.source) == kinds(cached.destination) == {"HEAD manifests": 1}


def test_other_platforms_than_last_time_are_looked_into(cached: Sync) -> None:
    cached.fill(INDEX, "v1")
    cached.apply("v1")
    cached.platforms = keep("linux/arm64")
    assert statuses(cached.apply("v1")) == [Status.COPIED]
    assert there(cached).digest == narrowed(INDEX, cached.platforms)


def test_a_source_that_changed_only_in_what_is_left_out_is_unchanged(sync: Sync) -> None:
    amd, old, new = (
        make_image("amd"),
        make_image("old", platform="linux/arm64"),
        make_image("new", platform="linux/arm64"),
    )
    sync.fill(index_for(amd=amd, arm64=old), "v1")
    sync.apply("v1")
    sync.fill(index_for(amd=amd, arm64=new), "v1")
    assert statuses(sync.apply("v1")) == [Status.UNCHANGED]
    assert kinds(sync.source) == {"HEAD manifests": 1, "GET manifests": 1}


def index_for(*, amd: MadeImage, arm64: MadeImage) -> MadeImage:
    platforms = ({"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64"})
    made = [amd, arm64]
    return index_of([descriptor_of(one.root, platform=name) for one, name in zip(made, platforms, strict=True)], made)


def test_a_filter_that_matches_nothing_writes_nothing_and_names_what_there_is(sync: Sync) -> None:
    """PLT-02."""
    sync.platforms = keep("linux/s390x")
    sync.fill(INDEX, "v1")
    (outcome,) = sync.apply("v1")
    assert (outcome.status, outcome.kind, outcome.exit_code) == (Status.FAILED, "platform", 1)
    assert f"source {sync.source_host}/app:v1@{INDEX.digest}: `platforms` keeps linux/s390x" in outcome.reason
    assert outcome.reason.endswith("there is linux/amd64, linux/arm64")
    assert kinds(sync.source) == {"HEAD manifests": 1, "GET manifests": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 1}


def test_a_required_platform_that_is_missing_fails_the_image_and_no_other(sync: Sync) -> None:
    sync.platforms = keep(required=("linux/arm64", "linux/amd64"))
    sync.fill(INDEX, "v1")
    sync.fill(make_index("poor", platforms=("linux/amd64",)), "v2")
    outcomes = sync.apply("v1", "v2")
    assert sorted(outcome.status.value for outcome in outcomes) == ["copied", "failed"]
    assert there(sync).digest == INDEX.digest
    (failed,) = [outcome for outcome in outcomes if outcome.status is Status.FAILED]
    assert failed.reason.endswith("linux/arm64 is missing: there is linux/amd64")
    assert "v2" not in manifests(sync.destination, "PUT")


def test_what_is_required_of_a_tag_that_is_equal_is_asked_of_the_destination(sync: Sync) -> None:
    """Where nobody counts pulls."""
    sync.platforms = keep(required=("linux/arm64",))
    sync.fill(INDEX, "v1")
    sync.apply("v1")
    assert statuses(sync.apply("v1")) == [Status.UNCHANGED]
    assert kinds(sync.source) == {"HEAD manifests": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 1, "GET manifests": 1}
    sync.platforms = keep(required=("linux/s390x",))
    assert statuses(sync.apply("v1")) == [Status.FAILED]


def test_an_image_that_is_no_index_is_copied_if_its_config_says_so(sync: Sync) -> None:
    """It costs one blob more, of its source."""
    image = make_image()
    sync.fill(image, "v1")
    assert statuses(sync.apply("v1")) == [Status.COPIED]
    assert there(sync).digest == image.digest
    assert kinds(sync.source) == {"HEAD manifests": 1, "GET manifests": 1, "GET blobs": 4}
    assert statuses(sync.apply("v1")) == [Status.UNCHANGED]
    assert kinds(sync.source) == {"HEAD manifests": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 1, "GET manifests": 1, "GET blobs": 1}


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (make_image(platform="linux/arm64"), "nothing is that: there is linux/arm64"),
        (make_artifact(), "nothing is that: the image names no platform"),
    ],
)
def test_an_image_that_is_no_index_and_not_for_the_platform_is_an_error(
    sync: Sync, image: MadeImage, reason: str
) -> None:
    sync.fill(image, "v1")
    (outcome,) = sync.apply("v1")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "platform")
    assert outcome.reason.endswith(reason)
    assert manifests(sync.destination, "PUT") == []


def test_a_child_without_a_platform_is_what_its_config_says(sync: Sync) -> None:
    """PLT-03."""
    amd, arm, chart = make_image("amd"), make_image("arm", platform="linux/arm64"), make_artifact()
    made = [amd, arm, chart]
    sync.fill(index_of([descriptor_of(one.root) for one in made], made), "v1")
    assert statuses(sync.apply("v1")) == [Status.COPIED]
    kept = there(sync)
    assert [entry.digest for entry in kept.manifests] == [amd.digest]  # type: ignore[union-attr]
    assert statuses(sync.apply("v1")) == [Status.UNCHANGED]


def test_an_index_in_an_index_that_names_no_platform_is_an_error(sync: Sync) -> None:
    inner = make_index("inner")
    sync.fill(index_of([descriptor_of(inner.root)], [inner]), "v1")
    (outcome,) = sync.apply("v1")
    assert "is an index in an index, and does not say for which platform" in outcome.reason
    assert manifests(sync.destination, "PUT") == []


def test_a_config_whose_bytes_are_wrong_twice_fails_the_image(sync: Sync) -> None:
    image = make_image()
    sync.fill(image, "v1")
    config = image.root.config  # type: ignore[union-attr]
    sync.source.script("GET", f"/blobs/{config.digest}", status=200, body=b"x" * config.size_bytes)
    (outcome,) = sync.apply("v1")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "integrity")
    assert len(sync.source.log.lines("GET", config.digest)) == 2


@pytest.mark.usefixtures("_takes_sparse")
def test_a_sparse_index_keeps_its_digest_and_what_is_left_out_is_not_asked_for(sync: Sync) -> None:
    sync.platforms = SPARSE
    sync.fill(INDEX, "v1")
    (outcome,) = sync.apply("v1")
    assert there(sync).digest == INDEX.digest
    assert manifests(sync.source, "GET")[0] == INDEX.digest
    assert set(manifests(sync.source, "GET")[1:]) == {AMD64.digest, OF_AMD64.digest}
    assert blobs_read(sync) == layers_of(AMD64, OF_AMD64)
    assert ARM64.digest not in manifests(sync.destination, "PUT")
    assert isinstance(outcome.action, Copy)
    assert outcome.action.note == "sparse index, without 2 of the manifests that it lists"
    assert outcome.action.platforms == ("linux/amd64",)


def test_a_registry_that_refuses_a_sparse_index_is_told_of_with_what_to_do(sync: Sync) -> None:
    sync.platforms = SPARSE
    sync.fill(INDEX, "v1")
    body = b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}'
    sync.destination.script("PUT", "/manifests/v1", status=400, body=body)
    (outcome,) = sync.apply("v1")
    assert (outcome.status, outcome.exit_code) == (Status.FAILED, 1)
    assert "blob unknown to registry" in outcome.reason
    assert "`index: rewrite` writes one that lists just what is there" in (outcome.hint or "")


def test_flattening_lets_the_tag_point_to_the_image_itself(sync: Sync) -> None:
    sync.platforms = FLAT
    sync.fill(INDEX, "v1")
    (outcome,) = sync.apply("v1")
    assert there(sync).digest == AMD64.digest
    assert manifests(sync.destination, "PUT") == ["v1"]
    assert manifests(sync.source, "GET") == [INDEX.digest, AMD64.digest]
    assert isinstance(outcome.action, Copy)
    assert outcome.action.platforms == ("linux/amd64",)
    assert statuses(sync.apply("v1")) == [Status.UNCHANGED]


def test_a_tag_that_was_copied_whole_before_is_replaced_by_what_is_kept(sync: Sync) -> None:
    sync.platforms = keep()
    sync.fill(INDEX, "v1")
    sync.apply("v1")
    sync.platforms = ONE
    (outcome,) = sync.apply("v1")
    assert outcome.status is Status.COPIED
    assert isinstance(outcome.action, Copy)
    assert outcome.action.replaces == INDEX.digest
    assert blobs_read(sync) == set()
    sync.platforms = keep()
    assert statuses(sync.apply("v1")) == [Status.COPIED]
    assert there(sync).digest == INDEX.digest


def test_several_tags_and_destinations_of_one_index_read_it_once(sync: Sync) -> None:
    for tag in ("v1", "v2", "v3"):
        sync.fill(INDEX, tag)
    to = ("mirror/app", "other/app")
    assert statuses(sync.apply("v1", "v2", "v3", to=to)) == [Status.COPIED] * 6
    assert len(manifests(sync.source, "GET")) == 3
    assert statuses(sync.apply("v1", "v2", "v3", to=to)) == [Status.UNCHANGED] * 6
    assert manifests(sync.source, "GET") == [INDEX.digest]


def test_one_rule_whole_and_one_narrowed_bring_each_blob_once(sync: Sync) -> None:
    """Two rules of one source, into one repository, under different tags."""
    sync.fill(INDEX, "v1")
    sync.fill(INDEX, "v2")
    spec = sync.spec(["v1"], ["mirror/app"])
    whole = replace(spec.rules[0], tags=TagFilter.parse(["v2"]), platforms=keep())
    with sync.session() as (stores, tasks, cancellation):
        drawing = Drawing(replace(spec, rules=(spec.rules[0], whole)), stores, tasks)
        outcomes = list(plan_and_carry_out(drawing, Executor(stores, tasks, cancellation)))
    assert statuses(outcomes) == [Status.COPIED] * 2
    assert there(sync, "v1").digest == narrowed(INDEX)
    assert there(sync, "v2").digest == INDEX.digest
    assert len(sync.source.log.lines("GET", "/blobs/")) == len(INDEX.blobs)


def test_within_one_repository_a_narrowed_index_gets_a_tag_and_nothing_is_moved(sync: Sync) -> None:
    sync.fill(INDEX, "v1")
    spec = sync.spec(["v1"], ["unused"])
    rule = replace(spec.rules[0], destinations=(spec.rules[0].source,), retag=Retag("{tag}-amd64"))
    with sync.session() as (stores, tasks, cancellation):
        drawing = Drawing(replace(spec, rules=(rule,)), stores, tasks)
        outcomes = list(plan_and_carry_out(drawing, Executor(stores, tasks, cancellation)))
    assert statuses(outcomes) == [Status.COPIED]
    assert sync.source.repository("app").resolve(Tag("v1-amd64")).digest == narrowed(INDEX)
    assert kinds(sync.source)["POST uploads"] == kinds(sync.source)["GET blobs"] == 0
