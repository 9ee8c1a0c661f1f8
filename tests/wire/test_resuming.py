"""UPL-06 by whole runs: connections that are cut in the middle of an upload, and what is sent again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagesync.executor import Executor
from imagesync.pipeline import carry_out, make_plan
from imagesync.plan.outcome import Status
from imagesync.reference import Repository
from imagesync.settings import Timeouts
from imagesync.transfer.verify import CHECKPOINT_BYTES
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.fakes.wire import Ending, Fault, Wire
from tests.images import MadeImage, make_image
from tests.traces.harness import Sync, kinds
from tests.wire.test_uploads import sessions_left

MIB = 1024 * 1024
IMAGE = make_image(layers=1, layer_bytes=24 * MIB)
LAYER = IMAGE.root.successors()[-1]


def check_arrived(registry: FakeRegistry, image: MadeImage, path: str = "mirror/app") -> None:
    store = registry.repository(path)
    for blob in image.root.successors():
        with store.fetch_blob(blob) as pieces:
            assert b"".join(pieces) == image.blobs[blob.digest]
    assert sessions_left(registry) == []


@pytest.mark.parametrize("ending", [Ending.CUT, Ending.RESET])
def test_an_upload_goes_on_where_it_was_cut(make_registry: MakeRegistry, ending: Ending) -> None:
    """UPL-06: one session, no byte sent twice that came, and of the source what lies behind a checkpoint."""
    source, destination = make_registry(), make_registry()
    with Wire(destination.host) as wire:
        wire.fault = Fault(ending, after_bytes=14 * MIB, is_upload=True)
        sync = Sync(source, destination, destination_host=wire.host)
        sync.fill(IMAGE, "latest")
        (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.reason) == (Status.COPIED, "")
    check_arrived(destination, IMAGE)
    requests = kinds(destination)
    assert (requests["POST uploads"], requests["PUT uploads"]) == (len(IMAGE.blobs), len(IMAGE.blobs))
    *_, resumed = destination.log.entries("PATCH")
    first, _, last = resumed.headers["Content-Range"].partition("-")
    assert MIB < int(first) < 14 * MIB
    assert (int(last), resumed.bytes_in) == (LAYER.size_bytes - 1, LAYER.size_bytes - int(first))
    checkpoint = int(first) // CHECKPOINT_BYTES * CHECKPOINT_BYTES
    ranges = [entry.headers.get("Range") for entry in source.log.entries("GET", LAYER.digest)]
    assert ranges == [None, f"bytes={checkpoint}-" if checkpoint else None]


def test_an_upload_that_hangs_goes_on_after_its_time(
    make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UPL-06, ERR-04: the registry's side falls silent, and is asked on another connection."""
    monkeypatch.setattr("imagesync.server.session.SETTLE_SECONDS", 0.1)
    source, destination = make_registry(), make_registry()
    with Wire(destination.host) as wire:
        wire.fault = Fault(Ending.STALL, after_bytes=14 * MIB, is_upload=True)
        timeouts = Timeouts(connect_seconds=2, read_seconds=0.3, commit_seconds=5)
        sync = Sync(source, destination, destination_host=wire.host, timeouts=timeouts)
        sync.fill(IMAGE, "latest")
        (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.reason) == (Status.COPIED, "")
    assert kinds(destination)["POST uploads"] == len(IMAGE.blobs)
    check_arrived(destination, IMAGE)


def test_one_of_two_destinations_that_is_cut_is_fed_alone_and_from_the_start(make_registry: MakeRegistry) -> None:
    """UPL-06: the one read that feeds both goes on for the other."""
    source, first, second = make_registry(), make_registry(), make_registry()
    with Wire(first.host) as wire:
        wire.faults = {number: Fault(Ending.CUT, after_bytes=14 * MIB, is_upload=True) for number in range(1, 5)}
        sync = Sync(source, second, destination_host=wire.host)
        sync.fill(IMAGE, "latest")
        with sync.session() as (stores, tasks, cancellation):
            spec = sync.spec(["latest"], ["app"])
            destinations = (Repository(wire.host, "app"), Repository(second.host, "app"))
            plan = make_plan(replace(spec, rules=(replace(spec.rules[0], destinations=destinations),)), stores, tasks)
            outcomes = list(carry_out(plan, Executor(stores, tasks, cancellation)))
    assert [(outcome.status, outcome.reason) for outcome in outcomes] == [(Status.COPIED, "")] * 2
    for registry in (first, second):
        check_arrived(registry, IMAGE, "app")
    assert kinds(second)["POST uploads"] == len(IMAGE.blobs)
