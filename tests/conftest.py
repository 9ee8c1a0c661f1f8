"""Fixtures that all tests share: registries on loopback, certificates for them, and a cloud."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import hypothesis
import pytest
import trustme

from imagesync.cancellation import Cancellation
from imagesync.log import Level, log
from imagesync.server.auth import Auth
from imagesync.server.serve import ServerTls
from tests.fakes.aws import FakeAws
from tests.fakes.registry import FakeRegistry

pytest_plugins = ["tests.leaks"]

# No test asserts a time, on a machine that others use at the same time least of all.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@dataclass(frozen=True)
class Certificates:
    """PEM files: a CA, a server certificate for localhost and 127.0.0.1, and a client certificate with its key."""

    ca: Path
    server: ServerTls
    client: Path
    client_key: Path

    @property
    def server_for_clients(self) -> ServerTls:
        """A server that asks for the client certificate."""
        return ServerTls(self.server.certificate, self.server.key, client_ca=self.ca)


class MakeRegistry(Protocol):
    """Starts a FakeRegistry that is stopped after the test."""

    def __call__(self, *, tls: ServerTls | None = None, auth: Auth | None = None) -> FakeRegistry: ...


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    """No test writes where the one before it did: that stream may be closed."""
    yield
    log.configure(Level.WARNING)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries take no time."""
    monkeypatch.setattr(Cancellation, "wait", lambda self, _seconds: self.check())


@pytest.fixture
def make_registry() -> Iterator[MakeRegistry]:
    with ExitStack() as stack:

        def make(*, tls: ServerTls | None = None, auth: Auth | None = None) -> FakeRegistry:
            return stack.enter_context(FakeRegistry(tls=tls, auth=auth))

        yield make


@pytest.fixture
def registry(make_registry: MakeRegistry) -> FakeRegistry:
    """A registry in plain HTTP that asks for no login."""
    return make_registry()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """AWS, and an environment in which botocore finds nothing else: it reads that of the process."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "ACTIONS_ID_TOKEN_"))]:
        monkeypatch.delenv(name)
    with FakeAws() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    server = authority.issue_cert("localhost", "127.0.0.1", "::1")
    client = authority.issue_cert("client@example.org")
    made = Certificates(
        folder / "ca.pem",
        ServerTls(folder / "server.pem", folder / "server.key"),
        folder / "client.pem",
        folder / "client.key",
    )
    authority.cert_pem.write_to_path(str(made.ca))
    for issued, certificate, key in (
        (server, made.server.certificate, made.server.key),
        (client, made.client, made.client_key),
    ):
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
    return made
