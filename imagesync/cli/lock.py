"""lock: write down which digest each tag of the spec has now, for review; `--locked` holds later runs to it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.output import emit, notify, wants_color
from imagesync.cli.parser import add_format_option, add_run_options, add_spec_argument
from imagesync.lazy import replace

if TYPE_CHECKING:
    from imagesync.plan.actions import Plan
    from imagesync.plan.locking import Renewal
    from imagesync.spec import Spec
    from imagesync.spec.pins import Lock

CHANGED_EXIT_CODE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="the lock's file (default: sync.lock beside sync.yaml)")
    parser.add_argument(
        "--update",
        action="append",
        metavar="NAME[/IMAGE]",
        help="renew only these entries or images, and keep the rest of the lock (repeatable)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, and exit 2 when the lock would change")
    add_format_option(parser, "text", "json")
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.files import check_writable  # noqa: PLC0415 - not for --help
    from imagesync.cli.locking import lock_name  # noqa: PLC0415
    from imagesync.cli.narrow import only  # noqa: PLC0415
    from imagesync.cli.session import load  # noqa: PLC0415
    from imagesync.plan.locking import is_whole, lock_of, renewed  # noqa: PLC0415
    from imagesync.report.model import FAILED_EXIT_CODE, plan_exit_code  # noqa: PLC0415

    name = lock_name(arguments.spec, arguments.output)
    if not arguments.check:
        check_writable(name)
    spec = load(arguments)
    before = _locked_before(name, arguments)
    named = only(spec.rules, arguments.update, option="--update") if arguments.update else spec.rules
    plan = _read_sources(replace(spec, rules=named), arguments)
    code = plan_exit_code(plan, detailed=False) or (0 if is_whole(plan) else FAILED_EXIT_CODE)
    _tell(plan, arguments, code)
    if code:
        notify(f"Not everything could be read: {name} is left as it is.")
        return code
    fresh = lock_of(plan, before)
    after = renewed(before, fresh, rules=spec.rules, named=named) if arguments.update else fresh
    return _finish(_renewal(name, before, after), arguments)


def _locked_before(name: str, arguments: argparse.Namespace) -> Lock:
    """What is locked already: nothing where there is no file, unless some of it is to be kept."""
    from imagesync.cli.locking import read_lock  # noqa: PLC0415 - not for --help
    from imagesync.spec.pins import Lock  # noqa: PLC0415

    return read_lock(name) if arguments.update or Path(name).exists() else Lock()


def _read_sources(spec: Spec, arguments: argparse.Namespace) -> Plan:
    """A plan whose actions say what each tag of the sources points to."""
    from imagesync.cli.remembering import state_for_ages  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import open_session  # noqa: PLC0415
    from imagesync.pipeline import make_plan  # noqa: PLC0415
    from imagesync.plan.locking import sources_alone  # noqa: PLC0415
    from imagesync.spec import Rule  # noqa: PLC0415
    from imagesync.survey import find_repositories  # noqa: PLC0415

    with open_session(spec, arguments) as session:
        named = find_repositories(spec.rules, session.stores, session.tasks).rules
        rules = sources_alone(rule for rule in named if isinstance(rule, Rule))
        plan = make_plan(replace(spec, rules=rules), session.stores, session.tasks, state=state_for_ages(session))
    return replace(plan, actions=(*(one for one in named if not isinstance(one, Rule)), *plan.actions))


def _tell(plan: Plan, arguments: argparse.Namespace, code: int) -> None:
    """What could not be read, and what selects nothing, on stderr."""
    from imagesync.report.text import render_troubles  # noqa: PLC0415 - not for --help

    told = render_troubles(plan, color=wants_color(sys.stderr))
    if told and (code or not arguments.quiet):
        notify(told)


def _renewal(name: str, before: Lock, after: Lock) -> Renewal:
    from imagesync.cli.files import read_file  # noqa: PLC0415 - not for --help
    from imagesync.plan.locking import Renewal  # noqa: PLC0415
    from imagesync.spec.lock import lock_to_text  # noqa: PLC0415

    text = read_file(name) if Path(name).exists() else None
    return Renewal(name, before, after, is_changed=text != lock_to_text(after))


def _finish(renewal: Renewal, arguments: argparse.Namespace) -> int:
    """Write the lock, unless it is only checked, and show what is new in it."""
    from imagesync.cli.files import write_file  # noqa: PLC0415 - not for --help
    from imagesync.report.lock import render_renewal, renewal_to_json  # noqa: PLC0415
    from imagesync.spec.lock import lock_to_text  # noqa: PLC0415

    if renewal.is_changed and not arguments.check:
        write_file(renewal.name, lock_to_text(renewal.after))
    is_json = arguments.format == "json"
    emit(renewal_to_json(renewal) if is_json else render_renewal(renewal, is_check=arguments.check))
    return CHANGED_EXIT_CODE if arguments.check and renewal.is_changed else 0
