"""What a spec as a whole does on the command line: the smallest one, a foreign address, one full of mistakes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.cli.command import Cli, Mirror
from tests.fakes.registry import FakeRegistry
from tests.images import make_index, push_image


def test_the_smallest_spec_does_what_pull_tag_and_push_do(mirror: Mirror) -> None:
    """Five lines, registries in plain HTTP on loopback, nothing said about TLS."""
    image = push_image(mirror.source.repository("nginx"), make_index(), "latest")
    spec = mirror.cli.file(
        f"""\
        version: 1
        sync:
          - source: {mirror.source.host}
            destination: {mirror.destination.host}
            images:
              - nginx:latest
        """
    )
    assert mirror.cli("apply", spec).code == 0
    assert mirror.tags("nginx") == {"latest": image.digest}
    mirror.forget()
    assert mirror.cli("apply", spec).code == 0
    assert mirror.writes() == []
    heads = [line for line in mirror.requests() if line.startswith("HEAD")]
    assert heads == ["HEAD /v2/nginx/manifests/latest 200"] * 2


def test_another_address_of_the_loopback_range_is_loopback_too(cli: Cli, registry: FakeRegistry) -> None:
    with FakeRegistry(address="127.0.0.2") as other:
        mirror = Mirror(cli, registry, other)
        mirror.fill("1")
        assert cli("apply", mirror.spec()).code == 0
        assert set(mirror.tags()) == {"1"}


def _foreign_address() -> str:
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address = str(probe.getsockname()[0])
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    return address


def test_plain_http_at_another_address_is_refused_with_the_line_to_add(cli: Cli, registry: FakeRegistry) -> None:
    with FakeRegistry(address=_foreign_address()) as foreign:
        mirror = Mirror(cli, registry, foreign)
        image = mirror.fill("1")
        refused = cli("apply", mirror.spec())
        assert refused.code == 1
        assert "tls: disabled" in refused.out
        assert f"destination {foreign.host}/app:1" in refused.out
        assert len(foreign.log) == 0
        allowed = cli("apply", mirror.spec(registries={foreign.host: "{tls: disabled}"}))
        assert (allowed.code, mirror.tags()) == (0, {"1": image.digest})


TEN_MISTAKES = """\
version: 2
verson: 1
registries:
  localhost:5000:
    tls: sometimes
    concurrency: many
sync:
  - source: SOURCE
    destination: ${UNSET_PLACE}
    images:
      - name: redis
        tags: 1.10
      - name: redis
        tag: "7"
      - quay.io/prometheus/prometheus:v3
      - name: x
        retag: "{nope}"
      - name: y
        on_empty: maybe
"""


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "tags", "config"])
def test_ten_mistakes_are_ten_messages_and_no_request(mirror: Mirror, command: str) -> None:
    spec = mirror.cli.file(TEN_MISTAKES.replace("SOURCE", mirror.source.host))
    ran = mirror.cli(command, spec)
    assert (ran.code, ran.out) == (4, "")
    told = [line for line in ran.err.splitlines() if line.startswith("sync.yaml:")]
    assert [int(line.split(":")[1]) for line in told] == [1, 2, 5, 6, 9, 12, 14, 15, 17, 19]
    assert all(line.split(":")[2].isdigit() for line in told)
    assert ran.err.endswith("10 mistakes in the spec; nothing was touched.\n")
    for advice in ("did you mean version?", "did you mean tags?", 'quote it: "1.10"', "export UNSET_PLACE"):
        assert advice in ran.err
    assert mirror.requests() == []


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "tags", "config"])
def test_a_spec_that_is_not_there_is_named(cli: Cli, command: str) -> None:
    ran = cli(command, "lost.yaml")
    assert (ran.code, ran.out) == (4, "")
    assert "lost.yaml: cannot be read: No such file or directory" in ran.err
    assert ran.err.endswith("1 mistake in the spec; nothing was touched.\n")


def test_a_warning_of_the_spec_is_told_on_stderr_and_not_with_q(mirror: Mirror) -> None:
    spec = Path(mirror.spec("app:1", "app:1", name="twice.yaml"))
    mirror.fill("1")
    text = spec.read_text().replace(mirror.source.host, "registry-1.docker.io").replace("app:1\n      - ", "")
    spec.write_text(text)
    told, quiet = mirror.cli("validate", "twice.yaml"), mirror.cli("validate", "twice.yaml", "-q")
    assert "warning: " in told.err
    assert (told.code, quiet.code, quiet.err) == (0, 0, "")
