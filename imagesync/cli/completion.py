"""completion: print a completion script for a shell; `source <(imagesync completion bash)`."""

from __future__ import annotations

import argparse

from imagesync.cli.output import emit

SHELLS = ("bash", "zsh", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(arguments: argparse.Namespace) -> int:
    import shtab  # noqa: PLC0415 - not for --help

    from imagesync.cli.parser import build_parser  # noqa: PLC0415 - parser imports this module

    emit(shtab.complete(build_parser(), shell=arguments.shell))
    return 0
