"""The group UPL as whole runs: where a blob is sent to, what is answered, and what is left when that is stopped."""

from __future__ import annotations

import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from imagesync.errors import LimitError
from imagesync.manifest import Descriptor
from imagesync.plan.outcome import Status
from imagesync.reference import Digest
from imagesync.store import CHUNK_BYTES, Pushed
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.images import make_image
from tests.registry.remote import OCTETS, open_repository
from tests.registry.wire import WireServer, answer, read_head
from tests.traces.harness import Sync, kinds
from tests.wire.conftest import Broken, Clock
from tests.wire.relay import Break

IMAGE = make_image(layers=1, layer_bytes=2 * CHUNK_BYTES)
LAYER = IMAGE.root.successors()[-1].digest
BLOBS = len(IMAGE.blobs)


def check_copied(sync: Sync) -> None:
    sync.fill(IMAGE, "latest")
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.reason) == (Status.COPIED, "")
    store = sync.destination.repository("mirror/app")
    for blob in IMAGE.root.successors():
        with store.fetch_blob(blob) as pieces:
            assert b"".join(pieces) == IMAGE.blobs[blob.digest]


def sessions_left(registry: FakeRegistry) -> list[str]:
    """Names of the uploads that nobody has finished or taken back."""
    return [path.name for path in (registry.root / "_uploads").glob("*")]


@pytest.mark.parametrize("form", ["/v2/{rest}", "http://{host}/v2/{rest}", "//{host}/v2/{rest}"])
def test_a_location_is_followed_in_every_form(broken: Broken, form: str) -> None:
    """UPL-01, UPL-02: relative, absolute, without a scheme; its query comes back letter by letter."""
    sync, query = broken.sync, "_state=a%20b+c|d%2F==&sig='()*"
    session = f"mirror/app/blobs/uploads/{'5' * 32}?{query}"
    location = form.format(rest=session, host=broken.sync.destination_host)
    for method in ("POST", "PATCH"):
        sync.destination.script(method, "/uploads/", status=202, headers={"Location": location})
    sync.destination.script("PUT", "/uploads/", status=201)
    sync.destination.script("PUT", "/manifests/", status=201)
    sync.fill(IMAGE, "latest")
    (outcome,) = sync.apply("latest")
    assert outcome.status is Status.COPIED
    for entry in sync.destination.log.entries("PUT", "/uploads/"):
        assert entry.query.startswith(f"{query}&digest=sha256:")


@pytest.mark.parametrize("location", ["http://127.0.0.2:1/u", "ftp://127.0.0.1/u", "https://user:pass@127.0.0.1/u"])
def test_a_location_elsewhere_is_refused_and_sent_nothing(sync: Sync, clock: Clock, location: str) -> None:
    """UPL-03."""
    sync.fill(IMAGE, "latest")
    sync.destination.script("POST", "/uploads/", status=202, headers={"Location": location})
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "protocol")
    assert "pass" not in outcome.reason.replace("password", "")
    assert clock.waits == []


@pytest.mark.parametrize(("method", "status"), [("PATCH", 201), ("PATCH", 204), ("PUT", 204)])
def test_the_successes_of_other_registries_are_taken(sync: Sync, method: str, status: int) -> None:
    """UPL-04."""
    sync.destination.script(method, "/uploads/", status=status, is_done=True)
    check_copied(sync)
    assert kinds(sync.destination)["POST uploads"] == BLOBS


@pytest.mark.parametrize("status", [404, 405, 415])
def test_a_registry_without_patch_gets_the_body_with_its_put(sync: Sync, status: int) -> None:
    """UPL-05: and is not asked for it by every blob; those under way at once find it out each."""
    sync.destination.script("PATCH", "/uploads/", status=status)
    check_copied(sync)
    sizes = sorted(entry.bytes_in for entry in sync.destination.log.entries("PUT", "/uploads/"))
    assert sizes == sorted(map(len, IMAGE.blobs.values()))
    assert sessions_left(sync.destination) == []


def test_an_upload_that_breaks_before_anything_came_begins_anew_and_leaves_no_session(broken: Broken) -> None:
    """UPL-06: the registry says `0-0`, which is nothing as well as one byte."""
    broken.destination.breaks("PATCH", "/uploads/", Break.RESET)
    check_copied(broken.sync)
    assert kinds(broken.sync.destination)["POST uploads"] == BLOBS + 1
    assert sessions_left(broken.sync.destination) == []


def test_a_lost_answer_to_an_upload_costs_one_look(broken: Broken) -> None:
    """UPL-06: 204 with the range of all that was sent; nothing is read or sent again."""
    broken.destination.breaks("PATCH", "/uploads/", Break.LOSE)
    check_copied(broken.sync)
    requests = kinds(broken.sync.destination)
    assert (requests["POST uploads"], requests["GET uploads"], requests["PATCH uploads"]) == (BLOBS, 1, 1)
    assert len(broken.sync.source.log.entries("GET", "/blobs/")) == BLOBS


@pytest.mark.parametrize("status", [404, 200, 500])
def test_a_session_that_is_no_more_begins_anew(broken: Broken, status: int) -> None:
    """UPL-06: and nobody asks twice."""
    broken.destination.breaks("PATCH", "/uploads/", Break.LOSE)
    broken.destination.answers("GET", "/uploads/", status, headers={"Range": f"0-{2 * CHUNK_BYTES - 1}"})
    check_copied(broken.sync)
    assert kinds(broken.sync.destination)["POST uploads"] == BLOBS + 1
    assert "GET uploads" not in kinds(broken.sync.destination)


def test_a_lost_answer_to_the_last_request_costs_one_look(broken: Broken) -> None:
    """UPL-07."""
    broken.destination.breaks("PUT", "/uploads/", Break.LOSE)
    check_copied(broken.sync)
    requests = kinds(broken.sync.destination)
    assert (requests["POST uploads"], requests["PATCH uploads"]) == (BLOBS, 1)
    assert len(broken.sync.source.log.entries("GET", "/blobs/")) == BLOBS


def test_bytes_that_the_registry_refuses_are_read_and_sent_once_more(broken: Broken) -> None:
    """UPL-08."""
    body = b'{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}'
    broken.destination.answers("PUT", "/uploads/.*sha256", 400, body=body)
    check_copied(broken.sync)
    assert kinds(broken.sync.destination)["POST uploads"] == BLOBS + 1


def test_bytes_that_the_registry_refuses_twice_are_an_error_of_its_side(sync: Sync) -> None:
    """UPL-08: no third attempt, no session left, no tag."""
    sync.fill(IMAGE, "latest")
    sync.destination.script("PUT", "/uploads/", status=400, body=b'{"errors":[{"code":"DIGEST_INVALID"}]}')
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "integrity")
    assert outcome.reason.startswith("destination")
    assert kinds(sync.destination)["POST uploads"] <= 2 * BLOBS
    assert sessions_left(sync.destination) == []
    assert "PUT manifests" not in kinds(sync.destination)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_body_that_is_too_large_for_a_proxy_is_sent_once(sync: Sync, clock: Clock, method: str) -> None:
    """UPL-11: the error says where the limit is."""
    sync.fill(IMAGE, "latest")
    sync.destination.script(method, "/uploads/", status=413, body=b"<html>413 Request Entity Too Large</html>")
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "limit")
    assert "proxy" in f"{outcome.reason} {outcome.hint}"
    assert kinds(sync.destination)["PATCH uploads"] <= BLOBS
    assert clock.waits == []


def test_a_slow_start_and_a_bad_middle_and_end_are_survived(broken: Broken, clock: Clock) -> None:
    """UPL-13: 500 on the first POST, 502 on PATCH, 503 with Retry-After on PUT."""
    broken.destination.answers("POST", "/uploads/", 500)
    broken.destination.answers("PATCH", "/uploads/", 502)
    broken.destination.answers("PUT", "/uploads/", 503, headers={"Retry-After": "11"})
    began = clock.now
    check_copied(broken.sync)
    assert clock.now - began >= 11
    assert sessions_left(broken.sync.destination) == []


def test_a_repository_that_has_to_be_made_first_says_so(make_registry: MakeRegistry) -> None:
    """UPL-14: and what goes elsewhere is copied."""
    sync = Sync(make_registry(), make_registry())
    sync.fill(IMAGE, "latest")
    sync.destination.script("POST", "/v2/a/", status=404, body=b'{"errors":[{"code":"NAME_UNKNOWN"}]}')
    outcomes = {outcome.status: outcome for outcome in sync.apply("latest", to=["a/app", "b/app"])}
    assert set(outcomes) == {Status.COPIED, Status.FAILED}
    failed = outcomes[Status.FAILED]
    assert failed.kind == "not-found"
    assert "created" in f"{failed.reason} {failed.hint}"


HUGE_BYTES = 5 * 1024**3
MANY_BYTES = 192 * 1024**2


def zeros(count: int) -> Iterator[bytes]:
    piece = bytes(CHUNK_BYTES)
    for _ in range(count // CHUNK_BYTES):
        yield piece


def test_a_blob_above_4_gib_is_announced_with_its_length() -> None:
    """UPL-15: and refused before its bytes are sent, so that no test has to send them."""
    heads: list[bytes] = []

    def play(opened: socket.socket) -> None:
        while request := read_head(opened):
            heads.append(request)
            is_patch = request.startswith(b"PATCH")
            status = "413 Too Large" if is_patch else "202 Accepted"
            opened.sendall(answer(b"", status, "Location: /u"))
            if is_patch:
                return

    @contextmanager
    def read(_start: int) -> Iterator[Iterator[bytes]]:
        yield zeros(HUGE_BYTES)

    blob = Descriptor(OCTETS, Digest("sha256:" + "0" * 64), HUGE_BYTES)
    with WireServer(play) as server, open_repository(server) as repository, pytest.raises(LimitError):
        repository.push_blob(blob, read)
    assert any(f"\r\ncontent-length: {HUGE_BYTES}\r\n".encode() in head.lower() for head in heads)


def test_memory_does_not_grow_with_the_blob() -> None:
    """UPL-15: whole pieces pass, and are let go."""
    received = threading.Event()

    def play(opened: socket.socket) -> None:
        while request := read_head(opened):
            if request.startswith(b"PATCH"):
                left = MANY_BYTES - len(request.partition(b"\r\n\r\n")[2])
                while left:
                    left -= len(opened.recv(min(left, CHUNK_BYTES)))
                received.set()
            status = "201 Created" if request.startswith(b"PUT") else "202 Accepted"
            opened.sendall(answer(b"", status, "Location: /u"))

    @contextmanager
    def read(_start: int) -> Iterator[Iterator[bytes]]:
        yield (bytes([number % 256]) * CHUNK_BYTES for number in range(MANY_BYTES // CHUNK_BYTES))

    blob = Descriptor(OCTETS, Digest("sha256:" + "0" * 64), MANY_BYTES)
    with WireServer(play) as server, open_repository(server) as repository:
        tracemalloc.start()
        try:
            assert repository.push_blob(blob, read) is Pushed.UPLOADED
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert received.is_set()
    assert peak < 16 * 1024**2
