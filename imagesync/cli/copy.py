"""copy: copy one image from SOURCE to DESTINATION; by the same plan and executor as everything else."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from imagesync.cli.apply import add_report_options
from imagesync.cli.parser import add_cache_option, add_run_options
from imagesync.cli.sides import SOURCE_HELP
from imagesync.errors import Place, UsageError
from imagesync.lazy import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imagesync.gates import Gate
    from imagesync.reference import Reference, Repository, Tag
    from imagesync.selection import Platforms
    from imagesync.spec.model import AttachmentType, Immutable, Rule, Spec
    from imagesync.spec.stages import Stage

_PLACE = Place("command line")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help=SOURCE_HELP)
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

    return Immutable(tuple(pattern for one in _bringing(destinations, spec) for pattern in one.immutable.patterns))


def _gates_at(destinations: tuple[Repository, ...], spec: Spec) -> tuple[Gate, ...]:
    """The gates of all that a spec brings there: none of them is passed by hand."""
    from imagesync.gates import insisting  # noqa: PLC0415 - not for --help

    return tuple(dict.fromkeys(insisting(gate) for one in _bringing(destinations, spec) for gate in one.gates))


def _bringing(destinations: tuple[Repository, ...], spec: Spec) -> Iterator[Rule | Stage]:
    """The rules that write there, and the stages to which releases come there."""
    yield from (rule for rule in spec.rules if any(map(rule.may_write, destinations)))
    for promotion in spec.promotions:
        for stage in promotion.stages:
            if any(stage.repository_of(image) in destinations for image in promotion.images):
                yield stage


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
    from imagesync.cli.sides import parse_side, parse_source  # noqa: PLC0415
    from imagesync.reference import ARCHIVE_SCHEMES  # noqa: PLC0415
    from imagesync.selection import Retag, TagFilter  # noqa: PLC0415
    from imagesync.spec.model import Rule  # noqa: PLC0415

    if destination_text.startswith(ARCHIVE_SCHEMES):
        raise UsageError(f"{destination_text}: an archive can only be read", hint="write to oci:DIRECTORY")
    source = parse_source(source_text)
    destination = parse_side(destination_text, path=source.repository.path_below_host)
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


def _said_tag(text: str, reference: Reference) -> Tag | None:
    """The tag that was written, None where it was only the default."""
    return reference.tag if text.endswith(f":{reference.tag}") else None
