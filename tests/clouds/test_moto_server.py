"""ECR's logins against moto's server, which others wrote: the SDK's own HTTP, the whole search, and a registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from imagesync.registry.client import WIRE_HOSTS
from imagesync.server.auth import BasicAuth
from tests.cli.command import Cli
from tests.conftest import MakeRegistry
from tests.fakes.aws import FakeAws
from tests.fakes.registry import FakeRegistry

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com"
PASSWORD = f"{ACCOUNT}-auth-token"
"""What moto's GetAuthorizationToken gives out for an account."""
ROLE = f"arn:aws:iam::{ACCOUNT}:role/mirror"
IN_ROLE = f"{{ecr: {{role: '{ROLE}'}}}}"


@pytest.fixture
def moto(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of `aws`, with moto in its place."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    yield
    server.stop()
    assert aws.asked == []


@pytest.fixture
def ecr(moto: None, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    """A registry that takes the login that moto makes, and is called as one of Amazon's."""
    registry = make_registry(auth=BasicAuth({"AWS": PASSWORD}))
    monkeypatch.setitem(WIRE_HOSTS, HOST, registry.host)
    return registry


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(capsys)


def spec(cli: Cli, auth: str) -> str:
    return cli.file(f"""\
        version: 1
        registries:
          {HOST}: {{tls: disabled, auth: {auth}}}
        sync:
          - source: {HOST}
            destination: oci:mirror
            images:
              - app:1
        """)


@pytest.mark.parametrize(
    ("auth", "whose"),
    [("default", "credentials by env"), ("ecr", "credentials by env"), (IN_ROLE, f"role {ROLE}")],
)
def test_a_login_that_amazons_library_gets_from_moto_opens_the_registry(
    ecr: FakeRegistry, cli: Cli, auth: str, whose: str
) -> None:
    ran = cli("auth", "check", spec(cli, auth))
    assert ran.out.startswith(f"ok {HOST}/app (pull): Amazon ECR, {whose}, basic, renewed in ")
    assert (ran.code, PASSWORD in ran.text) == (0, False)
    assert [entry.status for entry in ecr.log.entries("GET", "tags/list")] == [401, 404]


def test_a_login_of_amazons_that_the_registry_refuses_is_told_with_the_actions_it_needs(
    moto: None, cli: Cli, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry(auth=BasicAuth({"AWS": "of another account"}))
    monkeypatch.setitem(WIRE_HOSTS, HOST, registry.host)
    ran = cli("auth", "check", spec(cli, IN_ROLE))
    assert (ran.code, PASSWORD in ran.text, "check user" in ran.text) == (1, False, False)
    assert "the identity of this login needs ecr:BatchGetImage" in ran.out
    assert f"(used Amazon ECR, role {ROLE}, basic)" in ran.out
