"""schema: print the JSON Schema of a spec, for editors; --plan prints that of a saved plan."""

from __future__ import annotations

import argparse

from imagesync.cli.output import emit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plan", action="store_true", help="the schema of plan files instead")


def run(arguments: argparse.Namespace) -> int:
    if arguments.plan:
        from imagesync.plan.file import schema_text as plan_schema_text  # noqa: PLC0415 - not for --help

        emit(plan_schema_text())
        return 0
    from imagesync.spec.schema import schema_text  # noqa: PLC0415 - not for --help

    emit(schema_text())
    return 0
