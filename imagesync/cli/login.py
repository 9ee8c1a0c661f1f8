"""login: check a login with a registry and keep it; where docker keeps its own."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from typing import TYPE_CHECKING

from imagesync.cli.output import notify
from imagesync.cli.parser import add_run_options
from imagesync.errors import UsageError

if TYPE_CHECKING:
    from imagesync.settings import Secret


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.allow_abbrev = False  # or `--password SECRET`, as docker has it, would be half of --password-stdin
    parser.add_argument("host", metavar="HOST", help="the registry, as references name it")
    parser.add_argument("-u", "--username", required=True, metavar="USER")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    parser.add_argument("--spec", metavar="SPEC", help="take TLS settings from this spec")
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.probe import probe  # noqa: PLC0415 - not for --help
    from imagesync.reference import normalise_host  # noqa: PLC0415
    from imagesync.registry.logins import save_login  # noqa: PLC0415
    from imagesync.settings import Auth, Password, Secret  # noqa: PLC0415

    host = normalise_host(arguments.host)
    secret = _password(arguments)
    login = Password(Secret.literal(arguments.username, "--username"), secret)
    probe(arguments, host, Auth(login, login))
    where = save_login(host, arguments.username, secret, os.environ)
    notify(f"Logged in to {host}; kept in {where}.")
    return 0


def _password(arguments: argparse.Namespace) -> Secret:
    from imagesync.settings import Secret  # noqa: PLC0415 - not for --help

    if arguments.password_stdin:
        secret = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    elif sys.stdin.isatty():
        secret = getpass.getpass(f"Password for {arguments.username}: ")
    else:
        raise UsageError("there is no terminal to ask for the password", hint="use --password-stdin")
    if not secret:
        raise UsageError("the password is empty")
    return Secret.literal(secret, "the given password")
