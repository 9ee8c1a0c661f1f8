"""Reading ahead: small blobs are read before their destination has a slot for them, a bounded number of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from imagesync.errors import AuthenticationError, IntegrityError, NetworkError
from imagesync.executor.ahead import MOST_AT_ONCE
from imagesync.manifest import Content, Descriptor, digest_of
from imagesync.plan.outcome import Status
from imagesync.reference import Repository
from imagesync.store import BlobReader, Pushed
from tests.fakes.memory import MemoryStores
from tests.fakes.run import MemoryRun
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_manifest, make_rule

LAYERS = [f"layer {number}" for number in range(60)]
IMAGE = make_manifest(*LAYERS)
OTHER = make_manifest("other")


class Hosts(MemoryStores):
    """Stores whose hosts have as many slots as `limits` says."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: dict[str, int] = {}

    def slots(self, host: str) -> int:
        return self.limits.get(host, 16)


class Bench(MemoryRun):
    """A source with one image of many small layers, and another of one."""

    def __init__(self) -> None:
        self.stores = Hosts()
        super().__init__(self.stores, workers=64)
        self.put("latest", IMAGE, *LAYERS)
        self.put("other", OTHER, "other")

    def put(self, tag: str, image: Content, *layers: str) -> None:
        self.source.put(tag, image)
        for text in ("config " + " ".join(layers), *layers):
            self.source.blobs[digest_of(text.encode())] = text.encode()

    def hold_pushes(self, repository: Repository) -> threading.Event:
        """No blob arrives there before the event is set."""
        gate, store = threading.Event(), self.stores[repository]
        push = store.push_blob

        def waiting(blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
            gate.wait(10)
            return push(blob, read, mount_from)

        store.push_blob = waiting  # type: ignore[method-assign]
        return gate


pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.tasks.close()


def test_no_more_is_read_than_may_be_kept(bench: Bench) -> None:
    gate = bench.hold_pushes(LOCAL_NGINX)
    most = []

    def open_later() -> None:
        while len(bench.source.called("fetch_blob")) < MOST_AT_ONCE:
            time.sleep(0.005)
        gate.wait(0.2)
        most.append(len(bench.source.called("fetch_blob")))
        gate.set()

    watcher = threading.Thread(target=open_later)
    watcher.start()
    (outcome,) = bench.run(make_rule("latest"))
    watcher.join(10)
    assert outcome.status is Status.COPIED
    assert most == [MOST_AT_ONCE]
    assert len(bench.source.called("fetch_blob")) == len(IMAGE.successors())


def test_a_registry_that_takes_nothing_holds_no_slot_of_the_source(bench: Bench) -> None:
    """The other registry gets its image meanwhile."""
    bench.stores.limits = {HUB_NGINX.registry: 2}
    stuck, free = Repository("stuck.example", "nginx"), Repository("free.example", "nginx")
    gate = bench.hold_pushes(stuck)
    done = []
    for outcome in bench.run(make_rule("latest", destinations=[stuck]), make_rule("other", destinations=[free])):
        done.append(str(outcome.action.destination.repository))  # type: ignore[union-attr]
        gate.set()
    assert done == [str(free), str(stuck)]


@pytest.mark.parametrize("error", [IntegrityError("hashes to something else"), NetworkError("reset")])
def test_what_fails_ahead_is_tried_again_by_the_blobs_own_task(bench: Bench, error: Exception) -> None:
    broken = str(OTHER.successors()[1].digest)
    bench.source.failures["fetch_blob", broken] = [error]
    (outcome,) = bench.run(make_rule("other"))
    assert outcome.status is Status.COPIED
    assert bench.source.called("fetch_blob").count(broken) == 2


def test_wrong_bytes_are_read_once_more_and_not_twice(bench: Bench) -> None:
    """BLB-07: what was read ahead counts."""
    blob = OTHER.successors()[1]
    bench.source.blobs[blob.digest] = b"x" * blob.size_bytes
    (outcome,) = bench.run(make_rule("other"))
    assert (outcome.status, outcome.kind) == (Status.FAILED, "integrity")
    assert "source" in outcome.reason
    assert bench.source.called("fetch_blob").count(str(blob.digest)) == 2


def test_a_source_that_refuses_is_asked_once(bench: Bench) -> None:
    broken = str(OTHER.successors()[1].digest)
    bench.source.failures["fetch_blob", broken] = [AuthenticationError("denied", status=403)]
    (outcome,) = bench.run(make_rule("other"))
    assert (outcome.status, outcome.kind) == (Status.FAILED, "authentication")
    assert bench.source.called("fetch_blob").count(broken) == 1


def test_a_destination_that_fails_does_not_have_the_blob_read_again(bench: Bench) -> None:
    broken = str(OTHER.successors()[1].digest)
    bench.destination.failures["push_blob", broken] = [NetworkError("reset")]
    (outcome,) = bench.run(make_rule("other"))
    assert outcome.status is Status.COPIED
    assert bench.destination.called("push_blob").count(broken) == 2
    assert bench.source.called("fetch_blob").count(broken) == 1


def test_a_registry_that_does_not_mount_is_noticed(bench: Bench) -> None:
    """Each follower becomes an upload, and only the first ones find that out by themselves."""
    others = [Repository(LOCAL_NGINX.registry, f"copy-{number}") for number in range(3)]
    for repository in (LOCAL_NGINX, *others):
        store = bench.stores[repository]
        push = store.push_blob

        def without_mounts(
            blob: Descriptor, read: BlobReader, _mount_from: Repository | None = None, push: object = push
        ) -> Pushed:
            return push(blob, read, None)  # type: ignore[operator, no-any-return]

        store.push_blob = without_mounts  # type: ignore[method-assign, assignment]
    statuses = {outcome.status for outcome in bench.run(make_rule("other", destinations=[LOCAL_NGINX, *others]))}
    assert statuses == {Status.COPIED}
