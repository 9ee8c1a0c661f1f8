"""rollback: let a stage run what it ran before, and hold it there; only with --confirm, else it shows what would be."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from imagesync.cli.apply import add_report_options
from imagesync.cli.parser import add_run_options, add_spec_argument
from imagesync.errors import UsageError

if TYPE_CHECKING:
    from imagesync.cli.promoting import Release
    from imagesync.plan.unit import Unit
    from imagesync.promotion.record import Record
    from imagesync.promotion.records import Records
    from imagesync.spec.stages import Promotion, Stage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("name", metavar="NAME", help="a promotion of the spec")
    parser.add_argument("--stage", required=True, metavar="STAGE", help="the stage that goes back")
    parser.add_argument("--to", dest="version", metavar="VERSION", help="the version (default: the one before)")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it stands in the record and in the hold")
    parser.add_argument("--confirm", action="store_true", help="do it: without this the plan is shown")
    add_report_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.apply import check_report, show_only  # noqa: PLC0415 - not for --help
    from imagesync.cli.plan import check_plan_report  # noqa: PLC0415
    from imagesync.cli.promoting import Release, carry_out_release, plan_rollback  # noqa: PLC0415
    from imagesync.cli.remembering import open_memory  # noqa: PLC0415
    from imagesync.cli.session import load, open_session  # noqa: PLC0415
    from imagesync.plan.actions import Copy, Keep  # noqa: PLC0415
    from imagesync.promotion.commands import Commands  # noqa: PLC0415
    from imagesync.promotion.door import Known  # noqa: PLC0415
    from imagesync.promotion.records import Records  # noqa: PLC0415
    from imagesync.promotion.rules import find_promotion  # noqa: PLC0415

    is_plan_only = arguments.dry_run or not arguments.confirm
    (check_plan_report if is_plan_only else check_report)(arguments)
    spec = load(arguments)
    promotion = find_promotion(spec, arguments.name)
    stage = _with_current(promotion, promotion.stage(arguments.stage))
    with open_session(spec, arguments) as session:
        records = Records(promotion, session.stores)
        record = _target(arguments, records, stage)
        commands, memory = Commands(spec.name, promotion.name), open_memory(session)
        release = Release(promotion, _unit(arguments, stage, record), records, Known(), commands, memory)
        plan = plan_rollback(session, release, record)
        if is_plan_only:
            return show_only(arguments, plan, release.reviewers)
        if all(isinstance(action, Copy | Keep) for action in plan.actions):
            _hold(arguments, release, stage)
        return carry_out_release(arguments, session, release, plan)


def _with_current(promotion: Promotion, stage: Stage) -> Stage:
    """The stage, if something says what it runs: nothing else is moved back."""
    if stage.current is None:
        hint = "give the stage a `current` tag, or let its consumers name the version themselves"
        raise UsageError(
            f"{promotion.name}/{stage.name} has no `current` tag: there is nothing to move back", hint=hint
        )
    return stage


def _target(arguments: argparse.Namespace, records: Records, stage: Stage) -> Record:
    """How what the stage goes back to has come there. Raises UsageError where that is not on record."""
    from imagesync.reference import Tag  # noqa: PLC0415 - not for --help

    if arguments.version:
        found = records.released(stage, Tag(arguments.version))
    else:
        last = records.last(stage)
        found = records.before(stage, last.version) if last is not None else None
    if found is None:
        what = f"version {arguments.version}" if arguments.version else "what was there before"
        hint = f"`imagesync history {arguments.name} --spec {arguments.spec} --stage {stage.name}` tells what has"
        raise UsageError(f"{what} is not on record of {arguments.name}/{stage.name}", hint=hint)
    return found


def _unit(arguments: argparse.Namespace, stage: Stage, record: Record) -> Unit:
    from imagesync.plan.unit import Move, Unit  # noqa: PLC0415 - not for --help

    return Unit(
        promotion=arguments.name,
        version=record.version,
        stage=stage.name,
        source_stage=stage.name,
        current=stage.current,
        move=Move.ROLLBACK,
        reason=arguments.reason,
    )


def _hold(arguments: argparse.Namespace, release: Release, stage: Stage) -> None:
    """Before anything moves: what promotes by itself would undo it else."""
    from imagesync.cli.who import who_runs  # noqa: PLC0415 - not for --help
    from imagesync.keeping.clock import now  # noqa: PLC0415
    from imagesync.promotion.holding import make_hold  # noqa: PLC0415
    from imagesync.promotion.recording import begin  # noqa: PLC0415

    version, who = release.unit.version, who_runs(os.environ)
    hold = make_hold(release.promotion, stage, version, who=who, at=now(), reason=arguments.reason)
    begin(hold, release.records.journal(stage))
