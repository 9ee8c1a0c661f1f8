"""tags: list which tags a spec selects and why it drops the rest; --repository lists those of one repository."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from imagesync.cli.output import emit, to_json
from imagesync.cli.parser import add_format_option, add_run_options, add_selection_options
from imagesync.errors import UsageError

if TYPE_CHECKING:
    from imagesync.plan.inventory import Broken
    from imagesync.selection import Selection
    from imagesync.spec.model import Rule


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", nargs="?", help="the spec; with --repository, for its logins only")
    parser.add_argument("--repository", metavar="REFERENCE", help="list this repository instead")
    add_format_option(parser, "text", "json")
    add_selection_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.repository:
        return _list_repository(arguments)
    if not arguments.spec:
        raise UsageError("tags needs a SPEC or --repository REFERENCE")
    return _list_selections(arguments)


def _list_repository(arguments: argparse.Namespace) -> int:
    from imagesync.cli.copy import parse_source  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import load, open_session  # noqa: PLC0415
    from imagesync.settings import Settings  # noqa: PLC0415
    from imagesync.spec.model import Spec  # noqa: PLC0415

    repository = parse_source(arguments.repository).repository
    settings = load(arguments).settings if arguments.spec else Settings()
    spec = Spec((), settings, ())
    with open_session(spec, arguments) as session:
        tags = session.stores.source(repository).list_tags()
    if arguments.format == "json":
        emit(to_json({"repository": str(repository), "tags": list(tags)}))
    else:
        emit("\n".join(tags) if tags else f"{repository} has no tags.")
    return 0


def _list_selections(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, open_session  # noqa: PLC0415 - not for --help
    from imagesync.plan.inventory import Broken  # noqa: PLC0415
    from imagesync.plan.wants import select  # noqa: PLC0415
    from imagesync.survey import read_listings  # noqa: PLC0415

    spec = load(arguments)
    with open_session(spec, arguments) as session:
        listings = read_listings(spec.rules, session.stores, session.tasks)
    found = [(rule, select(rule, listings)) for rule in spec.rules]
    if arguments.format == "json":
        emit(to_json([_to_dict(rule, selection) for rule, selection in found]))
    else:
        emit("\n".join(_to_text(rule, selection) for rule, selection in found) or "No images.")
    return 1 if any(isinstance(selection, Broken) for _, selection in found) else 0


def _to_text(rule: Rule, selection: Selection | Broken) -> str:
    from imagesync.plan.inventory import Broken  # noqa: PLC0415 - not for --help

    head = f"{rule.name} ({rule.source})"
    if isinstance(selection, Broken):
        return f"{head}\n  x {selection.reason}" + (f"\n    {selection.hint}" if selection.hint else "")
    total = len(selection.kept) + len(selection.dropped)
    asked = f"keeps {len(selection.kept)} of {total}" if rule.tags.needs_list else "named exactly, no list is read"
    kept = [f"  + {tag}" for tag in selection.kept]
    dropped = [f"  - {drop.tag}  {drop.reason}" for drop in selection.dropped]
    return "\n".join([f"{head}: {asked}", *kept, *dropped])


def _to_dict(rule: Rule, selection: Selection | Broken) -> dict[str, object]:
    from imagesync.plan.inventory import Broken  # noqa: PLC0415 - not for --help

    shared: dict[str, object] = {"rule": rule.name, "source": str(rule.source)}
    if isinstance(selection, Broken):
        return {**shared, "error": selection.reason, "kind": selection.kind, "hint": selection.hint}
    dropped = [{"tag": drop.tag, "reason": drop.reason} for drop in selection.dropped]
    return {**shared, "kept": list(selection.kept), "dropped": dropped}
