"""version: print the version of imagesync."""

from __future__ import annotations

import argparse

from imagesync import __version__
from imagesync.cli.output import emit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command takes its arguments
    emit(f"imagesync {__version__}")
    return 0
