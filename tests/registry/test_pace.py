"""Servers that send, or take, so slowly that they would hold a worker for ever. BLB-10, S20."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import cast

import pytest

from imagesync.errors import NetworkError
from imagesync.reference import Tag, make_repository
from imagesync.registry import Registries, RemoteRepository
from imagesync.registry.pace import PacedAnswer, TooSlow, send_paced
from imagesync.registry.retry import ONE_TRY
from imagesync.settings import RegistrySettings, Timeouts, Tls, TlsMode
from tests.conftest import Certificates
from tests.registry.remote import Source, make_blob, open_registries
from tests.registry.wire import WireServer, answer, read_head

MIB = 1024 * 1024
DATA = bytes(16 * MIB)


@dataclass
class Drip:
    """A socket that takes so many bytes at a time, each after a while."""

    takes_bytes: int
    seconds: float = 0.02
    timeout_seconds: float = 0.1
    taken: int = 0

    def gettimeout(self) -> float:
        return self.timeout_seconds

    def send(self, data: memoryview) -> int:
        time.sleep(self.seconds)
        sent = min(self.takes_bytes, len(data))
        self.taken += sent
        return sent


def test_bytes_that_are_taken_one_by_one_are_too_slow() -> None:
    drip = Drip(takes_bytes=1)
    with pytest.raises(TooSlow, match=r"[0-9]+ bytes were taken in"):
        send_paced(cast("socket.socket", drip), [b"x" * 1000, b"y" * 1000])
    assert 1 < drip.taken < 1000


def test_bytes_that_are_taken_at_the_least_rate_all_go_out() -> None:
    drip = Drip(takes_bytes=1000)
    send_paced(cast("socket.socket", drip), iter([b"x" * 5000, b"", b"y" * 5000]))
    assert drip.taken == 10_000


def test_a_source_that_is_slow_makes_no_slow_destination() -> None:
    """What is waited for the source's bytes is not the destination's."""
    drip = Drip(takes_bytes=10, seconds=0)

    def slow() -> Iterator[bytes]:
        for _ in range(6):
            time.sleep(0.03)
            yield b"x" * 10

    send_paced(cast("socket.socket", drip), slow())
    assert drip.taken == 60


@pytest.fixture(params=["plain", "tls"])
def reader(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[WireServer]:
    """A registry that opens an upload, and takes its body in drops."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server.certificate, certificates.server.key)

    done = threading.Event()

    def play(opened: socket.socket) -> None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wrapped = context.wrap_socket(opened, server_side=True) if request.param == "tls" else opened
        with suppress(OSError), wrapped:
            while (head := read_head(wrapped)) and not head.startswith(b"PATCH"):
                wrapped.sendall(answer(b"", "202 Accepted", "Location: /v2/a/b/blobs/uploads/1"))
            while not done.wait(0.05):
                wrapped.recv(20)

    with WireServer(play) as server:
        yield server
        done.set()


def opened(registries: Registries, host: str) -> RemoteRepository:
    return registries.repository(make_repository(host, "a/b"))


def quick(server: WireServer, tls: Tls) -> tuple[str, RegistrySettings]:
    return server.host, RegistrySettings(tls=tls, timeouts=Timeouts(read_seconds=0.2))


def test_an_upload_that_is_taken_in_drops_is_given_up(reader: WireServer, request: pytest.FixtureRequest) -> None:
    is_tls = "tls" in request.node.name
    settings = quick(reader, Tls(TlsMode.INSECURE if is_tls else TlsMode.DISABLED))
    with open_registries(settings) as registries:
        push = partial(opened(registries, reader.host).push_blob, make_blob(DATA), Source(DATA))
        with pytest.raises(NetworkError, match="timed out") as raised:
            push()
        assert raised.value.is_transient


def trickle(opened: socket.socket) -> None:
    """Faster than the least rate, and without end."""
    while read_head(opened):
        opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
        while True:
            opened.sendall(b"x" * 500)
            time.sleep(0.02)


def test_what_is_kept_in_memory_has_a_time_to_be_there() -> None:
    """And not a least rate alone: at that, a list of 16 MiB would take hours."""
    with WireServer(trickle) as server:
        settings = quick(server, Tls(TlsMode.DISABLED))
        with open_registries(settings, policy=ONE_TRY) as registries:
            repository = opened(registries, server.host)
            for ask in (partial(repository.fetch_manifest, Tag("1")), repository.list_tags):
                with pytest.raises(NetworkError, match="the answer did not come to an end"):
                    ask()


def test_a_token_has_a_time_to_be_there() -> None:
    """AUTH-14."""

    def registry(opened: socket.socket) -> None:
        read_head(opened)
        challenge = f'WWW-Authenticate: Bearer realm="http://{tokens.host}/token"'
        opened.sendall(answer(b"", "401 Unauthorized", challenge))

    with WireServer(trickle) as tokens, WireServer(registry) as server:
        settings = quick(server, Tls(TlsMode.DISABLED))
        slow = pytest.raises(NetworkError, match="the answer did not come to an end")
        with open_registries(settings, policy=ONE_TRY) as registries, slow:
            opened(registries, server.host).resolve(Tag("1"))


def test_a_blob_may_take_as_long_as_it_comes() -> None:
    """For longer than what is kept in memory may."""

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n")
        for _ in range(40):
            opened.sendall(b"x" * 1000)
            time.sleep(0.01)

    settings = RegistrySettings(tls=Tls(TlsMode.DISABLED), timeouts=Timeouts(read_seconds=0.06))
    with WireServer(play) as server, open_registries((server.host, settings)) as registries:
        blob = opened(registries, server.host).fetch_blob(make_blob(b"x" * 40_000))
        with blob as pieces:
            assert len(b"".join(pieces)) == 40_000


def test_a_body_has_as_long_as_it_is_given() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.2)
        with closing(PacedAnswer(ours, "GET", body_seconds=0.05)) as paced:
            theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nx")
            paced.begin()
            assert paced.read(1) == b"x"
            time.sleep(0.06)  # nobody waits for the server meanwhile
            theirs.sendall(b"yz")
            assert paced.read(2) == b"yz"
