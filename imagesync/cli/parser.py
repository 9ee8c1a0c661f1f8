"""The parser: the list of commands, and the options that several of them share. What a command does, its file says."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from imagesync import __version__
from imagesync.errors import UsageError

COMMANDS = (
    "init",
    "add",
    "validate",
    "config",
    "doctor",
    "plan",
    "apply",
    "audit",
    "prune",
    "drift",
    "adopt",
    "lock",
    "release",
    "approve",
    "promote",
    "rollback",
    "hold",
    "status",
    "history",
    "copy",
    "tags",
    "inspect",
    "verify",
    "gates",
    "registry",
    "login",
    "logout",
    "auth",
    "schema",
    "completion",
    "version",
)
"""Every command, in the order of `--help`; each is the module of that name in this room."""


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong command line is a UsageError: exit 4, since 2 means that changes are pending.

    How wide the terminal is, it asks for help alone: argparse does for each option that it is told of, through shutil.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=partial(argparse.HelpFormatter, width=80), **options)

    def format_help(self) -> str:
        self.formatter_class = argparse.HelpFormatter
        return super().format_help()

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse's, but the command that got an unknown argument complains, not the program as a whole."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            near = _nearest(unknown[0].partition("=")[0], options, cutoff=0.7)
            meant = f", did you mean {near}?" if near else ""
            self.error(f"unknown: {' '.join(_without_values(unknown))}{meant}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        chosen = re.fullmatch(r"argument COMMAND: invalid choice: '(.*)' \(choose from .*\)", message)
        if chosen is not None:
            near = _nearest(chosen[1], COMMANDS)
            meant = f", did you mean {near}?" if near else f": there is {', '.join(COMMANDS)}"
            message = f"no command is called {chosen[1]!a}{meant}"
        raise UsageError(message, hint=f"see `{self.prog} --help`")


def _without_values(unknown: Iterable[str]) -> list[str]:
    """Options without what follows them, which may be a password; where there is none, the words that are too many."""
    words = list(unknown)
    options = [word.partition("=")[0] for word in words if word.startswith("-")]
    return [option if option.startswith("--") else option[:2] for option in options] or words


def _nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=cutoff)), None)


def parser_for(arguments: Sequence[str]) -> Parser:
    """The parser for a command line: of the command that it names, and of all of them where it names none."""
    named = arguments[0] if arguments else ""
    return build_parser((named,) if named in COMMANDS else COMMANDS)


def build_parser(names: Iterable[str] = COMMANDS) -> Parser:
    """These commands with their options. Command modules import what they need when they run."""
    parser = Parser(
        prog="imagesync",
        description="Keeps container images where they should be: plans the difference and moves exactly that.",
        epilog="Exit codes: 0 done, 1 something failed, 2 changes pending, 3 blocked, 4 spec or command wrong, "
        "70 a mistake in imagesync, 130 and 143 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"imagesync {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name in names:
        module = command_module(name)
        summary = (module.__doc__ or "").partition("\n")[0].partition(": ")[2]
        short = summary.partition(";")[0].removesuffix(".")
        one = commands.add_parser(name, help=short, description=f"{summary[:1].upper()}{summary[1:]}")
        module.add_arguments(one)
        add_log_options(one)
    return parser


def command_module(name: str) -> ModuleType:
    """The module of a command: it has `add_arguments(parser)` and `run(arguments) -> int`."""
    return import_module(f"imagesync.cli.{name}")


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command."""
    group = parser.add_argument_group("log")
    group.add_argument("-v", "--verbose", action="store_true", help="say more: unchanged tags, and requests on stderr")
    group.add_argument("-q", "--quiet", action="store_true", help="no progress and no warnings")
    group.add_argument("--log-format", choices=["console", "json"], default="console", help="form of the log on stderr")


def add_spec_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="the spec, a YAML file; - reads it from standard input")


def add_format_option(parser: argparse.ArgumentParser, *choices: str) -> None:
    parser.add_argument(
        "--format", choices=choices, default="text", help="form of the result on stdout (default: text)"
    )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options of the commands that read registries."""
    group = parser.add_argument_group("run")
    group.add_argument("--concurrency", type=positive, default=32, metavar="N", help="threads at most (default: 32)")
    group.add_argument(
        "--timeout", type=_seconds, metavar="TIME", help="stop after this long, as Ctrl-C does: 90s, 30m, 2h"
    )


def add_cache_option(parser: argparse.ArgumentParser) -> None:
    """For the commands that plan."""
    parser.add_argument(
        "--cache", metavar="DIR", help="keep in DIR what was read and what is where: the next run asks less"
    )


def add_selection_options(parser: argparse.ArgumentParser) -> None:
    """Options that narrow a spec."""
    group = parser.add_argument_group("selection")
    group.add_argument(
        "--only", action="append", metavar="NAME[/IMAGE]", help="only these entries, images or promotions (repeatable)"
    )
    group.add_argument("--shard", type=_shard, metavar="I/N", help="only the I-th of N stable shares of the images")


def add_promotion_names(parser: argparse.ArgumentParser) -> None:
    """Let `--only` name promotions too, for the commands that move what is due at their stages."""
    parser.set_defaults(moves_releases=True)


def positive(text: str) -> int:
    """A number of things."""
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1024")
    return int(text)


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], units.get(text[-1:])) if text[-1:] in units else (text, 1)
    if not number.isdecimal() or not unit or int(number) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: 90s, 30m, 2h")
    return float(int(number) * unit)


def _shard(text: str) -> tuple[int, int]:
    part, _, whole = text.partition("/")
    if not (part.isdecimal() and whole.isdecimal() and 1 <= int(part) <= int(whole)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with I from 1 to N")
    return int(part), int(whole)
