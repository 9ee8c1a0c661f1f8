"""adopt: take ownership of what stands at the destinations already; nothing is pushed, only the state is written."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from imagesync.cli.drift import emit_standings, read_standings, with_state
from imagesync.cli.locking import add_lock_options
from imagesync.cli.parser import add_format_option, add_run_options, add_selection_options, add_spec_argument

if TYPE_CHECKING:
    from imagesync.plan.standing import Standing, Standings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument(
        "--differing", action="store_true", help="also tags with another digest than the source has, as they are"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be adopted, and write nothing")
    add_format_option(parser, "text", "json", "markdown")
    add_selection_options(parser)
    add_lock_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.remembering import open_memory  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import load, open_session, shown_progress  # noqa: PLC0415
    from imagesync.transfer.meter import Meter  # noqa: PLC0415

    spec = with_state(load(arguments), "adopt")
    with open_session(spec, arguments) as session:
        memory = open_memory(session)
        if not arguments.dry_run:
            memory.begin()
        with shown_progress(arguments, session, Meter()):
            found = read_standings(session, memory.known)
        adopted = _adoptable(found, arguments.differing)
        if not arguments.dry_run:
            memory.adopted(adopted)
    _show(arguments, found, adopted)
    return memory.settled(_exit_code(found))


def _adoptable(found: Standings, differing: bool) -> tuple[Standing, ...]:
    from imagesync.plan.standing import DIFFERING, Kind  # noqa: PLC0415 - not for --help

    return found.of({Kind.FOUND} | (DIFFERING if differing else frozenset()))


def _exit_code(found: Standings) -> int:
    from imagesync.plan.standing import UNREADABLE_EXIT_CODE, Kind  # noqa: PLC0415 - not for --help

    return UNREADABLE_EXIT_CODE if found.of({Kind.UNREADABLE}) else 0


def _show(arguments: argparse.Namespace, found: Standings, adopted: tuple[Standing, ...]) -> None:
    from imagesync.plan.standing import DIFFERING, Kind  # noqa: PLC0415 - not for --help
    from imagesync.report.standing_json import standings_to_json  # noqa: PLC0415
    from imagesync.report.standing_text import adoption_sentence  # noqa: PLC0415

    told = found.of(DIFFERING | {Kind.FOUND, Kind.UNREADABLE})
    as_json = standings_to_json(found, adopted=adopted, exit_code=_exit_code(found))
    emit_standings(arguments.format, told, as_json, adoption_sentence(found, adopted, is_done=not arguments.dry_run))
