"""The pipeline: images are planned and carried out one by one, and what has failed is not worked on any further."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from imagesync.errors import AuthenticationError, Cancelled, LimitError, NetworkError
from imagesync.executor.delivery import MOST_DROPS
from imagesync.executor.graph import Graph
from imagesync.executor.need import Need
from imagesync.manifest import Content, Descriptor
from imagesync.pipeline import Drawing, carry_out, make_plan, plan_and_carry_out
from imagesync.plan.outcome import Status
from imagesync.plan.review import review
from imagesync.reference import Digest, Repository, Tag
from imagesync.report.model import subject_of
from imagesync.store import BlobReader, Pushed
from tests.fakes.memory import MemoryRepository, MemoryStores
from tests.fakes.run import MemoryRun
from tests.plan.values import LOCAL_NGINX, make_index, make_rule, make_spec
from tests.test_sync import AMD, ARM, OLD, TEXTS


class Bench(MemoryRun):
    """A source with three images, an empty destination, and runs between them."""

    def __init__(self, workers: int = 8) -> None:
        self.stores = MemoryStores()
        super().__init__(self.stores, workers=workers)
        for tag, image in (("amd", AMD), ("arm", ARM), ("old", OLD)):
            self.source.put(tag, image)
            self.source.blobs.update((blob.digest, TEXTS[blob.digest]) for blob in image.successors())

    def before_reading(self, image: Content, act: Callable[[], object]) -> None:
        """Do something when this manifest is asked for, before it is answered."""
        fetch = self.source.fetch_manifest

        def acting(target: Tag | Digest) -> Content:
            if target == image.digest:
                act()
            return fetch(target)

        self.source.fetch_manifest = acting  # type: ignore[method-assign]


pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.tasks.close()


def test_an_image_is_copied_while_another_is_still_being_read(bench: Bench) -> None:
    copied = threading.Event()
    bench.before_reading(ARM, lambda: copied.wait(10) or pytest.fail("reading has waited for copying"))
    statuses = []
    for outcome in bench.run(make_rule("amd", "arm")):
        statuses.append((str(outcome.action.destination.tag), outcome.status))  # type: ignore[union-attr]
        copied.set()
    assert statuses == [("amd", Status.COPIED), ("arm", Status.COPIED)]


def test_nothing_is_written_before_every_head_is_known(bench: Bench) -> None:
    """Decisions 6: conflicts are seen in the whole spec."""
    resolve = bench.source.resolve
    writes = []

    def resolving(target: Tag | Digest) -> Descriptor:
        writes.append(len(bench.destination.writes()))
        return resolve(target)

    bench.source.resolve = resolving  # type: ignore[method-assign]
    assert {outcome.status for outcome in bench.run(make_rule("amd", "arm", "old"))} == {Status.COPIED}
    assert writes == [0, 0, 0]


def test_a_list_that_takes_long_holds_up_no_head_of_another_rule(bench: Bench) -> None:
    other = Repository("quay.io", "app")
    seen = threading.Event()
    resolve = bench.source.resolve

    def resolving(target: Tag | Digest) -> Descriptor:
        seen.set()
        return resolve(target)

    def listing() -> tuple[Tag, ...]:
        assert seen.wait(10)
        return ()

    bench.source.resolve = resolving  # type: ignore[method-assign]
    bench.stores[other].list_tags = listing  # type: ignore[method-assign]
    rules = make_rule("amd"), make_rule("1.*", source=other, destinations=[Repository("localhost:5000", "app")])
    assert {outcome.status for outcome in bench.run(*rules)} == {Status.COPIED, Status.FAILED}


def test_a_run_that_is_stopped_while_it_reads_tells_of_every_image(bench: Bench) -> None:
    bench.before_reading(ARM, lambda: bench.cancellation.cancel("interrupted by SIGINT"))
    outcomes = list(bench.run(make_rule("amd", "arm", "old")))
    assert len(outcomes) == 3
    assert Status.CANCELLED in {outcome.status for outcome in outcomes}
    assert {outcome.exit_code for outcome in outcomes if outcome.status is Status.CANCELLED} == {130}


def test_a_plan_that_is_stopped_is_no_plan(bench: Bench) -> None:
    for image in (AMD, ARM, OLD):  # before any: one that is complete by then is a plan
        bench.before_reading(image, lambda: bench.cancellation.cancel("interrupted by SIGINT"))
    with pytest.raises(Cancelled):
        make_plan(make_spec(make_rule("amd", "arm", "old")), bench.stores, bench.tasks)


def test_a_run_knows_its_plan_in_the_order_of_the_spec(bench: Bench) -> None:
    tags = ["old", "amd", "none", "arm"]
    drawing = Drawing(make_spec(*map(make_rule, tags)), bench.stores, bench.tasks)
    list(plan_and_carry_out(drawing, bench.executor))
    assert [subject_of(action).rpartition(":")[2] for action in drawing.plan.actions] == tags


def test_blobs_of_a_copy_that_has_failed_are_not_brought_any_more() -> None:
    """One thread: the largest blob fails first, and nobody needs the others."""
    bench = Bench(workers=1)
    largest = max(AMD.successors(), key=lambda blob: blob.size_bytes)
    for blob in AMD.successors():
        bench.destination.failures["push_blob", str(blob.digest)] = [LimitError("quota exceeded")]
    (outcome,) = bench.run(make_rule("amd"))
    bench.tasks.close()
    assert outcome.status is Status.FAILED
    assert len(bench.destination.called("push_blob")) == 1
    assert largest.digest in {blob.digest for blob in AMD.successors()}


def test_a_blob_that_another_image_needs_too_is_still_brought() -> None:
    bench = Bench(workers=1)
    shared = next(blob for blob in AMD.successors() if blob in ARM.successors())
    for blob in set(AMD.successors()) - {shared}:
        bench.destination.failures["push_blob", str(blob.digest)] = [LimitError("quota exceeded")]
    statuses = {str(o.action.destination.tag): o.status for o in bench.run(make_rule("amd", "arm"))}  # type: ignore[union-attr]
    bench.tasks.close()
    assert statuses == {"amd": Status.FAILED, "arm": Status.COPIED}


def test_an_image_that_comes_while_the_blobs_of_another_are_dropped_is_not_drawn_into_its_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both hold the same child, which waits for a blob that nobody needed any more a moment ago."""
    bench = Bench(workers=1)
    first, second = make_index(AMD, ARM), make_index(ARM, OLD)
    bench.source.put("first", first, AMD, ARM)
    bench.source.put("second", second, ARM, OLD)
    own = set(AMD.successors()) - set(ARM.successors())
    for blob in own:
        bench.destination.failures["push_blob", str(blob.digest)] = [LimitError("quota exceeded")]
    plan = make_plan(make_spec(make_rule("first"), make_rule("second")), bench.stores, bench.tasks)
    one, other = (review(replace(plan, actions=(copy,)), ()) for copy in plan.copies())
    bring, late = Graph._bring, [other]

    def bringing(self: Graph, need: Need) -> Pushed:
        try:
            return bring(self, need)
        finally:
            if need.is_dropped and need.blob not in own and late:
                list(bench.executor.begin(late.pop()))

    monkeypatch.setattr(Graph, "_bring", bringing)
    list(bench.executor.begin(one))
    outcomes = [outcome for task in bench.executor.watch for outcome in bench.executor.advance(task)]
    bench.tasks.close()
    assert not late
    assert [outcome.status for outcome in outcomes] == [Status.FAILED, Status.COPIED]


def test_a_registry_that_drops_out_again_and_again_is_fed_alone(bench: Bench) -> None:
    """Else it would hold up the others with every blob."""
    good, bad = Repository("good.example", "nginx"), Repository("bad.example", "nginx")
    push = bench.stores[bad].push_blob
    lone: list[bool] = []

    def failing_together(blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        is_alone = threading.current_thread().name != "imagesync-fan-out"
        lone.append(is_alone)
        if not is_alone:
            raise NetworkError("reset")
        return push(blob, read, mount_from)

    bench.stores[bad].push_blob = failing_together  # type: ignore[method-assign]
    for tag in ("amd", "arm", "old"):
        statuses = {outcome.status for outcome in bench.run(make_rule(tag, destinations=[good, bad]))}
        assert statuses == {Status.COPIED}
    assert lone.count(True) == 7
    assert lone.count(False) < 7
    assert len(bench.source.called("fetch_blob")) == 7


def test_a_registry_that_asks_to_be_left_alone_holds_up_no_other_that_gets_the_same_blobs(bench: Bench) -> None:
    good, asking = Repository("good.example", "nginx"), Repository("asking.example", "nginx")
    plan = make_plan(make_spec(make_rule("amd", destinations=[good, asking])), bench.stores, bench.tasks)
    copied = threading.Event()
    bench.stores.slots = lambda host: 0 if host == asking.registry and not copied.is_set() else 16  # type: ignore[method-assign]
    give_up = threading.Timer(5, copied.set)
    give_up.start()
    done = []
    for outcome in carry_out(plan, bench.executor):
        assert outcome.status is Status.COPIED
        done.append((outcome.action.destination.repository, copied.is_set()))  # type: ignore[union-attr]
        copied.set()
    give_up.cancel()
    assert done == [(good, False), (asking, True)]


def test_a_registry_that_has_dropped_out_for_good_keeps_no_other_waiting_for_a_slot(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a single slot, and what it is fed alone takes that for as long as the others need for all they get."""
    monkeypatch.setattr("imagesync.plan.order.LARGE_BYTES", 0)  # the largest goes first, wherever it goes
    good, slow = Repository("good.example", "nginx"), Repository("slow.example", "nginx")
    plan = make_plan(make_spec(make_rule("amd", "old", destinations=[good, slow])), bench.stores, bench.tasks)
    bench.stores.slots = lambda host: 1 if host == slow.registry else 16  # type: ignore[method-assign]
    copied, push = threading.Event(), bench.stores[slow].push_blob

    def pushing(blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        if threading.current_thread().name == "imagesync-fan-out":
            drops.append(blob)
            raise NetworkError("reset")
        in_time.append(len(drops) < MOST_DROPS or copied.wait(2))
        return push(blob, read, mount_from)

    bench.stores[slow].push_blob = pushing  # type: ignore[method-assign]
    drops: list[Descriptor] = []
    in_time: list[bool] = []
    for outcome in carry_out(plan, bench.executor):
        assert outcome.status is Status.COPIED
        if len(bench.stores[good].tags) == 2:
            copied.set()
    assert set(in_time) == {True}


def test_a_source_that_fails_counts_against_no_registry_that_it_feeds(bench: Bench) -> None:
    one, other = Repository("one.example", "nginx"), Repository("other.example", "nginx")
    for blob in AMD.successors():
        bench.source.failures["fetch_blob", str(blob.digest)] = [NetworkError("reset")]
    list(bench.run(make_rule("amd", destinations=[one, other])))
    together: list[str] = []
    for repository in (one, other):
        _note_threads(bench.stores[repository], together)
    assert {o.status for o in bench.run(make_rule("old", destinations=[one, other]))} == {Status.COPIED}
    assert set(together) == {"imagesync-fan-out"}


def test_what_will_be_mounted_is_not_counted_as_bytes_to_move(bench: Bench) -> None:
    others = [Repository("localhost:5000", f"copy-{number}") for number in range(3)]
    list(bench.run(make_rule("amd", destinations=[LOCAL_NGINX, *others])))
    size = sum(blob.size_bytes for blob in AMD.successors())
    assert (bench.executor.meter.total_bytes, bench.executor.meter.moved_bytes) == (size, size)
    assert (bench.executor.meter.total, bench.executor.meter.done) == (4, 4)


def test_what_turns_out_to_be_mountable_is_no_longer_counted_as_bytes_to_move() -> None:
    """The image that shows it is planned when the bytes of the first have been counted already."""
    bench, gate = Bench(workers=1), threading.Event()
    other = bench.stores[Repository("localhost:5000", "other")]
    shared = next(blob for blob in AMD.successors() if blob in ARM.successors())
    other.blobs[shared.digest] = TEXTS[shared.digest]
    spec = make_spec(make_rule("amd"), make_rule("arm", destinations=[other.repository]))
    plan = make_plan(spec, bench.stores, bench.tasks)
    bench.tasks.add(lambda: gate.wait(10))  # the one worker has something else to do until both are known
    for copy in plan.copies():
        list(bench.executor.begin(review(replace(plan, actions=(copy,)), ())))
    gate.set()
    for task in bench.executor.watch:
        list(bench.executor.advance(task))
    bench.tasks.close()
    assert bench.executor.meter.total_bytes == bench.executor.meter.moved_bytes > 0


def test_bytes_that_were_there_are_counted_as_skipped(bench: Bench) -> None:
    shared = next(blob for blob in AMD.successors() if blob in ARM.successors())
    list(bench.run(make_rule("amd")))
    (outcome,) = bench.run(make_rule("arm"))
    assert outcome.bytes_skipped == shared.size_bytes
    assert outcome.bytes_copied + outcome.bytes_skipped == sum(blob.size_bytes for blob in ARM.successors())


def _note_threads(store: MemoryRepository, names: list[str]) -> None:
    """Note by which thread each blob is written from here on."""
    push = store.push_blob

    def pushing(blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        names.append(threading.current_thread().name)
        return push(blob, read, mount_from)

    store.push_blob = pushing  # type: ignore[method-assign]


def test_one_digest_of_two_sources_is_read_at_each(bench: Bench) -> None:
    """What the one refuses the other has."""
    other = Repository("quay.io", "nginx")
    bench.stores[other].put("amd", AMD)
    bench.stores[other].blobs.update(bench.source.blobs)
    bench.source.failures["fetch_manifest", str(AMD.digest)] = [AuthenticationError("denied", status=403)]
    rules = make_rule("amd"), make_rule("amd", source=other, destinations=[Repository("localhost:5000", "other")])
    statuses = {subject_of(outcome.action): outcome.status for outcome in bench.run(*rules)}
    assert statuses == {"localhost:5000/nginx:amd": Status.FAILED, "localhost:5000/other:amd": Status.COPIED}
