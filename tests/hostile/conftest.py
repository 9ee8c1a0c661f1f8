"""The command line's fixtures: a clean environment, a folder to stand in, and commands to run."""

from __future__ import annotations

from tests.cli.conftest import _clean_environment, cli

__all__ = ["_clean_environment", "cli"]
