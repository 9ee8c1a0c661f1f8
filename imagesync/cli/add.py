"""add: put an image into a spec; comments and order are kept."""

from __future__ import annotations

import argparse

from imagesync.cli.output import notify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", metavar="REFERENCE", help="the image, as `docker pull` takes it")
    parser.add_argument("--spec", default="sync.yaml", metavar="SPEC", help="the spec to change (default: sync.yaml)")
    parser.add_argument("--destination", metavar="DESTINATION", help="for a new entry, where the spec has no default")


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.files import read_file, write_file  # noqa: PLC0415 - not for --help
    from imagesync.spec.edit import add_reference  # noqa: PLC0415

    before = read_file(arguments.spec)
    after = add_reference(before, arguments.reference, destination=arguments.destination)
    if after == before:
        notify(f"{arguments.spec} has {arguments.reference} already.")
        return 0
    write_file(arguments.spec, after)
    notify(f"Added {arguments.reference} to {arguments.spec}.")
    return 0
