"""Names and passwords that machines are given, with `$`, `+`, braces and line ends in them, reach a registry as they
are, whichever way they come."""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path

import pytest

from imagesync.server.auth import BasicAuth, TokenAuth
from tests.cli.command import Cli, Mirror, Ran
from tests.conftest import MakeRegistry

KEY = json.dumps({"type": "service_account", "private_key": "-----BEGIN\n$HOME ${HOME} $$\n"}, indent=2)
ROBOTS = [
    ("team+mirror", "QUAY$ROBOT$$TOKEN"),
    ("robot$proj+name", "${HOME}-$x-${file:/etc/passwd}"),
    ("_json_key", KEY),
    ("_json_key_base64", base64.b64encode(KEY.encode()).decode()),
    ("00000000-0000-0000-0000-000000000000", "eyJ.refresh:token.x"),
    ("gitlab-ci-token", "glcbt-64_$a"),
]


@pytest.fixture(params=ROBOTS, ids=lambda robot: robot[0])
def robot(request: pytest.FixtureRequest) -> tuple[str, str]:
    name, password = request.param
    return name, password


@pytest.fixture
def mirror(cli: Cli, make_registry: MakeRegistry, robot: tuple[str, str]) -> Mirror:
    """Registries that let this robot in, and nobody else: one is sent the login itself, the other a token for it."""
    users = dict([robot])
    return Mirror(cli, make_registry(auth=BasicAuth(users)), make_registry(auth=TokenAuth(users)))


def check(mirror: Mirror, login: dict[str, str] | None = None) -> Ran:
    hosts = (mirror.source.host, mirror.destination.host) if login else ()
    return mirror.cli("auth", "check", mirror.spec(registries={host: json.dumps({"auth": login}) for host in hosts}))


def config() -> Path:
    path = Path(os.environ["DOCKER_CONFIG"]) / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_from_the_environment(mirror: Mirror, robot: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBOT_NAME", robot[0])
    monkeypatch.setenv("ROBOT_PASSWORD", robot[1])
    assert check(mirror, {"username": "${ROBOT_NAME}", "password": "${secret:ROBOT_PASSWORD}"}).code == 0


def test_from_a_file(mirror: Mirror, robot: tuple[str, str]) -> None:
    Path("password").write_text(f"{robot[1]}\n", encoding="utf-8")
    ran = check(mirror, {"username": robot[0], "password": "${file:password}"})
    assert (ran.code, ran.out.count("ok "), robot[1] in ran.text) == (0, 2, False)


def test_from_the_spec_itself_where_two_dollars_before_a_brace_write_one(
    mirror: Mirror, robot: tuple[str, str]
) -> None:
    assert check(mirror, {"username": robot[0], "password": robot[1].replace("${", "$${")}).code == 0


def test_from_dockers_file(mirror: Mirror, robot: tuple[str, str]) -> None:
    auth = base64.b64encode(":".join(robot).encode()).decode()
    hosts = (mirror.source.host, mirror.destination.host)
    config().write_text(json.dumps({"auths": {host: {"auth": auth} for host in hosts}}))
    assert check(mirror).code == 0


def test_from_a_login(mirror: Mirror, robot: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for host in (mirror.source.host, mirror.destination.host):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{robot[1]}\n"))
        assert mirror.cli("login", host, "-u", robot[0], "--password-stdin").code == 0
    ran = check(mirror)
    assert (ran.code, ran.out.count("config.json auths")) == (0, 2)
