"""Bandwidth: the waits that keep a rate, by a clock of the test."""

from __future__ import annotations

import tracemalloc

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled
from imagesync.reference import make_repository
from imagesync.registry.bandwidth import Bandwidth
from imagesync.settings import RegistrySettings, Tls, TlsMode
from tests.fakes.registry import FakeRegistry
from tests.registry.remote import Source, make_blob, open_registries

MEGABYTE = 1_000_000


class Clock:
    """Time passes when somebody waits."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_a_second_s_worth_goes_at_once_and_the_rest_at_the_rate() -> None:
    clock = Clock()
    bandwidth = Bandwidth(MEGABYTE, clock)
    for _ in range(40):
        clock.wait(bandwidth.take(MEGABYTE // 4))
    assert clock.now - 50 == pytest.approx(9.0)


def test_threads_share_one_rate() -> None:
    """Each waits for all that was taken before it."""
    bandwidth = Bandwidth(MEGABYTE, Clock())
    assert [bandwidth.take(MEGABYTE) for _ in range(4)] == pytest.approx([0.0, 1.0, 2.0, 3.0])


def test_what_was_not_used_is_kept_for_a_second() -> None:
    clock = Clock()
    bandwidth = Bandwidth(MEGABYTE, clock)
    clock.wait(3600)
    assert bandwidth.take(MEGABYTE) == 0
    assert bandwidth.take(MEGABYTE) == pytest.approx(1.0)


def test_what_goes_out_is_cut_to_what_a_second_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece of a megabyte at a rate of some kilobytes would leave the server without a byte for minutes."""
    clock, cancellation = Clock(), Cancellation()
    monkeypatch.setattr(cancellation, "wait", clock.wait)
    sent = [(clock.now, piece) for piece in Bandwidth(1000, clock).paced(iter([b"x" * 2500, b"y"]), cancellation)]
    assert [len(piece) for _, piece in sent] == [1000, 1000, 500, 1]
    assert b"".join(piece for _, piece in sent) == b"x" * 2500 + b"y"
    assert [at - 50 for at, _ in sent] == pytest.approx([0, 1, 1.5, 1.501])


def test_a_wait_ends_with_the_run() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        Bandwidth(1).wait(1000, cancellation)


def test_it_keeps_nothing_of_what_went_through() -> None:
    bandwidth = Bandwidth(MEGABYTE, Clock())
    bandwidth.take(1)
    tracemalloc.start()
    for _ in range(10_000):
        bandwidth.take(MEGABYTE)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 10_000


def test_what_is_read_from_a_host_and_written_to_it_counts_together(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    cancellation = Cancellation()
    monkeypatch.setattr(cancellation, "wait", waits.append)
    data = b"x" * 300_000
    blob = make_blob(data)
    settings = (registry.host, RegistrySettings(bandwidth=100_000, tls=Tls(TlsMode.DISABLED)))
    with open_registries(settings, cancellation=cancellation) as registries:
        repository = registries.repository(make_repository(registry.host, "a/b"))
        repository.push_blob(blob, Source(data))
        written = max(waits)
        with repository.fetch_blob(blob) as pieces:
            assert b"".join(pieces) == data
    assert written == pytest.approx(2.0, abs=0.5), "300 kB at 100 kB/s, the first second free"
    assert max(waits) == pytest.approx(5.0, abs=0.5)


def test_a_host_without_a_rate_waits_for_nothing(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    cancellation = Cancellation()
    monkeypatch.setattr(cancellation, "wait", waits.append)
    with open_registries(cancellation=cancellation) as registries:
        repository = registries.repository(make_repository(registry.host, "a/b"))
        repository.push_blob(make_blob(b"x" * 300_000), Source(b"x" * 300_000))
    assert waits == []
