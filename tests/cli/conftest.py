"""Fixtures of the command line's tests: a clean environment, a folder to stand in, and commands to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagesync.log import Level, log
from tests.cli.command import Cli, Mirror
from tests.conftest import MakeRegistry

SWAYING = {
    *("CI", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE", "XDG_RUNTIME_DIR"),
    *("REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG", "SSL_CERT_FILE", "SSL_CERT_DIR"),
}
"""Variables that change what a command does or prints."""


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No login, no CI and no color of the machine that runs the tests; a folder of the test's own."""
    for name in os.environ:
        if name in SWAYING or name.startswith(("GITHUB_", "GITLAB_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "home" / ".docker"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield
    log.configure(Level.WARNING)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


@pytest.fixture
def mirror(cli: Cli, make_registry: MakeRegistry) -> Mirror:
    """Two registries in plain HTTP on loopback, and a spec between them."""
    return Mirror(cli, make_registry(), make_registry())
