"""Wire traces of an audit: what it asks of both sides, each thing once, and that it writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.audit import DeepLooking, Looking, audit
from imagesync.cache import Cache
from imagesync.plan.findings import Audit
from imagesync.transfer.meter import Meter
from tests.conftest import MakeRegistry
from tests.images import MadeImage, make_image, make_index
from tests.plan.values import make_immutable
from tests.traces.harness import Sync, kinds

IMAGE = make_index(attestations=True, layers=3)


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    return Sync(make_registry(), make_registry())


def mirror(sync: Sync, image: MadeImage, *tags: str) -> None:
    for tag in tags:
        sync.fill(image, tag)
    sync.apply(*tags)
    sync.clear()


def audited(sync: Sync, *tags: str) -> Audit:
    with sync.session() as (stores, tasks, _):
        return audit(sync.spec(tags, ["mirror/app"]), Looking(stores), tasks)


def test_an_audit_costs_a_get_a_manifest_and_a_head_a_blob_at_the_destination(sync: Sync) -> None:
    mirror(sync, IMAGE, "latest")
    assert audited(sync, "latest").exit_code == 0
    assert kinds(sync.source) == {"HEAD manifests": 1}
    assert kinds(sync.destination) == {
        "HEAD manifests": 1,
        "GET manifests": len(IMAGE.contents),
        "HEAD blobs": len(IMAGE.blobs),
    }


def test_a_deep_audit_reads_each_blob_once_besides(sync: Sync) -> None:
    mirror(sync, IMAGE, "v1", "v2", "v3")
    with sync.session() as (stores, tasks, cancellation):
        looking = DeepLooking(stores, Meter(), cancellation)
        found = audit(sync.spec(["v1", "v2", "v3"], ["mirror/app"]), looking, tasks)
    assert (found.exit_code, found.bytes_read) == (0, IMAGE.size_bytes)
    assert kinds(sync.source) == {"HEAD manifests": 3}
    assert kinds(sync.destination) == {
        "HEAD manifests": 3,
        "GET manifests": len(IMAGE.contents),
        "HEAD blobs": len(IMAGE.blobs),
        "GET blobs": len(IMAGE.blobs),
    }


def test_a_hundred_tags_of_one_image_are_a_hundred_heads_a_side(sync: Sync) -> None:
    image = make_image(layers=1, layer_bytes=10)
    tags = [f"v{number}" for number in range(100)]
    mirror(sync, image, *tags)
    assert audited(sync, "v*").exit_code == 0
    assert kinds(sync.source) == {"HEAD manifests": 100, "GET tags": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 100, "GET manifests": 1, "HEAD blobs": 2}


def test_a_trusted_list_is_neither_read_nor_trusted(sync: Sync) -> None:
    mirror(sync, make_image("old"), "v1")
    sync.immutable = make_immutable("v*", trusts_list=True)
    sync.fill(make_image("new"), "v1")
    assert audited(sync, "v1").exit_code == 2
    assert kinds(sync.destination) == kinds(sync.source) == {"HEAD manifests": 1}


def test_what_a_cache_says_counts_for_nothing(sync: Sync, tmp_path: Path) -> None:
    sync.memory = cache = Cache(tmp_path / "cache")
    mirror(sync, make_image(layers=3), "latest")
    audited(sync, "latest")
    cache.close()
    assert kinds(sync.destination) == {"HEAD manifests": 1, "GET manifests": 1, "HEAD blobs": 4}
