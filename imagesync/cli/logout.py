"""logout: forget a registry's login."""

from __future__ import annotations

import argparse
import os

from imagesync.cli.output import notify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("host", metavar="HOST", help="the registry, as references name it")


def run(arguments: argparse.Namespace) -> int:
    from imagesync.reference import normalise_host  # noqa: PLC0415 - not for --help
    from imagesync.registry.logins import forget_login  # noqa: PLC0415

    host = normalise_host(arguments.host)
    where = forget_login(host, os.environ)
    notify(f"Forgot the login of {host} in {where}." if where else f"There was no login for {host}.")
    return 0
