"""tags: list which tags a spec selects and why it drops the rest; --repository lists those of one repository."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from imagesync.cli.output import emit, notify, to_json
from imagesync.cli.parser import add_cache_option, add_format_option, add_run_options, add_selection_options
from imagesync.errors import UsageError
from imagesync.lazy import dataclass, field

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.plan.inventory import Broken
    from imagesync.plan.repositories import Named
    from imagesync.reference import Repository, Tag
    from imagesync.selection import Created, Selection
    from imagesync.spec.model import Rule, Spec

_LONGEST_NAME = 128
_SHOWN = 10
_SKIPPED = "skipped"
_OWN_STEPS = {"listed", "include", "always"}
"""Those that a list of tags has too: what they come to is told by the tags themselves."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", nargs="?", help="the spec; with --repository, for its logins only")
    parser.add_argument("--repository", metavar="REFERENCE", help="list this repository instead")
    parser.add_argument(
        "--tags", metavar="TAGS", help="with --repository: try a selection, written as `tags` of a spec"
    )
    add_cache_option(parser)
    add_format_option(parser, "text", "json")
    add_selection_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.repository:
        return _list_repository(arguments)
    if arguments.tags is not None:
        raise UsageError("--tags tries a selection on one repository", hint="add --repository REFERENCE")
    if not arguments.spec:
        raise UsageError("tags needs a SPEC or --repository REFERENCE")
    return _list_selections(arguments)


@dataclass(frozen=True, slots=True)
class _Selected:
    """What one rule's tags came to; `name` is empty where there is no rule."""

    name: str
    source: str
    is_listed: bool
    selection: Selection | Broken
    aliases: Mapping[Tag, Tag] = field(default_factory=dict)
    """The tag that each alias follows."""


def _list_repository(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, open_session  # noqa: PLC0415
    from imagesync.cli.sides import parse_source  # noqa: PLC0415 - not for --help
    from imagesync.plan.wants import names_of  # noqa: PLC0415
    from imagesync.settings import Settings  # noqa: PLC0415
    from imagesync.spec.model import Spec  # noqa: PLC0415

    rule = _rule_to_try(arguments)
    repository = parse_source(arguments.repository).repository
    settings = load(arguments).settings if arguments.spec else Settings()
    if rule is not None:
        return _show_selections(arguments, Spec((rule,), settings, ()))
    with open_session(Spec((), settings, ()), arguments) as session:
        names = names_of(session.stores.source(repository).list_tags())
    _show_list(repository, names, arguments.format)
    return 0


def _rule_to_try(arguments: argparse.Namespace) -> Rule | None:
    """A rule for the selection that --tags tries, if it does."""
    if arguments.tags is None:
        return None
    from imagesync.cli.sides import parse_source  # noqa: PLC0415 - not for --help
    from imagesync.errors import Place  # noqa: PLC0415
    from imagesync.spec.model import Rule  # noqa: PLC0415
    from imagesync.spec.tags import parse_tags  # noqa: PLC0415

    tags = parse_tags(arguments.tags, environment=os.environ)
    source = parse_source(arguments.repository).repository
    return Rule(entry="", image="", place=Place("--tags"), source=source, destinations=(), tags=tags)


def _list_selections(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load  # noqa: PLC0415 - not for --help

    return _show_selections(arguments, load(arguments))


def _show_selections(arguments: argparse.Namespace, spec: Spec) -> int:
    from imagesync.cli.remembering import state_for_ages  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import open_session, warn  # noqa: PLC0415
    from imagesync.plan.dead import find_dead, with_unlisted  # noqa: PLC0415
    from imagesync.plan.inventory import Broken  # noqa: PLC0415
    from imagesync.plan.wants import make_wants, select  # noqa: PLC0415
    from imagesync.report.sentences import found_sentences  # noqa: PLC0415
    from imagesync.spec.model import Rule  # noqa: PLC0415
    from imagesync.survey import find_repositories, read_choices  # noqa: PLC0415

    with open_session(spec, arguments) as session:
        expanded = find_repositories(spec.rules, session.stores, session.tasks)
        rules = [rule for rule in expanded.rules if isinstance(rule, Rule)]
        listings, chosen = read_choices(rules, session.stores, session.tasks, state=state_for_ages(session))
        selections = {rule: select(rule, listings, chosen) for rule in rules}
        cost = _cost(session, selections.values())
    wants = make_wants(expanded.rules, listings, chosen)
    warn(() if spec.is_part else find_dead(with_unlisted(spec.rules, rules), wants, listings), arguments)
    found = [_selected(one, selections) for one in expanded.rules]
    _show(found, arguments.format)
    for sentence in (*found_sentences(expanded.found), *cost) if not arguments.quiet else ():
        notify(sentence)
    return 1 if any(isinstance(one.selection, Broken) and one.selection.kind != _SKIPPED for one in found) else 0


def _cost(session: Session, selections: Iterable[Selection | Broken]) -> list[str]:
    """What it took to know when images were made; nothing where nobody asked."""
    from imagesync.plan.inventory import Broken  # noqa: PLC0415 - not for --help
    from imagesync.report.units import format_count  # noqa: PLC0415

    if not any(one.created for one in selections if not isinstance(one, Broken)):
        return []
    traffic = session.stores.registries.traffic().values()
    read = format_count(sum(one.requests.get("GET manifest", 0) for one in traffic), "manifest")
    pulls = "".join(f"; {format_count(one.left, 'pull')} left on {one.host}" for one in session.pulls())
    return [f"Read {read} to know when images were made{pulls}."]


def _selected(one: Named, selections: Mapping[Rule, Selection | Broken]) -> _Selected:
    """What a rule's tags came to, or why a glob has none."""
    from imagesync.plan.actions import Failure  # noqa: PLC0415 - not for --help
    from imagesync.plan.aliases import highest_of  # noqa: PLC0415
    from imagesync.plan.inventory import Broken  # noqa: PLC0415
    from imagesync.spec.model import Rule  # noqa: PLC0415

    if isinstance(one, Rule):
        selection = selections[one]
        aliases = {} if isinstance(selection, Broken) else highest_of(one, selection.kept)
        name = one.name if one.entry else ""
        return _Selected(name, str(one.source), one.tags.needs_list, selection, aliases)
    kind, hint = (one.kind, one.hint) if isinstance(one, Failure) else (_SKIPPED, None)
    return _Selected(one.rule, one.subject, True, Broken(one.reason, kind, hint))


def _show_list(repository: Repository, names: Iterable[str], form: str) -> None:
    from imagesync.reference import TagList  # noqa: PLC0415 - not for --help

    tags = TagList.of(names)
    illegal = [_printable(name) for name in tags.illegal]
    if form == "json":
        emit(to_json({"repository": str(repository), "tags": list(tags), "illegal": illegal}))
        return
    emit("\n".join(tags) if tags else f"{repository} has no tags.")
    if illegal:
        more = f" and {len(illegal) - _SHOWN} more" if len(illegal) > _SHOWN else ""
        notify(f"{len(illegal)} of the listed names are no legal tags: {', '.join(illegal[:_SHOWN])}{more}")


def _show(found: list[_Selected], form: str) -> None:
    if form == "json":
        emit(to_json([_to_dict(one) for one in found]))
    else:
        emit("\n".join(map(_to_text, found)) or "No images.")


def _to_text(one: _Selected) -> str:
    from imagesync.plan.inventory import Broken  # noqa: PLC0415 - not for --help
    from imagesync.report.printable import printable  # noqa: PLC0415

    selection = one.selection
    head = f"{one.name} ({one.source})" if one.name else one.source
    if isinstance(selection, Broken):
        return f"{head}\n  x {selection.reason}" + (f"\n    {selection.hint}" if selection.hint else "")
    total = len(selection.kept) + len(selection.dropped)
    asked = f"keeps {len(selection.kept)} of {total}" if one.is_listed else "named exactly, no list is read"
    kept = [f"  + {tag}{_dated(selection, tag)}" for tag in selection.kept]
    dropped = [
        f"  - {_printable(drop.tag)}{_dated(selection, drop.tag)}  {printable(drop.reason)}"
        for drop in selection.dropped
    ]
    aliases = [f"  + {alias}  alias of {tag}" for alias, tag in one.aliases.items()]
    return "\n".join([f"{head}: {asked}", *_step_lines(selection), *kept, *aliases, *dropped])


def _dated(selection: Selection, tag: str) -> str:
    """When its image was made, where that was read."""
    from datetime import UTC, datetime  # noqa: PLC0415 - few selections have dates

    created = selection.created.get(cast("Tag", tag))
    if created is None:
        return ""
    return f"  {created.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if isinstance(created, datetime) else "  date unknown"


def _step_lines(selection: Selection) -> list[str]:
    """How many each step dropped, and how many it left."""
    if {step.step for step in selection.steps} <= _OWN_STEPS:
        return []
    listed, *others = selection.steps
    first = f"    {listed.step:<11} {'':>6} {listed.left:>6}"
    return [first, *(f"    {step.step:<11} {_signed(step.change):>6} {step.left:>6} left" for step in others)]


def _signed(change: int) -> str:
    return f"{change:+d}" if change else "0"


def _to_dict(one: _Selected) -> dict[str, object]:
    from imagesync.plan.inventory import Broken  # noqa: PLC0415 - not for --help

    selection = one.selection
    shared: dict[str, object] = {**({"rule": one.name} if one.name else {}), "source": one.source}
    if isinstance(selection, Broken):
        return {**shared, "error": selection.reason, "kind": selection.kind, "hint": selection.hint}
    steps = [{"step": step.step, "change": step.change, "left": step.left} for step in selection.steps]
    dropped = [{"tag": _printable(drop.tag), "step": drop.step, "reason": drop.reason} for drop in selection.dropped]
    created = {tag: _date_to_text(date) for tag, date in sorted(selection.created.items())}
    kept = {"kept": list(selection.kept), "aliases": one.aliases}
    return {**shared, **kept, "dropped": dropped, "steps": steps, "created": created}


def _date_to_text(created: Created) -> str | None:
    from datetime import UTC, datetime  # noqa: PLC0415 - few selections have dates

    return created.astimezone(UTC).isoformat(timespec="seconds") if isinstance(created, datetime) else None


def _printable(name: str) -> str:
    """What a server lists, on its own line whatever it is."""
    from imagesync.redaction import redacted  # noqa: PLC0415 - not for --help
    from imagesync.reference import Tag  # noqa: PLC0415
    from imagesync.report.printable import printable  # noqa: PLC0415

    name = name if Tag.is_valid(name) else redacted(name)
    return printable(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…") or "''"
