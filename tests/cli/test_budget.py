"""What a command imports: each name here costs tens to hundreds of milliseconds. No time is asserted."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.command import Mirror

SLOW = {"urllib3", "jsonschema", "fastjsonschema", "rich", "asyncio", "yaml", "structlog", "cheroot"}


def _imported(*arguments: str) -> set[str]:
    """The top-level modules that a command imports, as a process whose streams are no terminal."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "imagesync", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    found = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "imagesync" in found
    return found


@pytest.mark.parametrize("arguments", [("--help",), ("plan", "--help"), ("apply", "--help"), ("version",)])
def test_help_loads_nothing_slow(arguments: tuple[str, ...]) -> None:
    assert not _imported(*arguments) & SLOW


def test_a_good_spec_is_validated_without_jsonschema_and_without_a_client(mirror: Mirror) -> None:
    found = _imported("validate", mirror.spec())
    assert "yaml" in found
    assert not found & {"jsonschema", "urllib3", "rich", "asyncio", "structlog", "cheroot"}


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_run_without_a_terminal_loads_no_rich_no_jsonschema_and_no_asyncio(mirror: Mirror, command: str) -> None:
    mirror.fill("1")
    found = _imported(command, mirror.spec())
    assert "urllib3" in found
    assert not found & {"jsonschema", "rich", "asyncio", "structlog", "cheroot", "pygments"}
