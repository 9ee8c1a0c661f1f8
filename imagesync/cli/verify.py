"""verify: check signatures or attestations of an image against a key or an identity; exit code 3 where none is good."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from imagesync.cli.output import emit
from imagesync.cli.parser import add_format_option, add_run_options
from imagesync.cli.sides import SOURCE_HELP
from imagesync.cli.verifying import add_verifying_options, trust_of, wanted_of

if TYPE_CHECKING:
    from imagesync.manifest import Content
    from imagesync.reference import Digest

BLOCKED = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", metavar="REFERENCE", help=SOURCE_HELP)
    add_verifying_options(parser)
    parser.add_argument(
        "--each-platform", action="store_true", help="every platform's manifest must be signed, not the index"
    )
    parser.add_argument("--spec", metavar="SPEC", help="take logins and TLS settings from this spec")
    add_format_option(parser, "text", "json")
    add_run_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.session import load, open_session  # noqa: PLC0415
    from imagesync.cli.sides import parse_source  # noqa: PLC0415 - not for --help
    from imagesync.cli.verdicts import Judge, verdicts_as_json, verdicts_as_text  # noqa: PLC0415
    from imagesync.settings import Settings  # noqa: PLC0415
    from imagesync.spec.model import Spec  # noqa: PLC0415

    reference = parse_source(arguments.reference)
    trust, wanted = trust_of(arguments), wanted_of(arguments, reference)
    settings = load(arguments).settings if arguments.spec else Settings()
    with open_session(Spec((), settings, ()), arguments) as session:
        judge = Judge(session.stores.source(reference.repository), trust)
        root = judge.store.fetch_manifest(reference.target)
        subjects = _runnable(root) if arguments.each_platform else {root.digest: ""}
        judged = [judge.judge(wanted(digest), platform) for digest, platform in subjects.items()]
    show = verdicts_as_json if arguments.format == "json" else verdicts_as_text
    emit(show(str(reference), judged))
    return 0 if all(one.is_good for one in judged) else BLOCKED


def _runnable(root: Content) -> dict[Digest, str]:
    """The manifests that can be run, and on what; the image itself where it lists none."""
    from imagesync.manifest import Index  # noqa: PLC0415 - not for --help

    entries = [entry for entry in root.manifests if entry.is_manifest] if isinstance(root, Index) else []
    platforms = {entry.digest: entry.platform for entry in entries}
    found = {
        digest: str(platform or "") for digest, platform in platforms.items() if not platform or not platform.is_unknown
    }
    return found or {root.digest: ""}
