"""status: show what every stage of the promotions runs, and what keeps the next release from it; exit 1 with something
incomplete."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from imagesync.cli.output import emit
from imagesync.cli.parser import add_cache_option, add_format_option, add_run_options, add_spec_argument

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagesync.cli.session import Session
    from imagesync.promotion.records import Records
    from imagesync.promotion.standing import OnRecord, StageStanding
    from imagesync.spec.stages import Promotion, Stage

    Look = Callable[[StageStanding], StageStanding]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="this promotion alone")
    parser.add_argument(
        "--no-gates", action="store_true", help="leave out what keeps the next release back: records and tags alone"
    )
    add_cache_option(parser)
    add_format_option(parser, "text", "json", "markdown")
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, open_session  # noqa: PLC0415 - not for --help
    from imagesync.promotion.rules import find_promotion, with_promotions  # noqa: PLC0415
    from imagesync.promotion.standing import exit_code_of  # noqa: PLC0415
    from imagesync.report.stages import render_stages  # noqa: PLC0415

    spec = load(arguments)
    promotions = (find_promotion(spec, arguments.name),) if arguments.name else with_promotions(spec)
    look_of = _at_records if arguments.no_gates else _at_gates
    with open_session(spec, arguments) as session:
        found = [one for promotion in promotions for one in _standings(session, promotion, look_of)]
    emit(render_stages(found, spec.name, form=arguments.format))
    return exit_code_of(found)


def _standings(
    session: Session, promotion: Promotion, look_of: Callable[[Session, Promotion, Records], Look]
) -> tuple[StageStanding, ...]:
    """From the registries alone: each journal's list, at most three records a stage, and a HEAD for each image; then
    what a look adds to each stage."""
    from imagesync.cli.heads import heads_of  # noqa: PLC0415 - not for --help
    from imagesync.promotion.records import Records  # noqa: PLC0415
    from imagesync.promotion.standing import standings_of, tags_to_read  # noqa: PLC0415

    records = Records(promotion, session.stores)
    on_record = _on_record(promotion, records)
    tags = tuple(dict.fromkeys(tags_to_read(promotion, on_record).values()))
    look = look_of(session, promotion, records)
    return tuple(look(standing) for standing in standings_of(promotion, on_record, heads_of(session, tags)))


def _at_records(session: Session, promotion: Promotion, records: Records) -> Look:  # noqa: ARG001 - as `_at_gates`
    """Adds whether the next release comes by itself."""
    from imagesync.cli.upcoming import or_unknown, with_due  # noqa: PLC0415 - not for --help

    return lambda standing: or_unknown(standing, partial(with_due, promotion, records, standing))


def _at_gates(session: Session, promotion: Promotion, records: Records) -> Look:
    from imagesync.cli.upcoming import Outlook  # noqa: PLC0415 - not with --no-gates

    return Outlook(session, promotion, records).of


def _on_record(promotion: Promotion, records: Records) -> dict[str, OnRecord]:
    from imagesync.promotion.standing import OnRecord  # noqa: PLC0415 - not for --help

    first, *others = promotion.stages
    return {first.name: OnRecord(), **{stage.name: _of_stage(stage, records) for stage in others}}


def _of_stage(stage: Stage, records: Records) -> OnRecord:
    """What is wrong with the records of one stage is told of that, and ends nothing."""
    from imagesync.errors import InvalidManifest, StoreError  # noqa: PLC0415 - not for --help
    from imagesync.promotion.standing import OnRecord  # noqa: PLC0415

    try:
        return OnRecord(records.last(stage), records.begun(stage), records.hold(stage))
    except (StoreError, InvalidManifest) as error:
        return OnRecord(error=error)
