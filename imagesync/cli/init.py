"""init: write a commented sync.yaml to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from imagesync.cli.output import notify
from imagesync.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", default="sync.yaml", metavar="FILE", help="the new file (default: sync.yaml)"
    )


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.files import write_file  # noqa: PLC0415 - not for --help
    from imagesync.spec.edit import initial_spec  # noqa: PLC0415

    if Path(arguments.file).exists():
        raise UsageError(f"{arguments.file} is there already", hint="`imagesync add REFERENCE` puts an image into it")
    write_file(arguments.file, initial_spec())
    notify(f"Wrote {arguments.file}. Next: imagesync plan {arguments.file}")
    return 0
