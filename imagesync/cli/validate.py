"""validate: check a spec without the network; --online adds logins, repositories and tags."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from imagesync.cli.locking import add_lock_options
from imagesync.cli.output import emit
from imagesync.cli.parser import add_run_options, add_selection_options, add_spec_argument

if TYPE_CHECKING:
    from imagesync.spec import Spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument(
        "--online", action="store_true", help="also log in and look for every repository and tag; writes nothing"
    )
    add_selection_options(parser)
    add_lock_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, warn  # noqa: PLC0415 - not for --help
    from imagesync.plan.dead import find_dead_offline  # noqa: PLC0415

    spec = load(arguments)
    warn(() if spec.is_part or arguments.online else find_dead_offline(spec.rules), arguments)
    files, images = len(spec.files), len(spec.rules)
    promotions = f" and {_count(len(spec.promotions), 'promotion')}" if spec.promotions else ""
    emit(f"{arguments.spec}: {_count(images, 'image')}{promotions} in {_count(files, 'file')}, no mistakes.")
    return _check_online(arguments, spec) if arguments.online else 0


def _check_online(arguments: argparse.Namespace, spec: Spec) -> int:
    from imagesync.cli.publish import publish_plan, show_plan  # noqa: PLC0415
    from imagesync.cli.remembering import state_for_promises  # noqa: PLC0415
    from imagesync.cli.session import open_session, warn  # noqa: PLC0415
    from imagesync.pipeline import make_plan  # noqa: PLC0415
    from imagesync.report.model import plan_exit_code  # noqa: PLC0415

    with open_session(spec, arguments) as session:
        plan = make_plan(spec, session.stores, session.tasks, state=state_for_promises(session))
    warn(plan.warnings, arguments)
    emit(show_plan(plan, "text", verbose=arguments.verbose))
    publish_plan(plan, output=None)
    return plan_exit_code(plan, detailed=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
