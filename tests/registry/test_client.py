"""One registry host: retries, pauses, schemes, what a refusal says, what is sent along and what never is."""

from __future__ import annotations

import io
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import (
    AuthenticationError,
    Cancelled,
    LimitError,
    NetworkError,
    ProtocolError,
    StoreError,
    TlsError,
)
from imagesync.log import Level, log
from imagesync.reference import Tag, make_repository
from imagesync.registry import Registries
from imagesync.registry.call import Call
from imagesync.registry.client import USER_AGENT, RegistryClient
from imagesync.registry.token import Scope
from imagesync.server.auth import BasicAuth, TokenAuth
from imagesync.settings import RegistrySettings, Settings, Tls, TlsMode
from tests.conftest import Certificates, MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.registry.remote import QUICK, open_registries
from tests.registry.test_upload import make_login
from tests.registry.wire import WireServer, answer, read_head

ENVIRONMENT = {"HOME": "/nonexistent"}


def make_call(method: str = "GET", target: str = "/v2/x", *, accepted: int = 200, content: bytes = b"") -> Call:
    return Call(
        method=method,
        target=target,
        operation="ask",
        reference="host/x",
        scopes=(Scope("x", ("pull",)),),
        accepted=frozenset({accepted}),
        content=content,
    )


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(registry: FakeRegistry, status: int) -> None:
    registry.script("GET", "/x", status=status, times=1)
    registry.script("GET", "/x", status=200, body=b"ok")
    with open_registries() as registries:
        assert registries.client(registry.host).send(make_call()).body == b"ok"
    assert len(registry.log) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413])
def test_what_stays_is_asked_once(registry: FakeRegistry, status: int) -> None:
    registry.script("GET", "/x", status=status)
    with open_registries() as registries, pytest.raises(Exception, match=str(status)):
        registries.client(registry.host).send(make_call())
    assert len(registry.log) == 1


def test_a_small_body_is_sent_again_too(registry: FakeRegistry) -> None:
    registry.script("PUT", "/x", status=503, times=1)
    registry.script("PUT", "/x", status=201)
    with open_registries() as registries:
        registries.client(registry.host).send(make_call("PUT", accepted=201, content=b"manifest"))
    assert [entry.headers["Content-Length"] for entry in registry.log.entries("PUT")] == ["8", "8"]


def test_a_connection_that_is_cut_or_refused_is_tried_again() -> None:
    """ERR-04."""

    def play(opened: socket.socket) -> None:
        read_head(opened)

    def answers(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(answer(b"ok"))

    with WireServer(play, play, answers) as server, open_registries() as registries:
        assert registries.client(server.host).send(make_call()).body == b"ok"
    with open_registries() as registries, pytest.raises(NetworkError, match="refused") as raised:
        registries.client(server.host).send(make_call())
    assert not raised.value.is_transient, "its tries are used up"


def test_one_worker_told_to_wait_makes_all_of_them_wait(registry: FakeRegistry, make_registry: MakeRegistry) -> None:
    """LIM-01, LIM-02: and no other registry."""
    other = make_registry()
    for found in (registry, other):
        found.script("GET", "/x", status=429, headers={"Retry-After": "1000"}, times=1 if found is registry else 0)
        found.script("GET", "/x", status=200)
    with open_registries() as registries, ThreadPoolExecutor(4) as pool:
        client = registries.client(registry.host)
        with pytest.raises(LimitError):
            client.send_once(make_call())
        begun = time.monotonic()
        registries.client(other.host).send(make_call())
        assert time.monotonic() - begun < QUICK.longest_seconds
        list(pool.map(lambda _: client.send(make_call()), range(4)))
        assert time.monotonic() - begun > QUICK.longest_seconds * 0.8, "1000 seconds are cut to what the policy allows"


def test_cancelling_ends_a_pause(registry: FakeRegistry) -> None:
    registry.script("GET", "/x", status=503, headers={"Retry-After": "30"})
    cancellation = Cancellation()
    with open_registries(cancellation=cancellation) as registries:
        threading.Timer(0.05, cancellation.cancel).start()
        with pytest.raises(Cancelled):
            registries.client(registry.host).send(make_call())


def test_every_request_says_who_asks_and_takes_no_encoding(registry: FakeRegistry) -> None:
    registry.script(status=200, headers={"Set-Cookie": "a=b; Path=/"})
    with open_registries() as registries:
        for _ in range(2):
            registries.client(registry.host).send(make_call())
    for entry in registry.log.entries():
        assert entry.headers["User-Agent"] == USER_AGENT
        assert entry.headers["Accept-Encoding"] == "identity"
        assert "Cookie" not in entry.headers, "SEC-02"


def test_traffic_is_counted_by_host_and_kind(registry: FakeRegistry, make_registry: MakeRegistry) -> None:
    other = make_registry()
    with open_registries() as registries:
        for found in (registry, registry, other):
            found.script(status=200)
            registries.client(found.host).send(make_call("HEAD"))
        traffic = registries.traffic()
    operation = make_call("HEAD").operation
    assert {host: dict(one.requests) for host, one in traffic.items()} == {
        registry.host: {operation: 2},
        other.host: {operation: 1},
    }


def test_a_refused_login_is_named_and_not_shown(make_registry: MakeRegistry) -> None:
    """AUTH-02."""
    registry = make_registry(auth=BasicAuth({"user": "right"}))
    with open_registries((registry.host, make_login("user", "wrong-secret"))) as registries:
        client = registries.client(registry.host)
        with pytest.raises(AuthenticationError) as raised:
            client.send(make_call())
    assert "spec registries/" in str(raised.value)
    assert "wrong-secret" not in str(raised.value)
    assert not raised.value.is_refusal
    assert len(registry.log) == 2


def test_a_right_that_a_token_lacks_is_a_refusal(make_registry: MakeRegistry) -> None:
    registry = make_registry(auth=TokenAuth({"user": "secret"}))
    with open_registries((registry.host, make_login("user", "secret"))) as registries:
        client = registries.client(registry.host)
        registry.script("GET", "/x", status=403, body=b'{"errors":[{"code":"DENIED"}]}', skip=1)
        with pytest.raises(AuthenticationError) as raised:
            client.send(make_call())
    assert raised.value.is_refusal
    assert raised.value.status == 403
    assert raised.value.code == "DENIED"


def test_a_token_server_that_asks_to_wait_is_waited_for(make_registry: MakeRegistry) -> None:
    """AUTH-14."""
    registry = make_registry(auth=TokenAuth({"user": "secret"}))
    registry.script("GET", "/token", status=429, headers={"Retry-After": "0"}, times=1)
    registry.script("GET", "/token", status=503, times=1)
    with open_registries((registry.host, make_login("user", "secret"))) as registries:
        call = replace(make_call(target="/v2/x/tags/list"), accepted=frozenset({404}))
        assert registries.client(registry.host).send(call).status == 404
    assert [entry.status for entry in registry.log.entries("GET", "token")] == [429, 503, 200]


@pytest.mark.parametrize(("status", "own"), [(429, LimitError), (503, NetworkError)])
def test_a_token_server_that_is_busy_is_worth_another_attempt(
    make_registry: MakeRegistry, status: int, own: type[StoreError]
) -> None:
    """AUTH-14: for requests that are tried once, whoever copies the blob tries again."""
    registry = make_registry(auth=TokenAuth({"user": "secret"}))
    registry.script("GET", "/token", status=status, headers={"Retry-After": "0"}, times=2)
    call = replace(make_call(target="/v2/x/tags/list"), accepted=frozenset({404}))
    with open_registries((registry.host, make_login("user", "secret"))) as registries:
        client = registries.client(registry.host)
        with pytest.raises(own) as sent:
            client.send_once(call)
        with pytest.raises(own) as streamed, client.stream(call):
            pytest.fail("opened")
        assert sent.value.is_transient
        assert streamed.value.is_transient
        assert client.send_once(call).status == 404


def test_a_redirect_from_tls_to_plain_http_is_refused(make_registry: MakeRegistry, certificates: Certificates) -> None:
    """BLB-03."""
    plain = make_registry()
    secure = make_registry(tls=certificates.server)
    secure.script("GET", "/x", status=302, headers={"Location": f"{plain.url}/x"})
    settings = RegistrySettings(tls=Tls(ca=certificates.ca))
    with open_registries((secure.host, settings)) as registries, pytest.raises(ProtocolError, match="plain http"):
        registries.client(secure.host).send(make_call())
    assert len(plain.log) == 0


@pytest.mark.parametrize("is_secure", [True, False])
def test_a_loopback_host_is_taken_as_it_is(
    make_registry: MakeRegistry, certificates: Certificates, is_secure: bool
) -> None:
    """Decisions 33."""
    registry = make_registry(tls=certificates.server if is_secure else None)
    registry.script("GET", "/x", status=200)
    settings = Settings(patterns=(("*", RegistrySettings(tls=Tls(ca=certificates.ca))),))
    registries = Registries(settings, Cancellation(), environment=ENVIRONMENT, policy=QUICK)
    try:
        client = registries.client(registry.host)
        client.send(make_call())
        assert client.origin.scheme == ("https" if is_secure else "http")
    finally:
        registries.close()


def test_a_certificate_that_is_not_trusted_stays_an_error_on_loopback(
    make_registry: MakeRegistry, certificates: Certificates
) -> None:
    """ERR-03."""
    registry = make_registry(tls=certificates.server)
    registries = Registries(Settings(), Cancellation(), environment=ENVIRONMENT, policy=QUICK)
    try:
        with pytest.raises(TlsError, match="not trusted"):
            registries.client(registry.host).send(make_call())
    finally:
        registries.close()
    assert len(registry.log) == 0


def test_plain_http_elsewhere_is_refused_with_the_lines_to_add(registry: FakeRegistry) -> None:
    """ERR-03. 0.0.0.0 reaches this machine too, and is no loopback name."""
    host = f"0.0.0.0:{registry.host.partition(':')[2]}"
    registries = Registries(Settings(), Cancellation(), environment=ENVIRONMENT, policy=QUICK)
    try:
        with pytest.raises(TlsError, match="plain HTTP") as raised:
            registries.client(host).send(make_call())
    finally:
        registries.close()
    assert f"registries:\n  {host}:\n    tls: disabled" in str(raised.value)
    assert len(registry.log) == 0


def test_a_client_certificate_is_shown_to_a_server_that_asks(
    make_registry: MakeRegistry, certificates: Certificates
) -> None:
    registry = make_registry(tls=certificates.server_for_clients)
    registry.script("GET", "/x", status=200)
    tls = Tls(ca=certificates.ca, certificate=certificates.client, key=certificates.client_key)
    with open_registries((registry.host, RegistrySettings(tls=tls))) as registries:
        assert registries.client(registry.host).send(make_call()).status == 200


def test_insecure_speaks_tls_and_believes_anyone(make_registry: MakeRegistry, certificates: Certificates) -> None:
    registry = make_registry(tls=certificates.server)
    registry.script("GET", "/x", status=200)
    with open_registries((registry.host, RegistrySettings(tls=Tls(TlsMode.INSECURE)))) as registries:
        assert registries.client(registry.host).send(make_call()).status == 200


def test_docker_hub_is_spoken_to_at_its_wire_host() -> None:
    """Nothing listens at the proxy, so nothing leaves this machine: it is the tunnel's name that counts."""
    heads: list[bytes] = []

    def play(opened: socket.socket) -> None:
        heads.append(read_head(opened))

    with WireServer(play) as proxy:
        environment = {**ENVIRONMENT, "https_proxy": f"http://{proxy.host}"}
        registries = Registries(Settings(), Cancellation(), environment=environment, policy=QUICK)
        with pytest.raises(NetworkError):
            registries.repository(make_repository("docker.io", "nginx")).list_tags()
        registries.close()
    assert heads[0].startswith(b"CONNECT registry-1.docker.io:443 ")


def test_a_repository_and_a_client_are_opened_once() -> None:
    with open_registries() as registries:
        repository = make_repository("registry.example", "a/b")
        assert registries.repository(repository) is registries.repository(repository)
        assert registries.client("registry.example") is registries.client("registry.example")
        assert isinstance(registries.client("registry.example"), RegistryClient)


def test_requests_are_logged_without_their_queries(registry: FakeRegistry) -> None:
    """SEC-01."""
    registry.script(status=200)
    stream = io.StringIO()
    log.configure(Level.DEBUG, stream=stream)
    try:
        with open_registries() as registries:
            registries.client(registry.host).send(make_call(target="/v2/x?_state=secret"))
    finally:
        log.configure(Level.WARNING)
    assert f"{registry.url}/v2/x" in stream.getvalue()
    assert "secret" not in stream.getvalue()


def test_a_realm_that_is_refused_is_said_of_what_was_asked_for(registry: FakeRegistry) -> None:
    registry.script("GET", "/x", status=401, headers={"WWW-Authenticate": 'Bearer realm="file:///etc/passwd"'})
    with open_registries() as registries, pytest.raises(ProtocolError) as caught:
        registries.client(registry.host).send(make_call())
    assert str(caught.value).startswith("host/x: GET token: the registry's token realm is refused")


def test_a_token_to_read_is_for_reading_and_is_kept_nowhere(make_registry: MakeRegistry, tmp_path: Path) -> None:
    """S22: who reads gets no right to write, and no file outlives the run."""
    registry = make_registry(auth=TokenAuth({"robot": "secret"}))
    with (
        open_registries(
            (registry.host, make_login("robot", "secret")), environment={"HOME": str(tmp_path)}
        ) as registries,
        pytest.raises(StoreError),
    ):
        registries.repository(make_repository(registry.host, "a/b")).resolve(Tag("1"))
    (asked,) = registry.log.entries("GET", "/token")
    assert "scope=repository%3Aa%2Fb%3Apull&" in f"{asked.query}&"
    assert list(tmp_path.rglob("*")) == []
