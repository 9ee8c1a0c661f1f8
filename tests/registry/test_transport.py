"""The transport, against servers that answer byte by byte as each test says."""

from __future__ import annotations

import inspect
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import trustme

from imagesync.errors import NetworkError, ProtocolError, StoreError, TlsError
from imagesync.registry import head_lines
from imagesync.registry.connection import Connections, Waits
from imagesync.registry.faults import class_for, translate, translated
from imagesync.registry.message import Request
from imagesync.registry.origin import Address, Origin
from imagesync.registry.pace import PacedAnswer
from imagesync.registry.transport import MAX_ERROR_BYTES, Transport
from imagesync.settings import Tls, TlsMode
from tests.registry.wire import Play, WireServer, answer, read_all, read_head

WAITS = Waits(5.0, 5.0, 5.0)


@dataclass(frozen=True)
class Read:
    """An answer that was read to its end."""

    status: int
    content: bytes


@contextmanager
def make_transport(tls: Tls | None = None, **environment: str) -> Iterator[Transport]:
    with make_connections(tls, **environment) as connections:
        yield Transport(connections)


@contextmanager
def make_connections(tls: Tls | None = None, **environment: str) -> Iterator[Connections]:
    connections = Connections(environment, lambda _origin: tls or Tls())
    try:
        yield connections
    finally:
        connections.close()


def make_request(
    host: str,
    target: str = "/",
    *,
    method: str = "GET",
    scheme: str = "http",
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterator[bytes] = b"",
) -> Request:
    return Request(method, Address(Origin.of(scheme, host), target), "ask", headers or {}, body)


def fetch(transport: Transport, request: Request, waits: Waits = WAITS) -> Read:
    with closing(transport.send(request, waits)) as response:
        return Read(response.status, b"".join(response.body))


def test_a_target_goes_out_letter_by_letter() -> None:
    """UPL-02: urllib3's own pool would write `%2f` and `|` anew."""
    heads: list[bytes] = []

    def play(opened: socket.socket) -> None:
        heads.append(read_head(opened))
        opened.sendall(answer())

    with WireServer(play) as server, make_transport() as transport:
        fetch(transport, make_request(server.host, "/v2/a%2fb?sig=a|b%2F'()*&x=%20+"))
    assert heads[0].startswith(b"GET /v2/a%2fb?sig=a|b%2F'()*&x=%20+ HTTP/1.1\r\n")


def test_a_streamed_body_has_a_length_and_is_not_chunked() -> None:
    requests: list[bytes] = []

    def play(opened: socket.socket) -> None:
        requests.append(read_all(opened, 10))
        opened.sendall(answer())

    with WireServer(play) as server, make_transport() as transport:
        request = make_request(
            server.host, method="PATCH", body=iter([b"hello", b"world"]), headers={"Content-Length": "10"}
        )
        fetch(transport, request)
    assert requests[0].endswith(b"\r\n\r\nhelloworld")
    assert b"chunked" not in requests[0].lower()


def test_a_body_without_a_length_is_refused() -> None:
    with WireServer(read_head) as server, make_transport() as transport, pytest.raises(ProtocolError):
        transport.send(make_request(server.host, method="PATCH", body=iter([b"x"])), WAITS)


def test_a_streamed_body_of_no_bytes_is_not_opened() -> None:
    def pieces() -> Iterator[bytes]:
        pytest.fail("opened")
        yield b""

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer())

    with WireServer(play) as server, make_transport() as transport:
        request = make_request(server.host, method="PATCH", body=pieces(), headers={"Content-Length": "0"})
        assert fetch(transport, request).status == 200


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/\u00e4", ""])
def test_a_target_that_would_end_the_line_or_is_not_ascii_is_not_sent(target: str) -> None:
    with WireServer(read_head) as server, make_transport() as transport, pytest.raises(ProtocolError):
        fetch(transport, make_request(server.host, target))


def test_a_head_that_is_cut_off_is_a_network_error() -> None:
    """Without its Content-Length the body would seem to be all that comes."""

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")

    with WireServer(play) as server, make_transport() as transport, pytest.raises(NetworkError, match="cut off"):
        fetch(transport, make_request(server.host))


def test_a_connection_is_used_again_once_its_answer_was_read() -> None:
    def play(opened: socket.socket) -> None:
        while read_head(opened):
            opened.sendall(answer(b"body"))

    with WireServer(play) as server, make_transport() as transport:
        for _ in range(3):
            assert fetch(transport, make_request(server.host)).content == b"body"
        transport.send(make_request(server.host), WAITS).close()
        assert fetch(transport, make_request(server.host)).content == b"body"
    assert server.connections == 2, "an answer that was not read costs its connection"


def test_a_kept_connection_that_the_server_dropped_is_replaced_without_a_word() -> None:
    def answers_once_and_hangs_up_on_the_next(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer(b"first"))
        read_head(opened)

    def answers(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer(b"second"))

    with WireServer(answers_once_and_hangs_up_on_the_next, answers) as server, make_transport() as transport:
        assert fetch(transport, make_request(server.host)).content == b"first"
        assert fetch(transport, make_request(server.host)).content == b"second"


def test_a_request_with_a_body_is_not_sent_twice() -> None:
    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer())
        read_head(opened)

    with WireServer(play) as server, make_transport() as transport:
        fetch(transport, make_request(server.host))
        with pytest.raises(NetworkError):
            fetch(transport, make_request(server.host, method="PUT", body=b"x"))
    assert server.connections == 1


@pytest.mark.parametrize(
    ("method", "is_sent_again"), [("HEAD", True), ("DELETE", True), ("PUT", False), ("POST", False)]
)
def test_a_request_that_changes_something_is_not_sent_again_on_its_own(method: str, is_sent_again: bool) -> None:
    """A PUT without a body commits an upload: the server may have done it before it hung up."""

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer())
        read_head(opened)

    def answers(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer())

    with WireServer(play, answers) as server, make_transport() as transport:
        fetch(transport, make_request(server.host))
        with nullcontext() if is_sent_again else pytest.raises(NetworkError):
            fetch(transport, make_request(server.host, method=method))
    assert server.connections == 1 + is_sent_again


def test_a_fresh_connection_that_is_cut_is_an_error() -> None:
    with WireServer(read_head) as server, make_transport() as transport, pytest.raises(NetworkError) as raised:
        fetch(transport, make_request(server.host))
    assert server.host in raised.value.message
    assert server.connections == 1


def test_an_answer_cut_short_is_a_network_error() -> None:
    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")

    with WireServer(play) as server, make_transport() as transport, pytest.raises(NetworkError, match="cut off"):
        fetch(transport, make_request(server.host))


def test_a_server_that_says_nothing_times_out() -> None:
    with (
        WireServer(lambda opened: (read_head(opened), read_head(opened))) as server,
        make_transport() as transport,
        pytest.raises(NetworkError, match="timed out"),
    ):
        fetch(transport, make_request(server.host), Waits(5, 5, 0.05))


@pytest.mark.parametrize(
    ("first", "rest"),
    [(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), (b"HTTP/1.1 200 OK\r\nX: ", b"y"), (b"", b"H")],
    ids=["interim answers", "a header", "a status line"],
)
def test_a_head_that_never_ends_times_out(first: bytes, rest: bytes) -> None:
    """Each byte comes in time."""

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(first)
        while True:
            opened.sendall(rest)
            time.sleep(0.01)

    with WireServer(play) as server, make_transport() as transport:
        begun = time.monotonic()
        with pytest.raises(NetworkError, match="timed out"):
            fetch(transport, make_request(server.host), Waits(5, 5, 0.2))
        assert time.monotonic() - begun < 2


def test_a_proxys_tunnel_that_never_opens_times_out() -> None:
    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            opened.sendall(b"X: y\r\n")
            time.sleep(0.01)

    with WireServer(play) as proxy, make_transport(https_proxy=f"http://{proxy.host}") as transport:
        request = make_request("registry.example", scheme="https")
        with pytest.raises(NetworkError, match="timed out"):
            fetch(transport, request, Waits(0.2, 5, 5))


def test_a_body_may_take_longer_than_a_head() -> None:
    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8000\r\n\r\n")
        for _ in range(8):
            time.sleep(0.05)
            opened.sendall(b"x" * 1000)

    with WireServer(play) as server, make_transport() as transport:
        assert fetch(transport, make_request(server.host), Waits(5, 5, 0.2)).content == b"x" * 8000


@pytest.mark.parametrize("framing", [b"Content-Length: 1000000", b"Transfer-Encoding: chunked"])
def test_a_body_that_trickles_times_out(framing: bytes) -> None:
    """BLB-10: each byte comes in time, and the whole never would."""

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        while True:
            opened.sendall(b"1\r\nx\r\n")
            time.sleep(0.05)

    slow = pytest.raises(NetworkError, match=r"timed out: [0-9]+ bytes came in")
    with WireServer(play) as server, make_transport() as transport, slow as raised:
        fetch(transport, make_request(server.host), Waits(5, 5, 0.4))
    assert raised.value.is_transient


def test_a_connection_whose_body_failed_is_not_used_again() -> None:
    """BLB-10: the rest of that body would be read as the next answer."""

    def trickle(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(3):
            time.sleep(0.06)
            opened.sendall(b"x")
        read_head(opened)

    def reply(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer(b"other"))

    with WireServer(trickle, reply) as server, make_transport() as transport:
        with pytest.raises(NetworkError):
            fetch(transport, make_request(server.host), Waits(5, 5, 0.1))
        assert fetch(transport, make_request(server.host), Waits(5, 5, 0.5)).content == b"other"
        assert server.connections == 2


def test_a_body_may_wait_for_who_reads_it() -> None:
    """BLB-10: a slow destination does not make a slow source."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.1)
        with closing(PacedAnswer(ours, "GET")) as paced:
            theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
            paced.begin()
            for letter in (b"x", b"y", b"z"):
                time.sleep(0.11)
                theirs.sendall(letter)
                assert paced.read(1) == letter


def answers_and_reads_on(opened: socket.socket) -> None:
    read_head(opened)
    opened.sendall(answer(b"too large", "413 Content Too Large", "Connection: close"))
    opened.shutdown(socket.SHUT_WR)
    while opened.recv(1 << 20):
        continue


def answers_and_hangs_up(opened: socket.socket) -> None:
    read_head(opened)
    opened.sendall(answer(b"too large", "413 Content Too Large", "Connection: close"))


@pytest.mark.parametrize("play", [answers_and_reads_on, answers_and_hangs_up])
def test_a_refusal_in_the_middle_of_a_body_is_read(play: Play) -> None:
    with WireServer(play) as server, make_transport() as transport:
        pieces = (b"x" * 65536 for _ in range(256))
        headers = {"Content-Length": str(256 * 65536)}
        request = make_request(server.host, method="PATCH", body=pieces, headers=headers)
        assert fetch(transport, request).status == 413


def test_no_more_is_read_of_an_error_than_is_shown() -> None:
    """ERR-01."""

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 100000000\r\n\r\n")
        while True:
            opened.sendall(b"x" * 65536)

    with WireServer(play) as server, make_transport() as transport:
        assert len(fetch(transport, make_request(server.host)).content) == MAX_ERROR_BYTES


def test_an_encoded_answer_is_left_as_it_came() -> None:
    """BLB-05."""

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer(b"not really gzip", "200 OK", "Content-Encoding: gzip"))

    with WireServer(play) as server, make_transport() as transport:
        assert fetch(transport, make_request(server.host)).content == b"not really gzip"


def test_what_is_no_http_is_a_protocol_error() -> None:
    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 two hundred\r\n\r\n")

    with WireServer(play) as server, make_transport() as transport, pytest.raises(ProtocolError):
        fetch(transport, make_request(server.host))


def test_a_header_with_a_line_break_is_not_sent() -> None:
    with WireServer(read_head) as server, make_transport() as transport, pytest.raises(ProtocolError):
        fetch(transport, make_request(server.host, headers={"Authorization": "Bearer a\r\nX: y"}))


def test_shutting_down_wakes_a_thread_that_waits_for_an_answer() -> None:
    waiting = threading.Event()

    def play(opened: socket.socket) -> None:
        read_head(opened)
        waiting.set()
        opened.recv(1)

    outcomes: list[BaseException | None] = []

    def ask(transport: Transport, host: str) -> None:
        try:
            fetch(transport, make_request(host), Waits(5, 5, 30))
        except NetworkError as error:
            outcomes.append(error)

    with WireServer(play) as server, make_connections() as connections:
        transport = Transport(connections)
        thread = threading.Thread(target=ask, args=(transport, server.host))
        thread.start()
        assert waiting.wait(5)
        connections.shutdown()
        thread.join(5)
        assert not thread.is_alive()
        assert len(outcomes) == 1
        with pytest.raises(NetworkError):
            fetch(transport, make_request(server.host))


def test_shutting_down_wakes_a_thread_that_waits_for_a_connection() -> None:
    """A listener whose queue is full leaves the next one waiting for its handshake."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    fillers = [socket.socket() for _ in range(4)]
    outcomes: list[NetworkError] = []

    def ask(transport: Transport) -> None:
        try:
            fetch(transport, make_request(host))
        except NetworkError as error:
            outcomes.append(error)

    try:
        for filler in fillers:
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        with make_connections() as connections:
            thread = threading.Thread(target=ask, args=(Transport(connections),))
            thread.start()
            time.sleep(0.1)
            begun = time.monotonic()
            connections.shutdown()
            thread.join(10)
            assert time.monotonic() - begun < 2
            assert len(outcomes) == 1
    finally:
        for opened in (*fillers, listener):
            opened.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def make_secure(authority: trustme.CA, name: str, body: bytes = b"secret") -> WireServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)

    def play(opened: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(opened, server_side=True) as secure:
            read_head(secure)
            secure.sendall(answer(body))

    return WireServer(play)


def test_a_certificate_of_a_trusted_authority_is_taken(authority: trustme.CA, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    with make_secure(authority, "127.0.0.1") as server, make_transport(Tls(ca=ca)) as transport:
        assert fetch(transport, make_request(server.host, scheme="https")).content == b"secret"
    with make_secure(authority, "127.0.0.1") as server, make_transport(SSL_CERT_FILE=str(ca)) as transport:
        assert fetch(transport, make_request(server.host, scheme="https")).content == b"secret"


@pytest.mark.parametrize("name", ["127.0.0.1", "other.example"])
def test_a_certificate_that_is_not_trusted_or_of_another_name_is_an_error(
    authority: trustme.CA, tmp_path: Path, name: str
) -> None:
    """ERR-03."""
    ca = tmp_path / "ca.pem"
    (authority if name != "127.0.0.1" else trustme.CA()).cert_pem.write_to_path(ca)
    with (
        make_secure(authority, name) as server,
        make_transport(Tls(ca=ca)) as transport,
        pytest.raises(TlsError, match="certificate"),
    ):
        fetch(transport, make_request(server.host, scheme="https"))


def test_insecure_takes_any_certificate(authority: trustme.CA) -> None:
    with make_secure(authority, "x") as server, make_transport(Tls(TlsMode.INSECURE)) as transport:
        assert fetch(transport, make_request(server.host, scheme="https")).content == b"secret"


def test_a_server_without_tls_is_refused_with_the_lines_to_add() -> None:
    """ERR-03: never answered by plain HTTP."""

    def play(opened: socket.socket) -> None:
        opened.recv(65536)
        opened.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with (
        WireServer(play) as server,
        make_transport() as transport,
        pytest.raises(TlsError, match="plain HTTP") as raised,
    ):
        fetch(transport, make_request(server.host, scheme="https"))
    assert raised.value.hint is not None
    assert f"registries:\n  {server.host}:\n    tls: disabled" in raised.value.hint


def test_a_certificate_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    (tmp_path / "junk.pem").write_text("junk")
    for tls in (Tls(ca=missing), Tls(certificate=missing), Tls(certificate=tmp_path / "junk.pem")):
        with make_transport(tls) as transport, pytest.raises(TlsError, match=r"none\.pem|junk\.pem"):
            fetch(transport, make_request("127.0.0.1:1", scheme="https"))


def test_plain_requests_go_to_the_proxy_with_the_whole_address() -> None:
    """SEC-04."""
    heads: list[bytes] = []

    def play(opened: socket.socket) -> None:
        heads.append(read_head(opened))
        opened.sendall(answer(b"by proxy"))

    with WireServer(play) as proxy, make_transport(http_proxy=f"http://u:p@{proxy.host}") as transport:
        assert fetch(transport, make_request("registry.example", "/v2/?a=|")).content == b"by proxy"
    assert heads[0].startswith(b"GET http://registry.example/v2/?a=| HTTP/1.1\r\n")
    assert b"\r\nproxy-authorization: basic dtpw" in heads[0].lower()


def test_secure_requests_go_through_a_tunnel(authority: trustme.CA, tmp_path: Path) -> None:
    """SEC-04: the proxy sees the host and its own login, nothing else."""
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("registry.example").configure_cert(context)
    heads: list[bytes] = []

    def play(opened: socket.socket) -> None:
        heads.append(read_head(opened))
        opened.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with suppress(OSError), context.wrap_socket(opened, server_side=True) as secure:
            heads.append(read_head(secure))
            secure.sendall(answer(b"tunnelled"))

    with WireServer(play) as proxy, make_transport(Tls(ca=ca), https_proxy=f"http://u:p@{proxy.host}") as transport:
        assert fetch(transport, make_request("registry.example", scheme="https")).content == b"tunnelled"
    assert heads[0].startswith(b"CONNECT registry.example:443 ")
    assert b"Proxy-Authorization" in heads[0]
    assert b"proxy-authorization" not in heads[1].lower()


def passes_on(source: socket.socket, destination: socket.socket) -> threading.Thread:
    """Write whatever comes out of one socket into another, until it ends."""

    def run() -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                destination.sendall(piece)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("host", ["registry.example", "registry.example."])
def test_a_proxy_may_speak_tls_itself_and_an_absolute_name_is_the_certificates(
    authority: trustme.CA, tmp_path: Path, host: str
) -> None:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    heads: list[bytes] = []

    def play(opened: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(opened, server_side=True) as outer:
            heads.append(read_head(outer))
            outer.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            with socket.create_connection(("127.0.0.1", int(registry.host.partition(":")[2]))) as inner:
                back = passes_on(inner, outer)
                passes_on(outer, inner).join()
                inner.shutdown(socket.SHUT_RDWR)
                back.join()

    with make_secure(authority, "registry.example") as registry, WireServer(play) as proxy:
        environment = {"https_proxy": f"https://{proxy.host}", "SSL_CERT_FILE": str(ca)}
        with make_transport(**environment) as transport:
            assert fetch(transport, make_request(host, scheme="https")).content == b"secret"
    assert heads[0].startswith(f"CONNECT {host}:443 ".encode())


def test_a_tunnel_to_an_address_of_six_has_brackets() -> None:
    heads: list[bytes] = []

    def play(opened: socket.socket) -> None:
        heads.append(read_head(opened))

    with (
        WireServer(play) as proxy,
        make_transport(https_proxy=f"http://{proxy.host}") as transport,
        pytest.raises(NetworkError),
    ):
        fetch(transport, make_request("[2001:db8::5]", scheme="https"))
    assert heads[0].startswith(b"CONNECT [2001:db8::5]:443 ")


def test_a_probe_reads_no_authorities(authority: trustme.CA, tmp_path: Path) -> None:
    """They cost more than all else that is done before the first request."""
    with make_secure(authority, "127.0.0.1") as server:
        connections = Connections({"SSL_CERT_FILE": str(tmp_path / "none.pem")}, lambda _origin: Tls())
        assert connections.speaks_tls(Origin.of("https", server.host))


def test_a_proxy_that_refuses_is_a_network_error() -> None:
    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

    with (
        WireServer(play) as proxy,
        make_transport(https_proxy=f"http://{proxy.host}") as transport,
        pytest.raises(NetworkError, match="407"),
    ):
        fetch(transport, make_request("registry.example", scheme="https"))


def probe(server: WireServer) -> bool:
    connections = Connections({}, lambda _origin: Tls())
    return connections.speaks_tls(Origin.of("https", server.host))


def test_a_probe_tells_tls_from_plain_http(authority: trustme.CA) -> None:
    with make_secure(authority, "127.0.0.1") as secure:
        assert probe(secure), "a certificate that is not trusted is TLS too"
    with WireServer(lambda opened: opened.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as plain:
        assert not probe(plain)
    with WireServer(lambda opened: opened.close()) as closing:
        assert not probe(closing)


def test_a_server_that_does_not_answer_a_handshake_is_taken_for_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesync.registry.connection.PROBE_SECONDS", 0.05)
    with WireServer(lambda opened: (opened.recv(65536), opened.recv(65536))) as silent:
        assert not probe(silent)


def foreign_errors(module: ModuleType) -> list[type[BaseException]]:
    classes = [found for _, found in inspect.getmembers(module, inspect.isclass)]
    return [found for found in classes if issubclass(found, Exception) and not issubclass(found, Warning)]


@pytest.mark.parametrize("module", [head_lines, ssl], ids=lambda module: module.__name__)
def test_no_error_of_a_library_below_is_left_unmapped(module: ModuleType) -> None:
    unmapped = [
        found.__name__
        for found in foreign_errors(module)
        if class_for(found) is None and found.__module__.partition(".")[0] in ("imagesync", "ssl")
    ]
    assert unmapped == []


def test_an_error_of_our_own_passes_untouched() -> None:
    with pytest.raises(ZeroDivisionError), translated("host"):
        raise ZeroDivisionError
    with pytest.raises(TlsError, match="ours"), translated("host"):
        raise TlsError("ours")


def test_a_message_names_the_host_and_escapes_what_came_from_outside() -> None:
    error = translate(head_lines.BadAnswer("bad \x1b[31m line"), "registry.example")
    assert isinstance(error, StoreError)
    assert str(error) == r"registry.example does not answer as HTTP says: bad \x1b[31m line"
