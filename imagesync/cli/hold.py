"""hold: keep other releases than the present one from a stage, or end that with --release; both are on record."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from imagesync.cli.output import emit
from imagesync.cli.parser import add_run_options, add_spec_argument
from imagesync.errors import UsageError

if TYPE_CHECKING:
    from imagesync.promotion.record import Record
    from imagesync.promotion.records import Records
    from imagesync.spec.stages import Promotion, Stage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("name", metavar="NAME", help="a promotion of the spec")
    parser.add_argument("--stage", required=True, metavar="STAGE", help="the stage to hold")
    parser.add_argument("--release", action="store_true", help="end the hold that stands")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it stands in the record")
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, open_session  # noqa: PLC0415 - not for --help
    from imagesync.promotion.recording import begin  # noqa: PLC0415
    from imagesync.promotion.records import Records  # noqa: PLC0415
    from imagesync.promotion.rules import find_promotion  # noqa: PLC0415

    spec = load(arguments)
    promotion = find_promotion(spec, arguments.name)
    stage = promotion.stage(arguments.stage)
    with open_session(spec, arguments) as session:
        records = Records(promotion, session.stores)
        make = _released if arguments.release else _held
        record = make(arguments, records, (promotion, stage))
        begin(record, records.journal(stage))
    ended = "is no longer held" if arguments.release else "is held"
    emit(f"{promotion.name}/{stage.name} {ended} at {record.version}.")
    return 0


def _held(arguments: argparse.Namespace, records: Records, where: tuple[Promotion, Stage]) -> Record:
    """A hold at what the stage runs now."""
    from imagesync.cli.who import who_runs  # noqa: PLC0415 - not for --help
    from imagesync.keeping.clock import now  # noqa: PLC0415
    from imagesync.promotion.holding import make_hold  # noqa: PLC0415

    promotion, stage = where
    last = records.last(stage)
    if last is None:
        raise UsageError(
            f"nothing is on record of {promotion.name}/{stage.name}", hint="there is nothing to hold it at"
        )
    return make_hold(promotion, stage, last.version, who=who_runs(os.environ), at=now(), reason=arguments.reason)


def _released(arguments: argparse.Namespace, records: Records, where: tuple[Promotion, Stage]) -> Record:
    """The end of the hold that stands."""
    from imagesync.cli.who import who_runs  # noqa: PLC0415 - not for --help
    from imagesync.keeping.clock import now  # noqa: PLC0415
    from imagesync.promotion.holding import make_release  # noqa: PLC0415

    promotion, stage = where
    hold = records.hold(stage)
    if hold is None:
        raise UsageError(f"{promotion.name}/{stage.name} is not held", hint="there is nothing to release")
    return make_release(hold, who=who_runs(os.environ), at=now(), reason=arguments.reason)
