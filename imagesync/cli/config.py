"""config: print the effective values of a spec; each with the line that it came from, and without secrets."""

from __future__ import annotations

import argparse
import os

from imagesync.cli.output import emit
from imagesync.cli.parser import add_spec_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("--explain", metavar="ENTRY/IMAGE", help="only this entry or image")


def run(arguments: argparse.Namespace) -> int:
    from imagesync.spec.explain import explain, render  # noqa: PLC0415 - not for --help

    emit(render(explain(arguments.spec, environment=os.environ, name=arguments.explain)))
    return 0
