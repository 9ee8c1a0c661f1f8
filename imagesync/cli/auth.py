"""auth: check logins; `auth check` says for each registry which login is used, where it comes from, and if it works."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from imagesync.cli.output import emit, to_json
from imagesync.cli.parser import Parser, add_format_option, add_log_options, add_run_options
from imagesync.errors import ImagesyncError

if TYPE_CHECKING:
    from imagesync.cli.probe import Answer
    from imagesync.spec.model import Spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="check", required=True, parser_class=Parser)
    check = actions.add_parser("check", help="log in to every registry of a spec, or to one host; writes nothing")
    check.add_argument("target", metavar="SPEC|HOST", help="a spec, or a registry's host")
    add_format_option(check, "text", "json")
    add_run_options(check)
    add_log_options(check)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.probe import probe_repositories  # noqa: PLC0415 - not for --help

    answers = probe_repositories(arguments, _spec(arguments.target))
    if arguments.format == "json":
        emit(to_json([answer.to_dict() for answer in answers]))
    else:
        lines = [*map(_to_text, _grouped(answers)), *_rows(answers)]
        emit("\n".join(lines) or "The spec names no registry.")
    return max((answer.exit_code for answer in answers), default=0)


def _spec(target: str) -> Spec | str:
    """The spec that was named, or the host where there is no such file."""
    import os  # noqa: PLC0415 - not for --help
    from pathlib import Path  # noqa: PLC0415

    from imagesync.reference import normalise_host  # noqa: PLC0415
    from imagesync.spec import load_spec  # noqa: PLC0415

    if target == "-" or Path(target).exists() or target.endswith((".yaml", ".yml")):
        return load_spec(target, environment=os.environ)
    return normalise_host(target)


def _rows(answers: list[Answer]) -> list[str]:
    """How each registry behaves, once."""
    rows = {answer.row.host: answer.row for answer in answers if answer.row is not None}
    return [row.to_text() for row in rows.values()]


def _grouped(answers: list[Answer]) -> list[list[Answer]]:
    """The answers of one host that say the same, together: a spec may name a thousand repositories of it."""
    groups: dict[object, list[Answer]] = {}
    for answer in answers:
        error = answer.error
        said = (type(error), getattr(error, "status", None), error.hint) if error is not None else answer.login
        groups.setdefault((answer.host, answer.access, said), []).append(answer)
    return list(groups.values())


def _to_text(group: list[Answer]) -> str:
    answer = group[0]
    mark = "ok" if answer.error is None else "x "
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    line = f"{mark} {answer.subject}{more} ({answer.access}): {answer.used}{_until_renewed(answer)}"
    error = answer.error
    if error is None:
        return line
    hint = f"\n     {error.hint}" if isinstance(error, ImagesyncError) and error.hint else ""
    return f"{line}\n     {error.message}{hint}"


def _until_renewed(answer: Answer) -> str:
    from imagesync.report.units import format_seconds  # noqa: PLC0415 - not for --help

    return "" if answer.seconds_left is None else f", renewed in {format_seconds(answer.seconds_left)}"
