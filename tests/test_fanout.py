"""Fan-out: one read feeds several destinations; whoever fails or lags drops out and holds nobody up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled, IntegrityError, NetworkError
from imagesync.manifest import Descriptor, digest_of
from imagesync.reference import Repository
from imagesync.store import BlobReader, Pushed
from imagesync.transfer.fanout import QUEUE_CHUNKS, DroppedOut, FanOut

CHUNKS = [bytes([number]) * 100 for number in range(30)]
CONTENT = b"".join(CHUNKS)
BLOB = Descriptor("application/octet-stream", digest_of(CONTENT), len(CONTENT))


class Source:
    """Yields CHUNKS, or raises after so many; counts how far it was read."""

    def __init__(self, error: Exception | None = None, *, after: int = 3) -> None:
        self.opened = 0
        self.read = 0
        self._error, self._after = error, after

    def open(self) -> AbstractContextManager[Iterator[bytes]]:
        return self._open()

    @contextmanager
    def _open(self) -> Iterator[Iterator[bytes]]:
        self.opened += 1
        yield self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        for number, chunk in enumerate(CHUNKS):
            if self._error is not None and number == self._after:
                raise self._error
            self.read = number + 1
            yield chunk


class Sink:
    """Takes what comes, calling `step` before each chunk; or never asks for it."""

    def __init__(self, step: Callable[[], object] = lambda: None, *, is_there: bool = False) -> None:
        self._step = step
        self._is_there = is_there
        self.received = b""

    def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        if self._is_there:
            return Pushed.PRESENT
        with read(0) as chunks:
            for chunk in chunks:
                self._step()
                self.received += chunk
        return Pushed.UPLOADED


class Run:
    """A fan-out, and what became of each sink."""

    def __init__(self, *sinks: Sink, source: Source | None = None, cancellation: Cancellation | None = None) -> None:
        self.source = source or Source()
        self.moved = 0
        self.outcomes: dict[Sink, list[Pushed | BaseException]] = {sink: [] for sink in sinks}
        self.settled: list[Sink] = []
        self._lock = threading.Lock()
        work = FanOut(BLOB, moved=self._moved, cancellation=cancellation or Cancellation())
        work.run(self.source.open, [(sink, self._settle(sink)) for sink in sinks])

    def _moved(self, size_bytes: int) -> None:
        with self._lock:
            self.moved += size_bytes

    def _settle(self, sink: Sink) -> Callable[[Pushed | BaseException], None]:
        def settle(outcome: Pushed | BaseException) -> None:
            self.outcomes[sink].append(outcome)
            self.settled.append(sink)

        return settle

    def outcome(self, sink: Sink) -> Pushed | BaseException:
        (found,) = self.outcomes[sink]
        return found


def fail() -> None:
    raise NetworkError("reset")


def test_one_read_feeds_all() -> None:
    sinks = [Sink() for _ in range(5)]
    run = Run(*sinks)
    assert run.source.opened == 1
    assert [sink.received for sink in sinks] == [CONTENT] * 5
    assert [run.outcome(sink) for sink in sinks] == [Pushed.UPLOADED] * 5
    assert run.moved == 5 * len(CONTENT)


def test_a_destination_that_fails_drops_out_and_the_others_go_on() -> None:
    bad, good = Sink(fail), Sink()
    run = Run(bad, good)
    assert isinstance(run.outcome(bad), NetworkError)
    assert (run.outcome(good), good.received) == (Pushed.UPLOADED, CONTENT)
    assert run.moved == len(CONTENT)


def test_a_destination_that_has_the_blob_takes_nothing() -> None:
    there, good = Sink(is_there=True), Sink()
    run = Run(there, good)
    assert (run.outcome(there), run.outcome(good)) == (Pushed.PRESENT, Pushed.UPLOADED)


def test_when_nobody_wants_the_bytes_the_source_is_not_opened() -> None:
    run = Run(Sink(is_there=True), Sink(is_there=True))
    assert run.source.opened == 0


def test_when_all_fail_the_source_is_not_read_to_its_end() -> None:
    run = Run(Sink(fail), Sink(fail))
    assert run.source.read < len(CHUNKS)


def test_a_slow_destination_is_left_behind_and_settles_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions 31: a full queue for longer than the patience; memory is bounded by the queue meanwhile."""
    monkeypatch.setattr("imagesync.transfer.fanout.PATIENCE_SECONDS", 0.3)
    gate = threading.Event()
    slow, good = Sink(lambda: gate.wait(10)), Sink()
    source = Source()
    begun = time.monotonic()
    run = Run(slow, good, source=source)
    assert time.monotonic() - begun < 5
    assert isinstance(run.outcome(slow), DroppedOut)
    assert (run.outcome(good), good.received) == (Pushed.UPLOADED, CONTENT)
    gate.set()


def test_a_slow_destination_slows_the_others_by_no_more_than_its_queue() -> None:
    started, gate = threading.Event(), threading.Event()
    source, good = Source(), Sink()

    def wait() -> None:
        started.set()
        gate.wait(10)

    worker = threading.Thread(target=lambda: Run(Sink(wait), good, source=source))
    worker.start()
    assert started.wait(5)
    time.sleep(0.2)
    assert source.read <= QUEUE_CHUNKS + 3
    gate.set()
    worker.join(10)
    assert good.received == CONTENT


def test_an_error_of_the_source_reaches_every_destination_before_its_last_byte() -> None:
    error = IntegrityError("hash to something else")
    sinks = [Sink(), Sink()]
    run = Run(*sinks, source=Source(error, after=29))
    assert [run.outcome(sink) for sink in sinks] == [error, error]
    assert all(len(sink.received) < len(CONTENT) for sink in sinks)
    assert run.moved == 0


def test_a_cancelled_run_ends_everywhere() -> None:
    cancellation = Cancellation()
    sinks = [Sink(cancellation.cancel), Sink()]
    run = Run(*sinks, cancellation=cancellation)
    assert {type(run.outcome(sink)) for sink in sinks} == {Cancelled}


def test_a_commit_that_fails_is_taken_back_from_the_meter_once() -> None:
    class Refusing(Sink):
        def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
            super().push_blob(blob, read, mount_from)
            raise NetworkError("no answer to the commit")

    run = Run(Refusing(), Sink())
    assert run.moved == len(CONTENT)


def test_who_is_told_and_fails_hangs_nobody() -> None:
    def settle(_outcome: Pushed | BaseException) -> None:
        raise ValueError("a mistake")

    caught: list[object] = []
    hook = threading.excepthook
    threading.excepthook = caught.append
    try:
        FanOut(BLOB, moved=lambda _: None, cancellation=Cancellation()).run(Source().open, [(Sink(), settle)])
    finally:
        threading.excepthook = hook
    assert len(caught) == 1


def test_without_a_thread_for_it_a_destination_is_left_to_be_fed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    left = [1]

    def failing(self: threading.Thread) -> None:
        if left and left.pop():
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", failing)
    first, second = Sink(), Sink()
    run = Run(first, second)
    assert isinstance(run.outcome(first), RuntimeError)
    assert run.outcome(second) is Pushed.UPLOADED


class Again(Sink):
    """Wants the bytes a second time, from the middle on."""

    def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        super().push_blob(blob, read, mount_from)
        with read(5):
            return Pushed.UPLOADED


def test_a_destination_that_wants_bytes_again_is_fed_alone() -> None:
    """UPL-06: one read for all cannot be begun anew for one."""
    again, good = Again(), Sink()
    run = Run(again, good)
    assert isinstance(run.outcome(again), DroppedOut)
    assert (run.outcome(good), good.received) == (Pushed.UPLOADED, CONTENT)
