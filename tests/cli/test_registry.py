"""registry: a process that serves until it is told to stop."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
import urllib3

from tests.cli.command import Cli, started
from tests.conftest import Certificates
from tests.fakes.registry import FakeRegistry


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_registry_says_where_it_is_serves_and_ends_when_told(number: signal.Signals) -> None:
    with started("registry", "data", "--port", "0") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        url = first.removeprefix("Serving data on ").strip()
        assert url.startswith("http://127.0.0.1:")
        with urllib3.PoolManager() as pool:
            assert pool.request("GET", f"{url}/v2/").status == 200
            assert pool.request("GET", f"{url}/v2/_catalog").json() == {"repositories": []}
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "Stopped.\n")
    assert time.monotonic() - began < 3


def test_a_registry_with_tls_and_users(cli: Cli, certificates: Certificates) -> None:
    Path("users").write_text("robot:secret\n\n")
    files = ("--certificate", str(certificates.server.certificate), "--key", str(certificates.server.key))
    with started("registry", "data", "--port", "0", *files, "--users", "users", "--auth", "token") as process:
        assert process.stdout is not None
        host = process.stdout.readline().rpartition("//")[2].strip()
        auth = "{username: robot, password: secret}"
        spec = cli.file(
            f"""\
            version: 1
            registries:
              {host}: {{tls: {{ca: {certificates.ca}}}, auth: {auth}}}
            sync:
              - source: {host}
                destination: {host}/mirror
                images:
                  - app:1
            """
        )
        assert cli("auth", "check", spec).code == 0
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--port", "99999"), "--port 99999 is not between 0 and 65535"),
        (("--port", "http"), "invalid int value: 'http'"),
        (("--key", "k.pem"), "--certificate and --key go together"),
        (("--users", "lost"), "lost cannot be read"),
        (("--users", "bad"), "bad:2: not a line of user:password"),
        (("--users", "empty"), "empty names no user"),
        (("--certificate", "bad", "--key", "bad"), "TLS"),
    ],
)
def test_what_cannot_be_served_is_a_usage_error(cli: Cli, options: tuple[str, ...], said: str) -> None:
    Path("bad").write_text("robot:secret\nrobot\n")
    Path("empty").write_text("\n")
    ran = cli("registry", "data", *options)
    assert (ran.code, said in ran.err) == (4, True), ran.err
    assert "secret" not in ran.err


def test_a_port_that_is_taken_is_told_with_the_address(cli: Cli, registry: FakeRegistry) -> None:
    ran = cli("registry", "data", "--port", registry.host.rpartition(":")[2])
    assert (ran.code, registry.host in ran.err) == (4, True)
