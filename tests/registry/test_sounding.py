"""How far one gets towards a server: each step, and what ended the way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from imagesync.errors import NetworkError
from imagesync.registry import sounding
from imagesync.registry.addresses import SocketAddress, look_up, look_up_within
from imagesync.registry.origin import Origin
from imagesync.registry.sounding import Distrust, Sounder, Sounding, Step
from imagesync.settings import Tls, TlsMode
from tests.conftest import Certificates, MakeRegistry
from tests.fakes.names import Names
from tests.fakes.registry import FakeRegistry


def sounded(origin: Origin, tls: Tls | None = None, *, names: Names | None = None, **environment: str) -> Sounding:
    sounder = Sounder(environment, lambda _origin: tls or Tls(), find=names or look_up, step_seconds=2.0)
    return sounder.sound(origin)


def https(registry: FakeRegistry, host: str = "127.0.0.1") -> Origin:
    return Origin("https", host, int(registry.host.rpartition(":")[2]))


@pytest.fixture
def secure(make_registry: MakeRegistry, certificates: Certificates) -> FakeRegistry:
    return make_registry(tls=certificates.server)


def test_all_the_way_to_a_server_nothing_is_sent(secure: FakeRegistry, certificates: Certificates) -> None:
    found = sounded(https(secure), Tls(ca=certificates.ca))
    assert (found.failed_at, found.reached, found.tls_version) == (None, "127.0.0.1", "TLSv1.3")
    assert found.certificate is not None
    assert len(secure.log) == 0


def test_a_certificate_that_is_not_trusted_is_read_all_the_same(secure: FakeRegistry) -> None:
    found = sounded(https(secure))
    assert (found.failed_at, found.distrust) == (Step.TLS, Distrust.ISSUER)
    assert found.certificate is not None
    assert "localhost" in found.certificate.names


def test_a_certificate_that_is_not_checked_is_read_too(secure: FakeRegistry) -> None:
    found = sounded(https(secure), Tls(TlsMode.INSECURE))
    assert (found.failed_at, found.certificate is not None) == (None, True)


def test_another_name_is_told_from_another_authority(secure: FakeRegistry, certificates: Certificates) -> None:
    names = Names()
    names.add("registry.example.org", ["127.0.0.1"])
    found = sounded(https(secure, "registry.example.org"), Tls(ca=certificates.ca), names=names)
    assert (found.failed_at, found.distrust) == (Step.TLS, Distrust.OTHER_NAME)


def test_plain_http_is_told_from_bad_tls(registry: FakeRegistry) -> None:
    found = sounded(https(registry))
    assert (found.failed_at, found.distrust) == (Step.TLS, Distrust.PLAIN)


def test_an_authority_that_cannot_be_read_is_said_before_the_handshake(secure: FakeRegistry, tmp_path: Path) -> None:
    found = sounded(https(secure), Tls(ca=tmp_path / "ca.pem"))
    assert (found.failed_at, "ca.pem cannot be read" in str(found.error)) == (Step.TLS, True)


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounding, "LEAST_SECONDS", 0.01)
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        sounder = Sounder({}, lambda _origin: Tls(), find=look_up, step_seconds=0.1)
        found = sounder.sound(Origin("https", "127.0.0.1", mute.getsockname()[1]))
    assert (found.failed_at, found.distrust, "timed out" in str(found.error)) == (Step.TLS, Distrust.OTHER, True)


def test_a_port_where_nobody_listens() -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        found = sounded(Origin("https", "127.0.0.1", bound.getsockname()[1]))
    assert (found.failed_at, found.ips) == (Step.CONNECTION, ("127.0.0.1",))


def test_a_proxy_is_connected_to_and_asked_for_a_tunnel(secure: FakeRegistry) -> None:
    """What answers here is no proxy: it is told so by whoever was asked."""
    environment = {"https_proxy": secure.host.replace("127.0.0.1", "http://127.0.0.1")}
    found = sounded(Origin("https", "registry.example.org", 443), **environment)
    assert (found.failed_at, found.proxy is not None) == (Step.CONNECTION, True)


def test_a_proxy_that_cannot_be_used_ends_the_way() -> None:
    found = sounded(Origin("https", "registry.example.org", 443), https_proxy="socks5://127.0.0.1:1")
    assert (found.failed_at, "use an http:// proxy" in str(found.error)) == (Step.PROXY, True)


def test_a_name_that_is_no_name_is_told() -> None:
    found = sounded(Origin("https", f"{'a' * 64}.example", 443))
    assert found.failed_at is Step.NAME


def test_a_name_server_that_says_nothing_is_not_waited_for() -> None:
    answered = threading.Event()

    def silent(_host: str, _port: int) -> Sequence[SocketAddress]:
        answered.wait()
        return ()

    with pytest.raises(NetworkError, match=r"no answer from the name server within 0\.05 s for registry\.example"):
        look_up_within(0.05, silent, Origin("https", "registry.example", 443))
    answered.set()
