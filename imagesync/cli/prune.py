"""prune: show which tags imagesync has written and nothing wants any more; --confirm deletes them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.locking import add_lock_options
from imagesync.cli.output import emit
from imagesync.cli.parser import add_format_option, add_run_options, add_selection_options, add_spec_argument
from imagesync.errors import UsageError
from imagesync.lazy import replace

if TYPE_CHECKING:
    from imagesync.cli.remembering import Memory
    from imagesync.cli.session import Session
    from imagesync.plan.review import ReviewedPlan
    from imagesync.spec import Spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("--confirm", action="store_true", help="delete what is shown without it")
    parser.add_argument("--report", metavar="FILE", help="what became of every tag: .json, .xml (JUnit) or .md")
    add_lock_options(parser)
    add_format_option(parser, "text", "json", "markdown")
    add_selection_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.apply import check_report  # noqa: PLC0415 - not for --help
    from imagesync.cli.remembering import open_memory  # noqa: PLC0415
    from imagesync.cli.session import load_whole, narrowed, open_session  # noqa: PLC0415

    if arguments.report and not arguments.confirm:
        raise UsageError("--report says what was deleted", hint="add --confirm; --format json shows what would be")
    check_report(arguments)
    spec = load_whole(arguments)
    chosen = narrowed(spec, arguments)
    _check_asked(chosen)
    with open_session(_with_lock(spec, arguments), arguments) as session:
        memory = open_memory(session)
        reviewed = _planned(arguments, session, chosen, memory)
        if not arguments.confirm:
            return _show(arguments, reviewed)
        return _delete(arguments, session, reviewed, memory)


def _check_asked(spec: Spec) -> None:
    if not any(rule.prune for rule in spec.rules):
        hint = "add `prune: true` to an image, a sync entry or `defaults`"
        raise UsageError("no image of the spec that is chosen asks for `prune`", hint=hint)


def _with_lock(spec: Spec, arguments: argparse.Namespace) -> Spec:
    """The spec with what the lock beside it wants as well: it may have been applied with that, whatever `--lock` names
    now."""
    from imagesync.cli.locking import lock_name, read_lock  # noqa: PLC0415
    from imagesync.plan.locking import hold  # noqa: PLC0415

    if arguments.spec == "-" or not Path(name := lock_name(arguments.spec, None)).exists():
        return spec
    return replace(spec, rules=(*spec.rules, *hold(spec.rules, read_lock(name))))


def _planned(arguments: argparse.Namespace, session: Session, chosen: Spec, memory: Memory) -> ReviewedPlan:
    """Look at everything, before the first deletion."""
    from imagesync.cli.session import shown_progress  # noqa: PLC0415 - not for --help
    from imagesync.pipeline import plan_prune  # noqa: PLC0415
    from imagesync.transfer.meter import Meter  # noqa: PLC0415

    with shown_progress(arguments, session, Meter()):
        return plan_prune(session.spec, chosen.rules, memory.known, stores=session.stores, tasks=session.tasks)


def _show(arguments: argparse.Namespace, reviewed: ReviewedPlan) -> int:
    from imagesync.cli.publish import publish_plan, show_plan  # noqa: PLC0415 - not for --help
    from imagesync.report.model import plan_exit_code  # noqa: PLC0415

    emit(show_plan(reviewed.plan, arguments.format, verbose=arguments.verbose))
    publish_plan(reviewed.plan, output=None)
    return plan_exit_code(reviewed.plan, detailed=False)


def _delete(arguments: argparse.Namespace, session: Session, reviewed: ReviewedPlan, memory: Memory) -> int:
    """Carry it out, and remember what is not imagesync's any more."""
    from imagesync.cli.apply import published, told  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import shown_progress  # noqa: PLC0415
    from imagesync.executor import Executor  # noqa: PLC0415
    from imagesync.pipeline import execute  # noqa: PLC0415

    executor = Executor(session.stores, session.tasks, session.cancellation)
    memory.begin()
    with shown_progress(arguments, session, executor.meter) as progress:
        outcomes = told(execute(reviewed, executor), progress, memory)
    return memory.settled(published(arguments, session, reviewed.plan, outcomes))
