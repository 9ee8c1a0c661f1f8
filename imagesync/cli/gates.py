"""gates: judge one image by one gate of a spec, and move nothing; exit code 3 where it is held back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from imagesync.cli.output import emit, to_json
from imagesync.cli.parser import add_format_option, add_run_options, add_spec_argument
from imagesync.cli.sides import SOURCE_HELP
from imagesync.errors import StoreError, UsageError

if TYPE_CHECKING:
    from imagesync.gates import Gate, Verdict
    from imagesync.reference import Reference
    from imagesync.spec import Spec

HELD_BACK = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("name", metavar="NAME", help="the name of a gate under `gates` of the spec")
    parser.add_argument("reference", metavar="REFERENCE", help=SOURCE_HELP)
    add_format_option(parser, "text", "json")
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.remembering import open_memory  # noqa: PLC0415
    from imagesync.cli.session import load, open_session  # noqa: PLC0415
    from imagesync.cli.sides import parse_source  # noqa: PLC0415 - not for --help
    from imagesync.plan.contents import CannotRead  # noqa: PLC0415
    from imagesync.plan.gathering import examine  # noqa: PLC0415
    from imagesync.reference import Reference  # noqa: PLC0415
    from imagesync.survey import ask  # noqa: PLC0415

    spec = load(arguments)
    gate, named = _gate(spec, arguments.name), parse_source(arguments.reference)
    with open_session(spec, arguments) as session:
        digest = session.stores.source(named.repository).resolve(named.target).digest
        reference, state = Reference(named.repository, named.tag, digest), open_memory(session).known
        try:
            verdict = ask(examine(gate, reference, state), session.stores, session.tasks)
        except CannotRead as error:
            raise StoreError(error.broken.reason, hint=error.broken.hint) from error
    emit(_shown(verdict, reference, arguments.format))
    return HELD_BACK if verdict.ruling.holds_back else 0


def _gate(spec: Spec, name: str) -> Gate:
    from imagesync.spec.nearness import near_words  # noqa: PLC0415 - not for --help

    gates = {gate.name: gate for gate in spec.gates}
    if name not in gates:
        near = near_words(name, gates)
        there = f"there is: {', '.join(gates)}" if gates else "the spec names none"
        raise UsageError(f"no gate is called {name!a}", hint=f"did you mean {near[0]}?" if near else there)
    return gates[name]


def _shown(verdict: Verdict, reference: Reference, form: str) -> str:
    from imagesync.plan.verdicts import verdicts_to_dicts  # noqa: PLC0415 - not for --help
    from imagesync.report.printable import printable  # noqa: PLC0415

    if form == "json":
        return to_json({"reference": str(reference), "digest": reference.digest, **verdicts_to_dicts([verdict])[0]})
    lines = [str(reference), f"  {verdict.ruling.value}: {verdict}", *([f"  {verdict.hint}"] if verdict.hint else [])]
    return "\n".join(map(printable, lines))
