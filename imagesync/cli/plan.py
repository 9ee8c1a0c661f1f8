"""plan: show the difference and write nothing; -o FILE saves the plan, exact to the digest."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from imagesync.cli.locking import add_lock_options
from imagesync.cli.output import emit, notify
from imagesync.cli.parser import (
    add_cache_option,
    add_format_option,
    add_promotion_names,
    add_run_options,
    add_selection_options,
    add_spec_argument,
)
from imagesync.errors import AuthenticationError
from imagesync.lazy import replace

if TYPE_CHECKING:
    from imagesync.cli.remembering import Memory
    from imagesync.cli.session import Session
    from imagesync.plan.actions import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="save the plan for `apply --plan` or `apply --approved`")
    parser.add_argument(
        "--report", metavar="FILE", help="write the plan for people too: .md, fit for a comment, or .json"
    )
    parser.add_argument("--detailed-exitcode", action="store_true", help="exit 2 when there is something to do")
    parser.add_argument("--anonymous", action="store_true", help="log in nowhere: for the pull request of a fork")
    add_cache_option(parser)
    add_format_option(parser, "text", "json", "markdown")
    add_selection_options(parser)
    add_promotion_names(parser)
    add_lock_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, open_session, shown_progress  # noqa: PLC0415 - not for --help
    from imagesync.pipeline import make_plan  # noqa: PLC0415
    from imagesync.transfer.meter import Meter  # noqa: PLC0415

    if arguments.output:
        from imagesync.cli.files import check_writable  # noqa: PLC0415

        check_writable(arguments.output)
    check_plan_report(arguments)
    spec = load(arguments)
    with open_session(spec, arguments) as session, shown_progress(arguments, session, Meter()):
        memory = _memory(arguments, session)
        plan = make_plan(spec, session.stores, session.tasks, state=memory.state)
        plan = replace(_with_due(arguments, session, plan, memory=memory), pulls=session.pulls())
    return _show(arguments, plan)


def _with_due(arguments: argparse.Namespace, session: Session, plan: Plan, *, memory: Memory) -> Plan:
    """The plan, and beside it the releases that are due at stages that take them by themselves."""
    from imagesync.cli.narrow import promotions_of  # noqa: PLC0415 - not for --help

    promotions = promotions_of(session.spec, arguments)
    if not promotions:
        return plan
    from imagesync.cli.due import advance_of  # noqa: PLC0415 - few specs have such stages

    return advance_of(session, promotions, memory).beside(plan)


def check_plan_report(arguments: argparse.Namespace) -> None:
    """Refuse a report of a plan that could not be written before anything is done."""
    if not arguments.report:
        return
    from imagesync.cli.files import check_writable  # noqa: PLC0415 - not for --help
    from imagesync.report.write import PLAN_FORMS, check_report_name  # noqa: PLC0415

    check_report_name(arguments.report, PLAN_FORMS)
    check_writable(arguments.report)


def _memory(arguments: argparse.Namespace, session: Session) -> Memory:
    """What is remembered; a plan that logs in nowhere goes without what only a login can read."""
    from imagesync.cli.remembering import Memory, open_memory  # noqa: PLC0415 - not for --help

    try:
        return open_memory(session)
    except AuthenticationError as error:
        if not arguments.anonymous:
            raise
        notify(f"warning: {error}; without it nobody knows what has drifted")
        return Memory(None)


def _show(arguments: argparse.Namespace, plan: Plan) -> int:
    """Save and show the plan; returns the exit code."""
    # What is needed once there is a plan would keep the first request waiting.
    from imagesync.cli.publish import publish_plan, show_plan  # noqa: PLC0415
    from imagesync.cli.session import warn  # noqa: PLC0415
    from imagesync.report.model import plan_exit_code  # noqa: PLC0415

    warn(plan.warnings, arguments)
    if arguments.output:
        save(arguments, plan)
    emit(show_plan(plan, arguments.format, verbose=arguments.verbose))
    publish_plan(plan, output=arguments.output, report=arguments.report)
    return plan_exit_code(plan, detailed=arguments.detailed_exitcode)


def save(arguments: argparse.Namespace, plan: Plan) -> None:
    """Write a plan to the file that `-o` names."""
    from datetime import UTC, datetime  # noqa: PLC0415 - few plans are saved

    from imagesync.cli.files import write_file  # noqa: PLC0415
    from imagesync.plan.file import plan_to_json  # noqa: PLC0415

    created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    write_file(arguments.output, plan_to_json(plan, created=created))
    if not arguments.quiet:
        notify(f"Saved {arguments.output}. Next: imagesync apply {arguments.spec} --plan {arguments.output}")
