"""The group ERR as whole runs: what a refusal says, what is no registry, and what one failure does to the rest."""

from __future__ import annotations

import json
import socket

import pytest

from imagesync.plan.outcome import Status
from imagesync.registry.retry import RetryPolicy
from tests.conftest import Certificates, MakeRegistry
from tests.fakes.wire import Ending, Fault, Wire
from tests.images import make_image
from tests.traces.harness import Sync
from tests.wire.conftest import Clock

ESCAPES = "\x1b[31mred\x1b]0;title\x07\u202e"
BODIES = {
    "page": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "empty": b"",
    "text": b"404 page not found\n",
    "details": b'{"details":"incorrect username or password"}',
    "10 MB": b"x" * 10_000_000,
    "escapes": ESCAPES.encode(),
    "escapes in JSON": json.dumps({"errors": [{"code": ESCAPES, "message": ESCAPES}]}).encode(),
    "errors: null": b'{"errors":null}',
    "errors of strings": b'{"errors":["one","two"]}',
    "no UTF-8": b"\xff\xfe\xfd",
    "deep": b'{"errors":' + b"[" * 50_000,
}


@pytest.mark.parametrize(("status", "kind"), [(403, "authentication"), (404, "not-found"), (400, "protocol")])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_an_error_is_short_and_safe_whatever_its_body_is(sync: Sync, body: bytes, status: int, kind: str) -> None:
    """ERR-01."""
    sync.fill(make_image(), "latest")
    sync.source.script("GET", "/manifests/", status=status, body=body)
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, kind)
    assert len(outcome.reason) < 800
    assert outcome.reason.isprintable()
    assert outcome.reason.isascii() or "…" in outcome.reason


@pytest.mark.parametrize("side", ["source", "destination"])
def test_what_says_ok_to_everything_is_no_registry(sync: Sync, side: str) -> None:
    """ERR-02: no success is reported."""
    sync.fill(make_image(), "latest")
    registry = sync.source if side == "source" else sync.destination
    registry.script(status=200, body=b"OK", headers={"Content-Type": "text/plain"})
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "protocol")
    assert outcome.reason.startswith(side)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_certificate_that_nobody_vouches_for_is_not_tried_again(
    make_registry: MakeRegistry, certificates: Certificates, clock: Clock, side: str
) -> None:
    """ERR-03: and there is no request in plain HTTP."""
    bad, good = make_registry(tls=certificates.server), make_registry()
    sync = Sync(*((bad, good) if side == "source" else (good, bad)))
    sync.fill(make_image(), "latest")
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "tls")
    assert "certificate" in outcome.reason
    assert len(bad.log) == 0
    assert clock.waits == []


@pytest.mark.parametrize("ending", [Ending.CUT, Ending.RESET])
def test_connections_that_break_again_and_again_are_survived(make_registry: MakeRegistry, ending: Ending) -> None:
    """ERR-04: the first connections of both sides end after some hundred bytes, in either direction."""
    source, destination = make_registry(), make_registry()
    with Wire(source.host) as before_source, Wire(destination.host) as before_destination:
        sync = Sync(source, destination, source_host=before_source.host, destination_host=before_destination.host)
        image = make_image(layers=2, layer_bytes=50_000)
        sync.fill(image, "latest")
        # The first one only finds out whether TLS is spoken.
        before_source.faults = {2: Fault(ending, 100), 3: Fault(ending, 700), 4: Fault(ending, 5000)}
        before_destination.faults = {2: Fault(ending, 100), 3: Fault(ending, 700, is_upload=True)}
        (outcome,) = sync.apply("latest")
        assert (outcome.status, outcome.reason) == (Status.COPIED, "")
        assert min(before_source.connections, before_destination.connections) > 3


@pytest.mark.parametrize("host", ["127.0.0.1:PORT", "no-such-name.invalid"])
def test_a_host_that_cannot_be_reached_ends_after_some_tries(sync: Sync, clock: Clock, host: str) -> None:
    """ERR-04: refused, or without an address; the waits between the tries grow and differ."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = str(listener.getsockname()[1])
    sync.source_host = host.replace("PORT", free)
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "network")
    assert outcome.reason.startswith("source")
    assert 3 <= len(clock.waits) <= 10
    assert len(set(clock.waits)) == len(clock.waits)


def test_a_host_that_dies_in_the_middle_of_a_run_costs_one_round_of_tries(sync: Sync) -> None:
    """ERR-04: once the requests that were under way have used up their tries, each later one is sent once."""
    tags = [f"v{number}" for number in range(40)]
    for tag in tags:
        sync.fill(make_image(tag, layers=1), tag)
    sync.destination.script("", "/v2/mirror/app/", status=503)
    outcomes = sync.apply(*tags)
    assert [outcome.kind for outcome in outcomes] == ["network"] * len(tags)
    workers, tries = 8, RetryPolicy().tries
    assert len(sync.destination.log.entries("", "/v2/mirror/app/")) <= workers * tries + len(tags) - workers
    assert sum("tried once" in outcome.reason for outcome in outcomes) >= len(tags) - 2 * workers


def test_a_failed_image_stops_no_other(sync: Sync) -> None:
    """ERR-05: one of fifty."""
    images = {f"v{number}": make_image(str(number), layers=1) for number in range(50)}
    for tag, image in images.items():
        sync.fill(image, tag)
    broken = images["v7"].root.successors()[-1].digest
    sync.source.script("GET", f"/blobs/{broken}", status=404)
    outcomes = sync.apply("v*")
    assert sorted(outcome.status.value for outcome in outcomes) == ["copied"] * 49 + ["failed"]
    failed = next(outcome for outcome in outcomes if outcome.status is Status.FAILED)
    assert (failed.kind, failed.exit_code) == ("not-found", 1)
    assert set(sync.destination.repository("mirror/app").list_tags()) == set(images) - {"v7"}
