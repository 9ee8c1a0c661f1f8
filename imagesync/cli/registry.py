"""registry: serve a folder of OCI layouts as a small registry; on loopback unless told otherwise."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from imagesync.cli.output import emit, notify
from imagesync.errors import UsageError

if TYPE_CHECKING:
    from imagesync.server.auth import Auth
    from imagesync.server.serve import ServerTls


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIRECTORY", help="the folder; made when it is not there")
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=5000, help="port to listen on, 0 for a free one (default: 5000)")
    parser.add_argument("--certificate", metavar="FILE", help="serve TLS with this certificate and its chain (PEM)")
    parser.add_argument("--key", metavar="FILE", help="the certificate's key (PEM)")
    parser.add_argument("--users", metavar="FILE", help="demand a login: lines of user:password")
    parser.add_argument("--auth", choices=["basic", "token"], help="how --users log in (default: basic)")


def run(arguments: argparse.Namespace) -> int:
    from imagesync.server.app import RegistryApp  # noqa: PLC0415 - not for --help
    from imagesync.server.serve import Server  # noqa: PLC0415

    if not 0 <= arguments.port <= 65535:
        raise UsageError(f"--port {arguments.port} is not between 0 and 65535")
    if Path(arguments.directory).exists() and not Path(arguments.directory).is_dir():
        raise UsageError(f"{arguments.directory} is not a directory")
    app = RegistryApp(Path(arguments.directory), _auth(arguments))
    server = Server(app, address=arguments.address, port=arguments.port, tls=_tls(arguments))
    with server:
        emit(f"Serving {arguments.directory} on {server.url}")
        _flush_and_wait()
    app.close()
    return 0


def _flush_and_wait() -> None:
    """Tell whoever reads a pipe where the server is, and wait for SIGINT or SIGTERM."""
    sys.stdout.flush()
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while not stopped.wait(3600):
        pass
    notify("Stopped.")


def _tls(arguments: argparse.Namespace) -> ServerTls | None:
    from imagesync.server.serve import ServerTls  # noqa: PLC0415 - not for --help

    if bool(arguments.certificate) != bool(arguments.key):
        raise UsageError("--certificate and --key go together")
    for name in (arguments.certificate, arguments.key):
        if name and not Path(name).is_file():
            raise UsageError(f"file {name} is not there")
    return ServerTls(Path(arguments.certificate), Path(arguments.key)) if arguments.key else None


def _auth(arguments: argparse.Namespace) -> Auth | None:
    from imagesync.cli.files import read_file  # noqa: PLC0415 - not for --help
    from imagesync.server.auth import BasicAuth, TokenAuth  # noqa: PLC0415

    if not arguments.users:
        if arguments.auth:
            raise UsageError(f"--auth {arguments.auth} needs --users FILE", hint="a file with lines of user:password")
        return None
    users = {}
    for number, line in enumerate(read_file(arguments.users).splitlines(), start=1):
        user, colon, password = line.strip().partition(":")
        if line.strip() and not (user and colon and password):
            raise UsageError(f"{arguments.users}:{number}: not a line of user:password")
        users[user] = password
    users.pop("", None)
    if not users:
        raise UsageError(f"{arguments.users} names no user")
    return TokenAuth(users) if arguments.auth == "token" else BasicAuth(users)
