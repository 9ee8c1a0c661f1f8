"""approve: write, for review, that somebody approves of a release at a stage; signed where the stage wants that."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.output import emit
from imagesync.cli.parser import add_run_options, add_spec_argument
from imagesync.errors import UsageError
from imagesync.lazy import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from imagesync.cli.approvers import Approver
    from imagesync.cli.session import Session
    from imagesync.gates.approval import Approval
    from imagesync.gates.word import Yes
    from imagesync.reference import Digest, Reference, Repository
    from imagesync.spec.model import Rule

_MOST_FILES = 100
"""More are not looked at of one digest."""
_PAGE = "docs/gates.md says how approvals are wanted"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("release", metavar="NAME:VERSION", help="a promotion of the spec, and the version")
    parser.add_argument("--to", required=True, metavar="STAGE", help="the stage that it may come to")
    parser.add_argument("--by", metavar="NAME", help="who approves (default: whose key it is, else who runs this)")
    parser.add_argument("--key", metavar="FILE", help="the private key that signs, a PEM; - reads it from stdin")
    parser.add_argument(
        "--to-sign",
        metavar="DIR",
        help="for who signs keyless: write what is to be signed there, and print the commands of cosign that sign it",
    )
    parser.set_defaults(source=None, ticket="")  # of `promote`, which moves what is approved of here
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.approvers import approvers  # noqa: PLC0415 - not for --help
    from imagesync.cli.promote import unit_of  # noqa: PLC0415
    from imagesync.cli.promoting import with_rules  # noqa: PLC0415
    from imagesync.cli.session import load, open_session  # noqa: PLC0415
    from imagesync.gates.word import Yes  # noqa: PLC0415
    from imagesync.keeping.clock import now  # noqa: PLC0415

    spec = load(arguments)
    unit = unit_of(arguments, spec)
    wanted = tuple(_wanted(with_rules(spec, unit).rules))
    if not wanted:
        raise UsageError(f"no gate of {unit.promotion}/{unit.stage} counts approvals", hint=_PAGE)
    people = approvers([one.gate for one in wanted], arguments)
    with open_session(spec, arguments) as session:
        digests = _resolved(session, [one.source for one in wanted])
    taken: dict[Path, Repository] = {}
    for one in wanted:
        approver = people[one.gate]
        yes = Yes(digests[one.source], one.destination, approver.name, now())
        path = _file_of(one, yes, taken)
        taken[path] = one.destination
        emit(_write(one, yes, approver, path))
    return 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One image that a gate wants approved, before it comes to its destination."""

    gate: Approval
    source: Reference
    destination: Repository


def _wanted(rules: Sequence[Rule]) -> Iterator[_Wanted]:
    from imagesync.gates.approval import Approval  # noqa: PLC0415 - not for --help
    from imagesync.gates.combined import checks_of  # noqa: PLC0415
    from imagesync.reference import Reference  # noqa: PLC0415

    seen = set()
    for rule in rules:
        (destination,), (tag,) = rule.destinations, rule.tags.exact_tags
        for gate in (check for one in rule.gates for check in checks_of(one) if isinstance(check, Approval)):
            wanted = _Wanted(gate, Reference(rule.source, tag, rule.digest), destination)
            if wanted not in seen:
                seen.add(wanted)
                yield wanted


def _resolved(session: Session, sources: Sequence[Reference]) -> dict[Reference, Digest]:
    """What each tag is at the stage before, or the release file says. Raises StoreError where one is missing."""

    def resolve(source: Reference) -> Digest:
        return source.digest or session.stores.source(source.repository).resolve(source.target).digest

    unique = tuple(dict.fromkeys(sources))
    asked = [session.tasks.add(partial(resolve, one), hosts=[one.repository.registry]) for one in unique]
    return dict(zip(unique, session.tasks.results(asked), strict=True))


def _write(wanted: _Wanted, yes: Yes, approver: Approver, path: Path) -> str:
    """Returns what was approved of and where that stands, or the command that is left to be run. An older word of the
    same person is replaced."""
    from imagesync.report.printable import printable  # noqa: PLC0415 - not for --help

    command = approver.write(yes, path)
    said = printable(_said(yes, wanted))
    return f"# {said}\n{command}" if command else f"{said}: {path}"


def _file_of(wanted: _Wanted, yes: Yes, taken: Mapping[Path, Repository]) -> Path:
    """Where it is written: what the same person has said of the same digest at another destination stays. Raises
    UsageError."""
    numbered = (f"{yes.by}.{number}" for number in range(2, _MOST_FILES))
    names = [wanted.gate.file_of(wanted.source, yes.digest, by) for by in (yes.by, *numbered)]
    for path in (Path(name) for name in dict.fromkeys(names) if name is not None):
        if taken.get(path, yes.destination) == yes.destination and _destination_in(path) in ("", str(yes.destination)):
            return path
    hint = "write one `*` where the name stands: approvals/{digest_hex}/*.json"
    raise UsageError(f"`files: {wanted.gate.files}` names no file that could be written", hint=hint)


def _destination_in(path: Path) -> str:
    """Of which destination the file there speaks; empty where it speaks of none, or there is none."""
    from imagesync.cli.files import read_file  # noqa: PLC0415 - not for --help
    from imagesync.gates.word import Word  # noqa: PLC0415

    return Word.parse(path.name, read_file(str(path)).encode()).destination if path.is_file() else ""


def _said(yes: Yes, wanted: _Wanted) -> str:
    expires = wanted.gate.expires
    until = f", until {yes.at + expires:%Y-%m-%d %H:%M} UTC" if expires is not None else ""
    return f"{yes.by} approves of {wanted.source} ({yes.digest.short}) at {wanted.destination}{until}"
