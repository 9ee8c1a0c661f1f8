"""promote: move a release to a stage, all its images or none, by digest and on record; -o FILE saves the plan."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from imagesync.cli.apply import add_report_options
from imagesync.cli.parser import add_cache_option, add_run_options, add_spec_argument
from imagesync.errors import UsageError

if TYPE_CHECKING:
    from imagesync.plan.unit import Unit
    from imagesync.reference import Tag
    from imagesync.spec.model import Spec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_argument(parser)
    parser.add_argument("release", metavar="NAME:VERSION", help="a promotion of the spec, and the version that moves")
    parser.add_argument("--to", required=True, metavar="STAGE", help="the stage that it comes to")
    parser.add_argument(
        "--from", dest="source", metavar="STAGE", help="the stage that it comes from (default: the one before)"
    )
    parser.add_argument("--ticket", default="", metavar="TEXT", help="what the record names as its occasion")
    parser.add_argument("-o", "--output", metavar="FILE", help="save the plan for `apply --plan`, and do nothing")
    add_cache_option(parser)
    add_report_options(parser)
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.apply import check_report, show_only  # noqa: PLC0415 - not for --help
    from imagesync.cli.files import check_writable  # noqa: PLC0415
    from imagesync.cli.plan import check_plan_report, save  # noqa: PLC0415
    from imagesync.cli.promoting import carry_out_release, open_release, plan_release  # noqa: PLC0415
    from imagesync.cli.session import load, open_session  # noqa: PLC0415

    is_plan_only = arguments.dry_run or arguments.output
    if arguments.output:
        check_writable(arguments.output)
    (check_plan_report if is_plan_only else check_report)(arguments)
    spec = load(arguments)
    unit = unit_of(arguments, spec)
    with open_session(spec, arguments) as session:
        release = open_release(session, unit)
        plan = plan_release(session, release)
        if not is_plan_only:
            return carry_out_release(arguments, session, release, plan)
    if arguments.output:
        save(arguments, plan)
    return show_only(arguments, plan, release.reviewers)


def parse_release(text: str) -> tuple[str, Tag]:
    """`shop:1.4.0` as name and version. Raises UsageError, and InvalidReference for a version that is no tag."""
    from imagesync.reference import Tag  # noqa: PLC0415 - not for --help

    name, _, version = text.partition(":")
    if not name or not version:
        raise UsageError(f"{text!a} is no release", hint="write NAME:VERSION, as shop:1.4.0")
    return name, Tag(version)


def unit_of(arguments: argparse.Namespace, spec: Spec) -> Unit:
    """What is to move where. Raises UsageError, and InvalidReference for a version that is no tag."""
    from imagesync.plan.unit import Unit  # noqa: PLC0415 - not for --help
    from imagesync.promotion.rules import find_promotion  # noqa: PLC0415

    name, version = parse_release(arguments.release)
    promotion = find_promotion(spec, name)
    stage = promotion.stage(arguments.to)
    source = promotion.stage(arguments.source) if arguments.source else promotion.before(stage)
    if source is None:
        raise UsageError(f"{stage.name} is the first stage", hint="nothing is promoted there: images are pushed to it")
    if promotion.stages.index(source) >= promotion.stages.index(stage):
        raise UsageError(f"{source.name} does not come before {stage.name}", hint="a release moves along the stages")
    return Unit(
        promotion=name,
        version=version,
        stage=stage.name,
        source_stage=source.name,
        current=stage.current,
        ticket=arguments.ticket,
    )
