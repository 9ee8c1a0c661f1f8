"""What a command imports: each name here costs tens to hundreds of milliseconds. No time is asserted."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from imagesync.cli.parser import COMMANDS
from tests.cli.command import Mirror

SLOW = {"urllib3", "jsonschema", "rich", "asyncio", "yaml", "structlog", "cheroot", "ssl", "dataclasses", "inspect"}
UNUSED = {
    *("urllib3", "jsonschema", "rich", "asyncio", "structlog", "cheroot", "pygments", "logging", "email", "http"),
    *("botocore", "google", "azure", "requests", "dataclasses", "inspect", "ast"),
}
"""What a run without a terminal, a mistake or a layout never needs."""
SELDOM = {"concurrent", "tarfile", "difflib", "statistics", "importlib.metadata", "subprocess"}
OURS_SELDOM = {
    *("imagesync.layout", "imagesync.archive", "imagesync.cache", "imagesync.clouds"),
    *("imagesync.signature", "imagesync.promotion", "imagesync.audit", "imagesync.server"),
    *("imagesync.spec.stages", "imagesync.spec.promotions", "imagesync.spec.checks", "imagesync.gates.soak"),
    *("imagesync.gates.combined", "imagesync.plan.together", "imagesync.plan.leftovers", "imagesync.plan.targets"),
    *("imagesync.plan.pruning", "imagesync.plan.findings", "imagesync.plan.judgement", "imagesync.plan.file"),
    *("imagesync.report.github", "imagesync.report.markdown", "imagesync.report.audit_text", "imagesync.report.json"),
}
"""Of ours, what a spec without gates, promotions, a state or files has no use for."""


def _imported(*arguments: str) -> set[str]:
    """The modules that a command imports and their packages, as a process whose streams are no terminal."""
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
    modules = {line.rpartition("|")[2].strip() for line in lines}
    assert "imagesync" in modules
    return modules | {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize("arguments", [("--help",), ("plan", "--help"), ("apply", "--help"), ("version",)])
def test_help_loads_nothing_slow(arguments: tuple[str, ...]) -> None:
    assert not _imported(*arguments) & SLOW


def test_a_good_spec_is_validated_without_jsonschema_and_without_a_client(mirror: Mirror) -> None:
    found = _imported("validate", mirror.spec())
    assert "yaml" in found
    assert not found & (UNUSED | SELDOM | OURS_SELDOM | {"ssl"})


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_run_without_a_terminal_loads_only_what_it_needs(mirror: Mirror, command: str) -> None:
    mirror.fill("1")
    found = _imported(command, mirror.spec())
    assert "ssl" in found
    assert found & (UNUSED | SELDOM | OURS_SELDOM) == set()


def test_a_plan_loads_nothing_that_writes(mirror: Mirror) -> None:
    mirror.fill("1")
    found = _imported("plan", mirror.spec())
    assert "imagesync.survey" in found
    assert "imagesync.executor" not in found


def test_the_parser_of_a_command_loads_no_other_command() -> None:
    code = "import sys; from imagesync.cli.parser import parser_for; parser_for(['plan']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert [name for name in COMMANDS if f"imagesync.cli.{name}" in loaded.stdout.split()] == ["plan"]
