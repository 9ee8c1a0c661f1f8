"""What one host bears, seen by its client and obeyed by the scheduler."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import LimitError, NetworkError
from imagesync.reference import make_repository
from imagesync.registry.retry import ONE_TRY, Pause
from imagesync.settings import DEFAULT_CONCURRENCY
from imagesync.tasks import Tasks
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.registry.remote import QUICK, make_blob, open_registries
from tests.registry.test_client import make_call
from tests.registry.wire import WireServer


def test_a_host_that_is_asked_too_much_gets_half_as_many_requests_at_once(registry: FakeRegistry) -> None:
    registry.script("GET", "/x", status=429, times=1)
    registry.script("GET", "/x", status=200)
    with open_registries() as registries:
        assert registries.slots(registry.host) == DEFAULT_CONCURRENCY
        client = registries.client(registry.host)
        client.send(make_call())
        assert registries.slots(registry.host) == DEFAULT_CONCURRENCY // 2
        for _ in range(DEFAULT_CONCURRENCY // 2 - 1):
            client.send(make_call())
        assert registries.slots(registry.host) == DEFAULT_CONCURRENCY // 2 + 1


def test_the_scheduler_leaves_a_host_alone_that_asked_for_it_and_uses_the_others(
    registry: FakeRegistry, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LIM-02: one worker is told to wait, with one worker in all; no thread sleeps for it. The pause is over when the
    other host has answered, however long that takes."""
    other = make_registry()
    seconds, is_over = Pause.seconds, Event()
    monkeypatch.setattr(Pause, "seconds", lambda pause: 0.0 if is_over.is_set() else seconds(pause))
    registry.script("GET", "/x", status=429, headers={"Retry-After": "1000"}, times=1)
    for found in (registry, other):
        found.script("GET", "/x", status=200)
    with open_registries(policy=replace(QUICK, longest_seconds=600.0)) as registries:
        tasks = Tasks(workers=1, hosts=registries, cancellation=Cancellation())
        pauses: list[tuple[str, bool]] = []

        def ask(host: str) -> None:
            pauses.append((host, registries.pause_seconds(registry.host) > 0))
            registries.client(host).send(make_call())
            if len(pauses) == 2:
                is_over.set()

        told = tasks.add(lambda: registries.client(registry.host).send_once(make_call()), hosts=[registry.host])
        with pytest.raises(LimitError):
            tasks.results([told])
        assert registries.slots(registry.host) == 0
        assert 0 < registries.pause_seconds(registry.host) <= 600
        hosts = [registry.host, other.host, registry.host, other.host]
        tasks.results([tasks.add(lambda host=host: ask(host), hosts=[host]) for host in hosts])
        tasks.close()
    assert pauses == [(other.host, True), (other.host, True), (registry.host, False), (registry.host, False)]


def test_a_dead_host_gets_all_tries_once_and_one_try_from_then_on() -> None:
    """ERR-04."""
    with WireServer() as server:
        host = server.host
    with open_registries() as registries:
        client = registries.client(host)
        with pytest.raises(NetworkError, match=f"{QUICK.tries} tries"):
            client.send(make_call())
        with pytest.raises(NetworkError, match=r"refused \(tried once: .*\) \(is the registry running"):
            client.send(make_call())
        repository = registries.repository(make_repository(host, "a/b"))
        with pytest.raises(NetworkError) as blob, repository.fetch_blob(make_blob(b"x")):
            pass
        assert not blob.value.is_transient, "who copies it need not try again"


def test_a_host_that_is_back_gets_all_tries_again(registry: FakeRegistry) -> None:
    registry.script("GET", "/x", status=503, times=QUICK.tries + 1)
    registry.script("GET", "/x", status=200, times=1)
    registry.script("GET", "/x", status=503, times=1)
    registry.script("GET", "/x", status=200)
    with open_registries() as registries:
        client = registries.client(registry.host)
        for _ in range(2):
            with pytest.raises(NetworkError):
                client.send(make_call())
        assert len(registry.log) == QUICK.tries + 1
        client.send(make_call())
        client.send(make_call())
    assert len(registry.log) == QUICK.tries + 4


def test_one_request_that_a_host_cannot_answer_does_not_make_it_a_dead_one(registry: FakeRegistry) -> None:
    """A 500 may come of the request alone."""
    registry.script("GET", "/x", status=500)
    with open_registries() as registries:
        for _ in range(2):
            with pytest.raises(NetworkError):
                registries.client(registry.host).send(make_call())
    assert len(registry.log) == 2 * QUICK.server_error_tries


def test_a_mirror_that_fails_does_not_make_its_host_a_dead_one(registry: FakeRegistry) -> None:
    """It has a single try anyway, which says little."""
    registry.script("GET", "/x", status=503, times=1)
    registry.script("GET", "/x", status=503, times=1)
    registry.script("GET", "/x", status=200)
    with open_registries() as registries:
        as_mirror = registries._client(registry.host, ONE_TRY)
        with pytest.raises(NetworkError):
            as_mirror.send(make_call())
        assert registries.client(registry.host).send(make_call()).status == 200
