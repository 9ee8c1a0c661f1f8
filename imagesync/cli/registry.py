"""registry: serve a folder of OCI layouts as a small registry, on loopback unless told otherwise."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIRECTORY", help="the folder; made when it is not there")
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=5000, help="port to listen on, 0 for a free one (default: 5000)")


def run(arguments: argparse.Namespace) -> int:
    raise AssertionError(arguments)
