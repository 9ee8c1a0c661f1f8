"""What a command line names as a source or destination: a reference, or a folder or archive with an optional name."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.errors import UsageError

if TYPE_CHECKING:
    from imagesync.reference import Reference

SOURCE_HELP = "a reference, oci:DIRECTORY[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME[:TAG]]"
INDEX_FILE = "index.json"
MAX_SHOWN = 10


def parse_side(text: str, *, path: str | None = None) -> Reference:
    """A reference, or a folder or archive of layouts with an optional tag; `path` names a new folder's repository."""
    from imagesync.reference import (  # noqa: PLC0415 - not for --help
        DOCKER_ARCHIVE,
        LAYOUT_SCHEMES,
        Reference,
        Repository,
        Tag,
        parse_reference,
    )
    from imagesync.spec.names import layout_name  # noqa: PLC0415

    scheme = next((scheme for scheme in LAYOUT_SCHEMES if text.startswith(scheme)), None)
    if scheme is None:
        return parse_reference(text)
    if scheme == DOCKER_ARCHIVE:
        return _saved_side(text)
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


def _saved_side(text: str) -> Reference:
    """A name in a docker-archive; without one the only image that there is."""
    from imagesync.reference import DOCKER_ARCHIVE, Reference, Tag  # noqa: PLC0415 - not for --help
    from imagesync.spec.names import SourceName, image_below  # noqa: PLC0415

    file, colon, written = text.removeprefix(DOCKER_ARCHIVE).partition(":")
    if not file:
        raise UsageError(f"{text} names no file")
    if not colon:
        return _only_image(Path(file))
    found = image_below(SourceName(f"{DOCKER_ARCHIVE}{file}"), written, is_literal=True)
    tag = found.name.tag or (Tag("latest") if found.name.digest is None else None)
    return Reference(found.repository, tag, found.name.digest)


def _only_image(file: Path) -> Reference:
    from imagesync.archive import DockerArchive  # noqa: PLC0415 - not for --help
    from imagesync.archive.names import SavedName, reference_in  # noqa: PLC0415
    from imagesync.cancellation import Cancellation  # noqa: PLC0415
    from imagesync.reference import DOCKER_ARCHIVE  # noqa: PLC0415
    from imagesync.spec.names import layout_name  # noqa: PLC0415

    registry = f"{DOCKER_ARCHIVE}{file}"
    images = DockerArchive(file, Cancellation()).images()
    if len(images) > 1:
        names = [str(name) for one in images for name in one.names]
        shown = ", ".join(f"{registry}:{name}" for name in names[:MAX_SHOWN])
        hint = f"name one: {shown}" if names else "none of them has a name"
        raise UsageError(f"{registry} holds {len(images)} images", hint=hint)
    (name, *_) = images[0].names or (SavedName(None, None),)
    return reference_in(registry, name, layout_name(registry))
