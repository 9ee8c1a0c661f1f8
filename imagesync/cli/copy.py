"""copy: copy one image from SOURCE to DESTINATION; by the same plan and executor as everything else."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.apply import add_report_options
from imagesync.cli.parser import add_cache_option, add_run_options
from imagesync.errors import Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagesync.gates import Gate
    from imagesync.reference import Reference, Repository, Tag
    from imagesync.selection import Platforms
    from imagesync.spec.model import AttachmentType, Immutable, Rule, Spec

INDEX_FILE = "index.json"
MAX_SHOWN = 10
_PLACE = Place("command line")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a reference, oci:DIRECTORY[:TAG] or oci-archive:FILE[:TAG]")
    parser.add_argument(
        "destination",
        metavar="DESTINATION",
        help="a reference or oci:DIRECTORY[:TAG]; the source's tag unless one is given",
    )
    parser.add_argument(
        "--attachments",
        choices=("all", "none"),
        default="all",
        help="whether signatures, attestations, SBOMs and referrers travel with the image (default: all)",
    )
    parser.add_argument(
        "--platform",
        action="append",
        metavar="PLATFORM",
        help="copy this platform of an index, as linux/amd64 or linux/arm/v7; repeat it for more (default: all)",
    )
    parser.add_argument(
        "--index",
        choices=("rewrite", "sparse", "flatten"),
        help="with --platform: an index of just these (default), the index as it is, or the one image itself",
    )
    parser.add_argument("--spec", metavar="SPEC", help="take logins, TLS, immutable tags and gates from this spec")
    add_cache_option(parser)
    add_report_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.apply import check_report, execute  # noqa: PLC0415 - not for --help
    from imagesync.cli.plan import check_plan_report  # noqa: PLC0415
    from imagesync.cli.session import open_session  # noqa: PLC0415

    (check_plan_report if arguments.dry_run else check_report)(arguments)
    spec = _spec(arguments)
    with open_session(spec, arguments) as session:
        return execute(arguments, session)


def _spec(arguments: argparse.Namespace) -> Spec:
    """A spec with the one rule that the command line says."""
    from imagesync.settings import Settings  # noqa: PLC0415
    from imagesync.spec import load_spec  # noqa: PLC0415
    from imagesync.spec.model import Spec  # noqa: PLC0415

    rule = replace(
        _rule(arguments.source, arguments.destination),
        attachments=_attachments(arguments.attachments),
        platforms=_platforms(arguments.platform or (), arguments.index),
    )
    if arguments.spec is None:
        return Spec((rule,), Settings(), ())
    spec = load_spec(arguments.spec, environment=os.environ)
    rule = replace(rule, immutable=_immutable_at(rule.destinations, spec), gates=_gates_at(rule.destinations, spec))
    return Spec((rule,), spec.settings, ())


def _immutable_at(destinations: tuple[Repository, ...], spec: Spec) -> Immutable:
    """What a spec says of the tags there: it holds for what is copied there by hand as well."""
    from imagesync.spec.model import Immutable  # noqa: PLC0415 - not for --help

    rules = [rule for rule in spec.rules if any(map(rule.may_write, destinations))]
    return Immutable(tuple(pattern for rule in rules for pattern in rule.immutable.patterns))


def _gates_at(destinations: tuple[Repository, ...], spec: Spec) -> tuple[Gate, ...]:
    """The gates of all that a spec brings there: none of them is passed by hand."""
    from imagesync.gates import insisting  # noqa: PLC0415 - not for --help

    rules = [rule for rule in spec.rules if any(map(rule.may_write, destinations))]
    return tuple(dict.fromkeys(insisting(gate) for rule in rules for gate in rule.gates))


def _attachments(said: str) -> frozenset[AttachmentType]:
    from imagesync.spec.model import ALL_ATTACHMENTS, NO_ATTACHMENTS  # noqa: PLC0415 - not for --help

    return ALL_ATTACHMENTS if said == "all" else NO_ATTACHMENTS


def _platforms(names: Sequence[str], form: str | None) -> Platforms:
    from imagesync.selection import IndexForm, PlatformPattern, Platforms  # noqa: PLC0415 - not for --help

    if form is not None and not names:
        raise UsageError("--index says what becomes of an index of which platforms are left out", hint="add --platform")
    found = Platforms.of(map(PlatformPattern.parse, names), IndexForm(form or IndexForm.REWRITE.value))
    if found.index is IndexForm.FLATTEN and len(found.keep) > 1:
        raise UsageError(f"--index flatten copies one platform, and {len(found.keep)} are named", hint="name one")
    return found


def _rule(source_text: str, destination_text: str) -> Rule:
    from imagesync.selection import Retag, TagFilter  # noqa: PLC0415
    from imagesync.spec.model import Rule  # noqa: PLC0415

    source = parse_source(source_text)
    destination = parse_side(destination_text, path=source.repository.path)
    if destination_text.startswith("oci-archive:"):
        raise UsageError(f"{destination_text}: an archive can only be read", hint="write to oci:DIRECTORY")
    said = _said_tag(destination_text, destination)
    tag = said or source.tag
    if tag is None:
        raise UsageError(
            f"{destination_text} needs a tag, since {source_text} has none", hint=f"{destination_text}:TAG"
        )
    if destination.digest is not None:
        raise UsageError(f"{destination_text} has a digest: content is written to a tag", hint="leave @… out")
    if (destination.repository, tag) == (source.repository, source.tag):
        raise UsageError(f"{source_text} and {destination_text} are the same")
    selected = source.tag or tag
    return Rule(
        entry="copy",
        image=source.repository.path,
        place=_PLACE,
        source=source.repository,
        destinations=(destination.repository,),
        tags=TagFilter.parse([selected]),
        digest=source.digest,
        retag=Retag(names=((selected, tag),)),
    )


def parse_side(text: str, *, path: str | None = None) -> Reference:
    """A reference, or a folder or archive of layouts with an optional tag; `path` names a new folder's repository."""
    from imagesync.reference import LAYOUT_SCHEMES, Reference, Repository, Tag, parse_reference  # noqa: PLC0415
    from imagesync.spec.names import layout_name  # noqa: PLC0415 - as above, not for --help

    scheme = next((scheme for scheme in LAYOUT_SCHEMES if text.startswith(scheme)), None)
    if scheme is None:
        return parse_reference(text)
    place, colon, tag = text.removeprefix(scheme).rpartition(":")
    if not colon or "/" in tag:
        place, tag = text.removeprefix(scheme), ""
    if not place:
        raise UsageError(f"{text} names no {'directory' if scheme == 'oci:' else 'file'}")
    repository = Repository(scheme + place, path or layout_name(scheme + place))
    return Reference(repository, Tag(tag) if tag else Tag("latest"))


def parse_source(text: str) -> Reference:
    """As parse_side, for what must be there: a folder that is no layout raises UsageError, which shows what is."""
    reference = parse_side(text)
    place = Path(reference.repository.registry.removeprefix("oci:"))
    if not text.startswith("oci:") or (place / INDEX_FILE).is_file():
        return reference
    if not place.is_dir():
        raise UsageError(f"{text}: there is no directory {place}")
    inner = sorted(str(found.parent) for found in islice(place.rglob(INDEX_FILE), MAX_SHOWN))
    hint = f"below it there is {', '.join(f'oci:{found}' for found in inner)}" if inner else None
    raise UsageError(f"{text}: {place} is not a layout", hint=hint)


def _said_tag(text: str, reference: Reference) -> Tag | None:
    """The tag that was written, None where it was only the default."""
    return reference.tag if text.endswith(f":{reference.tag}") else None
