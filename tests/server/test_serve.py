"""The server on its socket: ports, TLS, many clients, and an end without delay."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import urllib3

from imagesync.errors import UsageError
from imagesync.server.app import RegistryApp
from imagesync.server.serve import Server, ServerTls
from tests.conftest import Certificates, MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.images import blob_of, make_bytes, make_image, push_image, reader
from tests.server.client import Client


def test_a_port_that_is_taken_is_an_error_with_the_address(registry: FakeRegistry, tmp_path: Path) -> None:
    port = int(registry.host.rpartition(":")[2])
    with pytest.raises(UsageError, match=f"127.0.0.1:{port}"):
        Server(RegistryApp(tmp_path), port=port).start()


def test_tls_files_that_are_none_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(UsageError, match="TLS"):
        Server(RegistryApp(tmp_path), tls=ServerTls(tmp_path / "bad.pem", tmp_path / "bad.pem")).start()


def test_a_registry_with_tls(make_registry: MakeRegistry, certificates: Certificates) -> None:
    registry = make_registry(tls=certificates.server)
    with urllib3.PoolManager(ca_certs=str(certificates.ca)) as pool:
        assert pool.request("GET", f"{registry.url}/v2/").status == 200
    with urllib3.PoolManager() as pool, pytest.raises(urllib3.exceptions.MaxRetryError, match="verify failed"):
        pool.request("GET", f"{registry.url}/v2/", retries=0)


def test_a_registry_that_asks_for_a_client_certificate(make_registry: MakeRegistry, certificates: Certificates) -> None:
    registry = make_registry(tls=certificates.server_for_clients)
    client, key = str(certificates.client), str(certificates.client_key)
    with urllib3.PoolManager(ca_certs=str(certificates.ca), cert_file=client, key_file=key) as pool:
        assert pool.request("GET", f"{registry.url}/v2/").status == 200
    with urllib3.PoolManager(ca_certs=str(certificates.ca)) as pool, pytest.raises(urllib3.exceptions.HTTPError):
        pool.request("GET", f"{registry.url}/v2/", retries=False)
    assert len(registry.log) == 1


def test_a_client_that_says_nothing_keeps_no_other_waiting(
    make_registry: MakeRegistry, certificates: Certificates
) -> None:
    registry = make_registry(tls=certificates.server)
    address, _, port = registry.host.rpartition(":")
    with socket.create_connection((address, int(port))), urllib3.PoolManager(ca_certs=str(certificates.ca)) as pool:
        assert pool.request("GET", f"{registry.url}/v2/", timeout=5, retries=False).status == 200


def test_bytes_that_are_no_http_do_no_harm(registry: FakeRegistry) -> None:
    address, _, port = registry.host.rpartition(":")
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"\0" * 100, b"GET /v2/ HTTP/9.9\r\n\r\n"):
        with socket.create_connection((address, int(port)), timeout=5) as client:
            client.sendall(garbage)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                continue
    client_after = Client(registry)
    assert client_after("GET", "/v2/").status == 200
    client_after.close()


def test_many_clients_at_once_get_what_they_asked_for(registry: FakeRegistry) -> None:
    data = make_bytes("shared", 1_000_000)
    registry.repository("a").push_blob(blob_of(data), reader(data))
    found: list[bytes] = []

    def fetch() -> None:
        client = Client(registry)
        found.extend(client("GET", f"/v2/a/blobs/{blob_of(data).digest}").body for _ in range(3))
        client.close()

    threads = [threading.Thread(target=fetch) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [data] * 72


def test_the_server_stops_soon_though_connections_are_open(make_registry: MakeRegistry) -> None:
    with FakeRegistry() as registry:
        push_image(registry.repository("a"), make_image(), "t")
        client = Client(registry)
        assert client("HEAD", "/v2/a/manifests/t").status == 200
        registry.server.stop()
        started = time.monotonic()
        registry.server.stop()
        assert time.monotonic() - started < 1
        with pytest.raises(urllib3.exceptions.HTTPError):
            client("HEAD", "/v2/a/manifests/t")
        client.close()


def test_a_registry_on_the_other_loopback_address() -> None:
    try:
        with FakeRegistry(address="::1") as registry:
            client = urllib3.PoolManager()
            assert client.request("GET", f"http://{registry.host}/v2/").status == 200
            client.clear()
    except UsageError:
        pytest.skip("this machine has no IPv6")


def test_a_registry_ends_on_an_interrupt_without_an_error_and_leaves_no_upload(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "imagesync", "registry", "-q", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        with urllib3.PoolManager(retries=urllib3.Retry(50, backoff_factor=0.02, backoff_max=0.1)) as pool:
            started = pool.request("POST", f"http://127.0.0.1:{port}/v2/a/blobs/uploads/")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    assert started.status == 202
    assert list(tmp_path.iterdir()) == []


def test_tls_is_of_this_decade(make_registry: MakeRegistry, certificates: Certificates) -> None:
    registry = make_registry(tls=certificates.server)
    address, _, port = registry.host.rpartition(":")
    context = ssl.create_default_context(cafile=str(certificates.ca))
    with (
        socket.create_connection((address, int(port))) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
    ):
        assert wrapped.version() in ("TLSv1.2", "TLSv1.3")
