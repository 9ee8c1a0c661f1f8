"""Wire traces of runs with a cache: what the next run need not ask, and how what is stale of it heals."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagesync.cache import Cache
from imagesync.plan.outcome import Status
from imagesync.reference import Repository
from tests.conftest import MakeRegistry
from tests.images import make_image, make_index
from tests.traces.harness import Sync, kinds


@pytest.fixture
def sync(make_registry: MakeRegistry, tmp_path: Path) -> Iterator[Sync]:
    made = Sync(make_registry(), make_registry())
    made.memory = cache = Cache(tmp_path / "cache")
    yield made
    cache.close()


def statuses(sync: Sync, *tags: str, to: tuple[str, ...] = ("mirror/app",)) -> list[Status]:
    return [outcome.status for outcome in sync.apply(*tags, to=to)]


def test_a_second_tag_of_known_layers_costs_its_manifest_alone(sync: Sync) -> None:
    image = make_image(layers=3)
    sync.fill(image, "v1")
    statuses(sync, "v1")
    sync.fill(image, "v2")
    assert statuses(sync, "v2") == [Status.COPIED]
    assert kinds(sync.source) == {"HEAD manifests": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 1, "PUT manifests": 1}


def test_a_plan_that_was_not_saved_does_not_read_the_manifests_twice(sync: Sync) -> None:
    """What a registry counts as pulls is spent once."""
    sync.fill(make_index(), "latest")
    sync.plan("latest")
    assert statuses(sync, "latest") == [Status.COPIED]
    assert "GET manifests" not in kinds(sync.source)


def test_another_repository_mounts_what_an_earlier_run_has_brought(sync: Sync) -> None:
    sync.fill(make_image(layers=3), "latest")
    statuses(sync, "latest")
    assert statuses(sync, "latest", to=("other/app",)) == [Status.COPIED]
    assert "GET blobs" not in kinds(sync.source)
    assert "PATCH uploads" not in kinds(sync.destination)
    assert kinds(sync.destination)["POST uploads"] == 4


def test_a_blob_that_was_collected_meanwhile_is_brought_when_its_manifest_is_refused(sync: Sync) -> None:
    """MAN-14: the cache is stale, and says right again afterwards."""
    image = make_image(layers=3)
    sync.fill(image, "v1")
    statuses(sync, "v1")
    shutil.rmtree(sync.destination.root / "mirror")
    sync.fill(image, "v2")
    assert statuses(sync, "v2") == [Status.COPIED]
    assert kinds(sync.source)["GET blobs"] == 4
    assert sync.memory.holds(Repository(sync.destination_host, "mirror/app"), next(iter(image.blobs)))


def test_a_mount_from_where_a_blob_no_longer_is_becomes_an_upload_and_is_forgotten(sync: Sync) -> None:
    image = make_image(layers=3)
    sync.fill(image, "latest")
    statuses(sync, "latest")
    shutil.rmtree(sync.destination.root / "mirror")
    assert statuses(sync, "latest", to=("other/app",)) == [Status.COPIED]
    assert kinds(sync.source)["GET blobs"] == 4
    assert not sync.memory.holds(Repository(sync.destination_host, "mirror/app"), next(iter(image.blobs)))
