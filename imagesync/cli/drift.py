"""drift: list what another hand has changed at the destinations; exit 2 where there is any, nothing is written."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from imagesync.cli.locking import add_lock_options
from imagesync.cli.output import emit, in_github_actions, wants_color, workspace_folder
from imagesync.cli.parser import add_format_option, add_run_options, add_selection_options, add_spec_argument
from imagesync.errors import UsageError

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.plan.standing import Standing, Standings
    from imagesync.spec.model import Spec
    from imagesync.state import State


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("--all", action="store_true", help="also what is merely pending, or was never written")
    add_format_option(parser, "text", "json", "markdown")
    add_selection_options(parser)
    add_lock_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.remembering import open_memory  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import load, open_session, shown_progress  # noqa: PLC0415
    from imagesync.transfer.meter import Meter  # noqa: PLC0415

    spec = with_state(load(arguments), "drift")
    with open_session(spec, arguments) as session, shown_progress(arguments, session, Meter()):
        found = read_standings(session, open_memory(session).known)
    _show(arguments, found)
    return found.exit_code


def with_state(spec: Spec, command: str) -> Spec:
    """The spec, if it says where its state is."""
    if spec.state is None:
        hint = "add `state: FILE` or `state: REGISTRY/REPOSITORY` to it"
        raise UsageError(f"`{command}` needs to know what was written, and the spec has no `state`", hint=hint)
    return spec


def read_standings(session: Session, state: State) -> Standings:
    """Ask both sides for every tag that the spec wants, whatever a list says: two requests each."""
    from imagesync.plan.actions import SpecPin  # noqa: PLC0415 - not for --help
    from imagesync.plan.promises import promises_of  # noqa: PLC0415
    from imagesync.plan.standing import Standings, standings  # noqa: PLC0415
    from imagesync.plan.wants import trusting_no_list  # noqa: PLC0415
    from imagesync.survey import ask, find_repositories, read_heads  # noqa: PLC0415
    from imagesync.survey.promises import remembered  # noqa: PLC0415

    spec = session.spec
    stores, tasks = session.stores, session.tasks
    named = find_repositories(trusting_no_list(spec.rules), stores, tasks).rules
    wants, heads, _ = read_heads(named, stores, tasks, state=state)
    heads = ask(promises_of(wants, {**heads, **remembered(wants, heads, stores.memory)}), stores, tasks)
    return Standings(standings(wants, heads, state), tuple(SpecPin(one.path, one.sha256) for one in spec.files))


def _show(arguments: argparse.Namespace, found: Standings) -> None:
    from imagesync.plan.standing import BY_ANOTHER_HAND, NOT_IN_PLACE, Kind  # noqa: PLC0415 - not for --help
    from imagesync.report.standing_json import standings_to_json  # noqa: PLC0415
    from imagesync.report.standing_text import drift_sentence  # noqa: PLC0415

    told = found.of((NOT_IN_PLACE if arguments.all else BY_ANOTHER_HAND) | {Kind.UNREADABLE})
    as_json = standings_to_json(found, exit_code=found.exit_code)
    emit_standings(arguments.format, told, as_json, drift_sentence(found))
    if in_github_actions():
        from imagesync.report.github import annotations_of_standings  # noqa: PLC0415 - only there

        sys.stderr.write(annotations_of_standings(told, workspace_folder()))


def emit_standings(form: str, told: tuple[Standing, ...], as_json: str, sentence: str) -> None:
    """Print these tags in the form that `--format` names."""
    from imagesync.report import standing_markdown, standing_text  # noqa: PLC0415 - not for --help

    if form == "json":
        emit(as_json)
    elif form == "markdown":
        emit(standing_markdown.render_standings(told, sentence))
    else:
        emit(standing_text.render_standings(told, sentence, color=wants_color(sys.stdout)))
