"""The group MNT as whole runs: what a registry has elsewhere, and what it answers to that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from imagesync.plan.outcome import Status
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.images import make_image
from tests.traces.harness import Sync, kinds
from tests.wire.relay import Break, Relay

IMAGE = make_image(layers=3)


def mounts(registry: FakeRegistry) -> list[bool]:
    """Of every POST, in their order, whether it asked for a mount."""
    return ["mount=" in entry.query for entry in registry.log.entries("POST", "/uploads/")]


@dataclass(frozen=True)
class Within:
    """From one repository of a registry into another; `relay` stands in front of it."""

    sync: Sync
    relay: Relay


@pytest.fixture
def within(registry: FakeRegistry) -> Iterator[Within]:
    with Relay(registry.host) as relay:
        sync = Sync(registry, registry, source_host=relay.host, destination_host=relay.host)
        sync.fill(IMAGE, "latest")
        yield Within(sync, relay)


def check_copied(sync: Sync) -> None:
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.reason) == (Status.COPIED, "")
    store = sync.destination.repository("mirror/app")
    for blob in IMAGE.root.successors():
        assert store.has_blob(blob)


def test_within_a_registry_no_byte_is_moved(within: Within) -> None:
    """MNT-01."""
    check_copied(within.sync)
    assert mounts(within.sync.source) == [True] * 4
    assert not {"GET blobs", "PATCH uploads", "PUT uploads"} & set(kinds(within.sync.source))


def test_a_session_in_place_of_a_mount_is_used(within: Within) -> None:
    """MNT-02: one POST a blob, though none is mounted."""
    within.relay.breaks("POST", "mount=", Break.WITHOUT_QUERY, times=4)
    check_copied(within.sync)
    requests = kinds(within.sync.source)
    assert (requests["POST uploads"], requests["PUT uploads"]) == (4, 4)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_a_refused_mount_is_an_upload_and_not_asked_for_again(within: Within, status: int) -> None:
    """MNT-03: the pair is given up for the run; only what was under way by then may have asked too."""
    images = [make_image(str(number), layers=3) for number in range(8)]
    for number, image in enumerate(images):
        within.sync.fill(image, f"v{number}")
    refusals = within.relay.answers("POST", "mount=", status, times=99)
    outcomes = within.sync.apply("v*")
    assert {outcome.status for outcome in outcomes} == {Status.COPIED}
    assert 1 <= refusals.broken <= 8, "as many as there are workers"
    assert mounts(within.sync.source) == [False] * 32


def test_a_mount_that_was_none_is_mended(within: Within) -> None:
    """MNT-04: 201, and the blob is not there."""
    within.relay.answers("POST", "mount=", 201, times=4)
    check_copied(within.sync)
    assert [line.rpartition(" ")[2] for line in within.sync.source.log.lines("PUT", "/manifests/")] == ["400", "201"]
    assert kinds(within.sync.source)["PUT uploads"] == 4


def test_nothing_is_mounted_from_another_registry(make_registry: MakeRegistry) -> None:
    """MNT-05."""
    sync = Sync(make_registry(), make_registry())
    sync.fill(IMAGE, "latest")
    check_copied(sync)
    assert mounts(sync.destination) == [False] * 4
