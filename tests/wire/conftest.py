"""Fixtures of the wire's tests: a sync whose two sides can be broken, and waits that take no time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from imagesync.cancellation import Cancellation
from tests.conftest import MakeRegistry
from tests.traces.harness import Sync
from tests.wire.relay import Relay


@dataclass
class Clock:
    """The time that waits between tries are measured by: it passes when somebody waits, and only then."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return time.time()

    def wait(self, cancellation: Cancellation, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)
        cancellation.check()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("imagesync.registry.retry.time", made)
    # A function, so that it is bound to the cancellation it is called on.
    monkeypatch.setattr(Cancellation, "wait", lambda self, seconds: made.wait(self, seconds))  # noqa: PLW0108
    return made


@dataclass(frozen=True)
class Broken:
    """A sync, and what stands in front of each of its registries."""

    sync: Sync
    source: Relay
    destination: Relay


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    return Sync(make_registry(), make_registry())


@pytest.fixture
def broken(make_registry: MakeRegistry) -> Iterator[Broken]:
    source, destination = make_registry(), make_registry()
    with Relay(source.host) as before_source, Relay(destination.host) as before_destination:
        sync = Sync(source, destination, source_host=before_source.host, destination_host=before_destination.host)
        yield Broken(sync, before_source, before_destination)
