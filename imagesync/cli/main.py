"""Running a command: parse, dispatch, and turn whatever is raised into a message on stderr and an exit code."""

from __future__ import annotations

import argparse
import gc
import sys

from imagesync.cli.output import complain, flush
from imagesync.cli.parser import command_module, parser_for
from imagesync.errors import ImagesyncError, InternalError
from imagesync.log import Level, log


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code."""
    try:
        parser = parser_for(arguments)
        parsed = parser.parse_args(arguments)
        if parsed.command is None:
            parser.print_help()
            return 4
        configure_log(parsed)
        command = command_module(parsed.command)
        gc.enable()
        code: int = command.run(parsed)
        flush(sys.stdout)
    except ImagesyncError as error:
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - whoever runs us at night gets a sentence; -v gets the rest
        from traceback import format_exc  # noqa: PLC0415 - for mistakes only

        complain(InternalError.of(error))
        log.debug("traceback", traceback=format_exc())
        return InternalError.exit_code
    return code


def configure_log(parsed: argparse.Namespace) -> None:
    """Set the log's level and form from the options of every command."""
    level = Level.ERROR if parsed.quiet else Level.DEBUG if parsed.verbose else Level.WARNING
    log.configure(level, as_json=parsed.log_format == "json")
