"""release: write down what a release is made of; `release create` asks the first stage for the digest of each image."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.output import emit
from imagesync.cli.parser import Parser, add_log_options, add_run_options, add_spec_argument
from imagesync.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imagesync.cli.session import Session
    from imagesync.manifest import Descriptor
    from imagesync.reference import Reference, Tag
    from imagesync.spec.release import ReleasedImage
    from imagesync.spec.stages import Promotion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="create", required=True, parser_class=Parser)
    create = actions.add_parser("create", help="write releases/NAME-VERSION.yaml beside the spec, for review")
    add_spec_argument(create)
    create.add_argument("release", metavar="NAME:VERSION", help="a promotion of the spec, and what to call the release")
    create.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="NAME=TAG",
        help="take this tag of an image (repeatable; default: the version)",
    )
    add_run_options(create)
    add_log_options(create)


def run(arguments: argparse.Namespace) -> int:
    from imagesync.cli.promote import parse_release  # noqa: PLC0415 - not for --help
    from imagesync.cli.session import load, open_session  # noqa: PLC0415
    from imagesync.promotion.rules import find_promotion  # noqa: PLC0415
    from imagesync.spec.release import Release, release_path, release_to_text  # noqa: PLC0415

    spec = load(arguments)
    name, version = parse_release(arguments.release)
    promotion = find_promotion(spec, name)
    tags = _tags(arguments.image, promotion, version)
    with open_session(spec, arguments) as session:
        release = Release(name, version, _resolved(session, tags))
    path = Path(spec.directory) / release_path(name, version)
    _write(path, release_to_text(release))
    emit(f"Wrote {path}: {', '.join(f'{one} {image.tag}' for one, image in release.images.items())}.")
    return 0


def _tags(said: list[str], promotion: Promotion, version: Tag) -> Mapping[str, Reference]:
    """The tag of each image at the first stage. Raises UsageError for what is no image of the promotion."""
    from imagesync.reference import Reference, Tag  # noqa: PLC0415 - not for --help

    own = {name: Tag(tag) for name, _, tag in (one.partition("=") for one in said)}
    known = [image.name for image in promotion.images]
    foreign = [name for name in own if name not in known]
    if foreign:
        raise UsageError(f"{promotion.name} has no image {foreign[0]!a}", hint=f"it has: {', '.join(known)}")
    first = promotion.stages[0]
    return {
        image.name: Reference(first.repository_of(image), own.get(image.name) or first.tag_of(version))
        for image in promotion.images
    }


def _resolved(session: Session, tags: Mapping[str, Reference]) -> dict[str, ReleasedImage]:
    """Each image with the digest of its tag. Raises StoreError where one is missing."""
    from imagesync.spec.release import ReleasedImage  # noqa: PLC0415 - not for --help

    def resolve(tag: Reference) -> Descriptor:
        return session.stores.source(tag.repository).resolve(tag.target)

    asked = [session.tasks.add(partial(resolve, tag), hosts=[tag.repository.registry]) for tag in tags.values()]
    found = zip(tags.items(), session.tasks.results(asked), strict=True)
    return {name: ReleasedImage(tag.tag, head.digest) for (name, tag), head in found if tag.tag is not None}


def _write(path: Path, text: str) -> None:
    """A release is what it is: one that says something else is not overwritten."""
    from imagesync.cli.files import make_folder_of, read_file, write_file  # noqa: PLC0415 - not for --help

    if path.exists() and read_file(str(path)) != text:
        raise UsageError(f"{path} says something else already", hint="give the release another version, or delete it")
    make_folder_of(str(path))
    write_file(str(path), text)
