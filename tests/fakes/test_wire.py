"""The wire that other tests break connections with does break them, in the way that it says."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.fakes.registry import FakeRegistry
from tests.fakes.wire import Ending, Fault, Wire
from tests.images import blob_of, make_bytes, reader

BODY = make_bytes("wire", 300_000)


@pytest.fixture
def wire(registry: FakeRegistry) -> Iterator[Wire]:
    registry.repository("a").push_blob(blob_of(BODY), reader(BODY))
    with Wire(registry.host) as opened:
        yield opened


def fetch(wire: Wire, timeout_seconds: float = 5.0) -> bytes:
    """Everything that comes back for a GET of the blob, headers included."""
    address, _, port = wire.host.rpartition(":")
    with socket.create_connection((address, int(port)), timeout=timeout_seconds) as client:
        client.sendall(f"GET /v2/a/blobs/{blob_of(BODY).digest} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        parts = []
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_a_wire_without_a_fault_changes_nothing(wire: Wire) -> None:
    assert fetch(wire).endswith(BODY)
    assert wire.connections == 1


def test_a_cut_ends_the_answer_after_so_many_bytes(wire: Wire) -> None:
    wire.faults[1] = Fault(Ending.CUT, after_bytes=1000)
    assert len(fetch(wire)) == 1000
    assert fetch(wire).endswith(BODY)


def test_a_reset_is_seen_as_one(wire: Wire) -> None:
    wire.fault = Fault(Ending.RESET, after_bytes=1000)
    with pytest.raises(ConnectionResetError):
        fetch(wire)


def test_a_stall_sends_nothing_more_and_keeps_the_connection(wire: Wire) -> None:
    wire.fault = Fault(Ending.STALL, after_bytes=1000)
    with pytest.raises(TimeoutError):
        fetch(wire, timeout_seconds=0.2)


def test_one_byte_is_corrupted(wire: Wire) -> None:
    clean = fetch(wire)
    wire.fault = Fault(corrupt_at=len(clean) - 10)
    broken = fetch(wire)
    assert [place for place, (old, new) in enumerate(zip(clean, broken, strict=True)) if old != new] == [
        len(clean) - 10
    ]


def test_a_throttled_wire_takes_its_time(wire: Wire) -> None:
    wire.fault = Fault(bytes_per_second=1_000_000)
    started = time.monotonic()
    assert fetch(wire).endswith(BODY)
    assert time.monotonic() - started > 0.25


@pytest.mark.parametrize(
    "fault", [Fault(connect_seconds=0.1), Fault(response_seconds=0.1), Fault(round_trip_seconds=0.1)]
)
def test_a_delay_comes_before_the_answer(wire: Wire, fault: Fault) -> None:
    wire.fault = fault
    started = time.monotonic()
    assert fetch(wire).endswith(BODY)
    assert time.monotonic() - started >= 0.1


def test_every_request_on_a_kept_connection_takes_a_round_trip(wire: Wire) -> None:
    wire.fault = Fault(round_trip_seconds=0.1)
    with closing(HTTPConnection(wire.host, timeout=5)) as client:
        for _ in range(3):
            started = time.monotonic()
            client.request("GET", "/v2/")
            with client.getresponse() as answer:
                answer.read()
                assert answer.status == 200
            assert time.monotonic() - started >= 0.1
    assert wire.connections == 1


def test_all_connections_can_be_cut_at_once(wire: Wire) -> None:
    address, _, port = wire.host.rpartition(":")
    with socket.create_connection((address, int(port)), timeout=5) as client:
        client.sendall(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        wire.cut_all()
        while client.recv(65536):
            continue
