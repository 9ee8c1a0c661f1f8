"""apply: plan and carry out; --plan FILE carries out exactly that file, what has changed since is left alone."""

from __future__ import annotations

import argparse
import sys
import time
from itertools import chain
from typing import TYPE_CHECKING

from imagesync.cli.locking import add_lock_options
from imagesync.cli.output import discard, emit
from imagesync.cli.parser import (
    add_cache_option,
    add_format_option,
    add_promotion_names,
    add_run_options,
    add_selection_options,
    add_spec_argument,
)
from imagesync.errors import UsageError
from imagesync.lazy import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from imagesync.cli.advancing import Advance
    from imagesync.cli.remembering import Memory
    from imagesync.cli.session import Session
    from imagesync.plan.actions import Plan
    from imagesync.plan.outcome import Outcome
    from imagesync.plan.review import Reviewer
    from imagesync.reference import Reference
    from imagesync.report.progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--plan", metavar="FILE", help="carry out exactly this saved plan of this very spec")
    source.add_argument(
        "--approved", metavar="FILE", help="plan anew, and do nothing that this saved plan does not hold"
    )
    source.add_argument(
        "--repair", action="store_true", help="audit first, and bring just what is not as the spec promises"
    )
    add_cache_option(parser)
    add_report_options(parser)
    add_selection_options(parser)
    add_promotion_names(parser)
    add_lock_options(parser)
    add_run_options(parser)


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Options of the commands that write."""
    parser.add_argument("--dry-run", action="store_true", help="stop after the plan")
    parser.add_argument("--report", metavar="FILE", help="what became of every tag: .json, .xml (JUnit) or .md")
    add_format_option(parser, "text", "json", "markdown")


def check_report(arguments: argparse.Namespace) -> None:
    """Refuse a report that could not be written before anything is done."""
    if not arguments.report:
        return
    from imagesync.cli.files import check_writable  # noqa: PLC0415 - not for --help
    from imagesync.report.write import check_report_name  # noqa: PLC0415

    check_report_name(arguments.report)
    check_writable(arguments.report)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.plan import check_plan_report  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import load, open_session  # noqa: PLC0415

    (check_plan_report if arguments.dry_run else check_report)(arguments)
    spec = load(arguments)
    if arguments.plan and (arguments.only or arguments.shard):
        raise UsageError("--plan carries out the whole file", hint="leave out --only and --shard, or plan with them")
    if arguments.repair and arguments.cache:
        raise UsageError("--repair asks for everything anew", hint="leave out --cache: it says what was there once")
    saved = _read_plan(arguments.plan or arguments.approved)
    with open_session(spec, arguments) as session:
        if arguments.plan and saved is not None:
            return _execute_file(arguments, session, saved)
        if arguments.repair:
            return _repair(arguments, session)
        return _execute_spec(arguments, session, saved)


def _at_nothing(_memory: Memory) -> Advance:
    """Of a run that moves no release."""
    from imagesync.cli.advancing import NOTHING  # noqa: PLC0415 - not for --help

    return NOTHING


def _execute_spec(arguments: argparse.Namespace, session: Session, approved: Plan | None) -> int:
    """The images of the spec, and what is due at stages."""
    from imagesync.cli.narrow import promotions_of  # noqa: PLC0415 - not for --help

    promotions, reviewers = promotions_of(session.spec, arguments), _reviewers(approved)
    if not promotions:
        return execute(arguments, session, reviewers)
    from imagesync.cli.due import advance_of  # noqa: PLC0415 - few specs have stages that take releases by themselves

    def look(memory: Memory) -> Advance:
        return advance_of(session, promotions, memory, approved=approved)

    return execute(arguments, session, reviewers, look=look)


def execute(
    arguments: argparse.Namespace,
    session: Session,
    reviewers: tuple[Reviewer, ...] = (),
    *,
    incomplete: Collection[Reference] = (),
    look: Callable[[Memory], Advance] = _at_nothing,
) -> int:
    """Plan and carry out the session's spec, and after that the releases that a look has found before; show and publish
    what became of it; returns the exit code."""
    from imagesync.cli.remembering import open_memory  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import shown_progress  # noqa: PLC0415
    from imagesync.executor import Executor  # noqa: PLC0415
    from imagesync.pipeline import Drawing, make_plan, plan_and_carry_out  # noqa: PLC0415

    stores, tasks, memory = session.stores, session.tasks, open_memory(session)
    if arguments.dry_run:
        advance = look(memory)
        plan = make_plan(session.spec, stores, tasks, incomplete=incomplete, state=memory.state)
        return show_only(arguments, replace(advance.beside(plan), pulls=session.pulls()), reviewers)
    executor = Executor(stores, tasks, session.cancellation)
    memory.begin()
    with shown_progress(arguments, session, executor.meter) as progress:
        advance = look(memory)
        drawing = Drawing(session.spec, stores, tasks, incomplete=incomplete, state=memory.state)
        memory.saw(drawing.sights)
        images = plan_and_carry_out(drawing, executor, reviewers)
        outcomes = told(chain(images, advance.carry_out(session, executor)), progress, memory)
    return memory.settled(published(arguments, session, advance.beside(drawing.plan), outcomes))


def _repair(arguments: argparse.Namespace, session: Session) -> int:
    from imagesync.cli.repair import repair  # noqa: PLC0415 - which is built on this module

    return repair(arguments, session)


def _execute_file(arguments: argparse.Namespace, session: Session, saved: Plan) -> int:
    """Carry out a saved plan, if it is one that the spec yields."""
    from imagesync.cli.remembering import open_memory  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import shown_progress  # noqa: PLC0415
    from imagesync.executor import Executor  # noqa: PLC0415
    from imagesync.pipeline import carry_out, with_gates  # noqa: PLC0415
    from imagesync.plan.drift import holding_back, with_causes  # noqa: PLC0415
    from imagesync.plan.parts import own_part  # noqa: PLC0415

    _check_saved(session, saved)
    memory = open_memory(session)
    advance = _advance_of_file(session, saved, memory)
    plan, reviewers = with_causes(own_part(saved), memory.state), (holding_back(session.spec.rules),)
    plan = with_gates(plan, session.spec, memory.state, stores=session.stores, tasks=session.tasks)
    if arguments.dry_run:
        return show_only(arguments, advance.beside(plan), reviewers)
    executor = Executor(session.stores, session.tasks, session.cancellation)
    memory.begin()
    with shown_progress(arguments, session, executor.meter) as progress:
        images = carry_out(plan, executor, reviewers)
        outcomes = told(chain(images, advance.carry_out(session, executor)), progress, memory)
    return memory.settled(published(arguments, session, advance.beside(plan), outcomes))


def _check_saved(session: Session, saved: Plan) -> None:
    """Raise PlanFileError for what the spec does not yield, before anything is read."""
    from imagesync.plan.conformity import check_same_spec, check_yielded  # noqa: PLC0415 - few plans are saved
    from imagesync.plan.parts import units_of  # noqa: PLC0415

    if saved.unit is None:
        check_same_spec(saved, session.spec)
        check_yielded(saved, session.spec)
    for unit in units_of(saved):
        from imagesync.cli.promoting import check_saved  # noqa: PLC0415 - few plans have releases

        check_saved(session, unit)


def _advance_of_file(session: Session, saved: Plan, memory: Memory) -> Advance:
    from imagesync.cli.advancing import NOTHING  # noqa: PLC0415 - not for --help
    from imagesync.plan.parts import units_of  # noqa: PLC0415

    units = units_of(saved)
    if not units:
        return NOTHING
    from imagesync.cli.saved_releases import advance_of_file  # noqa: PLC0415 - few plans have releases

    return advance_of_file(session, units, memory)


def show_only(arguments: argparse.Namespace, plan: Plan, reviewers: tuple[Reviewer, ...] = ()) -> int:
    """Show a plan as review leaves it; returns the exit code."""
    from imagesync.cli.publish import publish_plan, show_plan  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import warn  # noqa: PLC0415
    from imagesync.plan.review import review  # noqa: PLC0415
    from imagesync.report.model import plan_exit_code  # noqa: PLC0415

    warn(plan.warnings, arguments)
    plan = review(plan, reviewers).plan
    emit(show_plan(plan, arguments.format, verbose=arguments.verbose))
    publish_plan(plan, output=None, report=arguments.report)
    return plan_exit_code(plan, detailed=False)


def told(outcomes: Iterator[Outcome], progress: Progress, memory: Memory) -> tuple[Outcome, ...]:
    """All the outcomes, each told and remembered as it comes."""
    found = []
    try:
        for outcome in outcomes:
            found.append(outcome)
            memory.ended(outcome)
            tell(outcome, progress)
    finally:
        memory.save()
    return tuple(found)


def tell(outcome: Outcome, progress: Progress) -> None:
    """Say on stderr what became of one action."""
    try:
        progress.outcome(outcome)
    except BrokenPipeError:  # nobody reads stderr any more: no reason to stop half-way
        discard(sys.stderr)


def published(arguments: argparse.Namespace, session: Session, plan: Plan, outcomes: tuple[Outcome, ...]) -> int:
    """Show and publish what became of a plan; returns the exit code."""
    from imagesync.cli.publish import publish_report, show_report  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import warn  # noqa: PLC0415
    from imagesync.plan.parts import as_one  # noqa: PLC0415
    from imagesync.report.model import Report  # noqa: PLC0415

    warn(plan.warnings, arguments)
    seconds = time.monotonic() - session.started_at
    plan = replace(as_one(plan), pulls=session.pulls())
    report = Report(plan=plan, outcomes=outcomes, seconds=seconds, traffic=session.stores.registries.traffic())
    publish_report(report, output=arguments.report)
    emit(show_report(report, arguments.format, verbose=arguments.verbose))
    return session.interruption.exit_code or report.exit_code


def _reviewers(approved: Plan | None) -> tuple[Reviewer, ...]:
    from imagesync.plan.review import approved_by  # noqa: PLC0415 - not for --help

    return (approved_by(approved),) if approved is not None else ()


def _read_plan(name: str | None) -> Plan | None:
    if name is None:
        return None
    from imagesync.cli.files import read_file  # noqa: PLC0415
    from imagesync.plan.file import plan_from_json  # noqa: PLC0415

    return plan_from_json(read_file(name), name=name)
