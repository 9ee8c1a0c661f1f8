"""Dates: when an image says that it was made, asked for with as few reads as that takes. Pure.

The first of these that is a date: the annotation of the manifest or index, for an index that of its entry for the first
image, then the annotation of that image's manifest, and at last what its config says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from imagesync.manifest import REFERENCE_DIGEST, Content, Descriptor, Index
from imagesync.plan.contents import CannotRead
from imagesync.plan.inventory import Broken
from imagesync.plan.questions import Asking, ReadCreated, ReadManifest
from imagesync.reference import Digest, Repository
from imagesync.selection import Created, Unknown

T = TypeVar("T")
CREATED = "org.opencontainers.image.created"
UNREADABLE_KINDS = frozenset({"unsupported", "protocol", "manifest", "not-found"})
"""Errors that say that there is no image whose date could be read, today or tomorrow."""
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_date(text: object) -> datetime | None:
    """A date with its time as RFC 3339 writes it; None for whatever is none."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    zone = "+00:00" if match[4] in "Zz" else match[4]
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}{(match[3] or '')[:7]}{zone}")
    except ValueError:
        return None


def date_of(repository: Repository, digest: Digest) -> Asking[Created]:
    """When what a source has under this digest was made. Raises CannotRead where that may be known another time."""
    try:
        content = yield from _read(repository, digest)
        found = next(_annotated(content), None)
        if found is None and isinstance(content, Index):
            child = first_image(content)
            if child is None:
                return Unknown("its index lists no image")
            content = yield from _read(repository, child.digest)
            found = next(_annotated(content), None)
        return found or (yield from _configured(repository, content))
    except CannotRead as error:
        if error.broken.kind in UNREADABLE_KINDS:
            return Unknown(f"it cannot be read: {error.broken.reason}")
        raise


def first_image(index: Index) -> Descriptor | None:
    """The first entry of an index that is no attestation of another, and no index itself."""
    images = (entry for entry in index.successors() if entry.is_manifest and not entry.is_index)
    return next((entry for entry in images if not _is_attestation(entry)), None)


def needs_a_child(content: Content) -> Descriptor | None:
    """The image of an index that has to be read too, to know when it was made."""
    return first_image(content) if isinstance(content, Index) and not any(_annotated(content)) else None


def _is_attestation(entry: Descriptor) -> bool:
    is_unknown = entry.platform is not None and entry.platform.is_unknown
    return is_unknown or REFERENCE_DIGEST in entry.annotations


def _annotated(content: Content) -> Iterator[datetime]:
    """The dates in the annotations of a manifest, of an index, and of its entry for the first image."""
    annotations = json.loads(content.raw).get("annotations")
    entry = first_image(content) if isinstance(content, Index) else None
    for found in (annotations, entry.annotations if entry is not None else None):
        date = parse_date(found.get(CREATED)) if isinstance(found, dict) else None
        if date is not None:
            yield date


def _configured(repository: Repository, content: Content) -> Asking[Created]:
    if isinstance(content, Index):
        return Unknown("its index lists no image")
    question = ReadCreated(repository, content.config.digest, content.config)
    answers = yield (question,)
    return parse_date(_unless_broken(answers[question])) or Unknown("its config names no date")


def _read(repository: Repository, digest: Digest) -> Asking[Content]:
    question = ReadManifest(repository, digest)
    answers = yield (question,)
    content: Content = _unless_broken(answers[question])
    return content


def _unless_broken(answer: T | Broken) -> T:
    if isinstance(answer, Broken):
        raise CannotRead(answer)
    return answer
