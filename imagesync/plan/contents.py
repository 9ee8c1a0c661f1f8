"""Contents: asks for manifests and for what their indexes list, level by level, within bounds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from imagesync.errors import IntegrityError, InvalidManifest
from imagesync.lazy import dataclass
from imagesync.manifest import MAX_DEPTH, MAX_ENTRIES, Content, Descriptor, Index
from imagesync.plan.inventory import Broken
from imagesync.plan.questions import Asking, ReadManifest, Side
from imagesync.reference import Digest, Reference, Repository, Tag


class CannotRead(Exception):
    """Something could not be read, and what it was needed for cannot be known."""

    def __init__(self, broken: Broken) -> None:
        super().__init__(broken.reason)
        self.broken = broken


@dataclass(frozen=True, slots=True)
class Place:
    """Where manifests are read. `tag` is the one that led there, where one did: messages name it."""

    repository: Repository
    side: Side
    tag: Tag | None = None


def all_of_it(entry: Descriptor) -> bool:  # noqa: ARG001 - one of the choices of what is read
    """Read every manifest that an index lists."""
    return True


def read_contents(
    place: Place, roots: Mapping[Digest, int | None], is_read: Callable[[Descriptor], bool] = all_of_it
) -> Asking[dict[Digest, Content]]:
    """Read these manifests, and below them whatever `is_read`; sizes are checked where they are known.

    Raises CannotRead.
    """
    contents: dict[Digest, Content] = {}
    level, count = roots, 0
    for _ in range(MAX_DEPTH):
        asked = {one: ReadManifest(place.repository, one, place.side) for one in level if one not in contents}
        answers = yield tuple(asked.values())
        for digest, question in asked.items():
            contents[digest] = _as_announced(answers[question], question, level[digest])
        level = _children(level, contents, is_read)
        count += len(level)
        if not level:
            return contents
        if count > MAX_ENTRIES:
            break
    raise CannotRead(_too_large(place, roots))


def _too_large(place: Place, roots: Mapping[Digest, int | None]) -> Broken:
    limits = f"nested more than {MAX_DEPTH} levels deep, or lists more than {MAX_ENTRIES} manifests"
    reason = f"{place.side} {Reference(place.repository, place.tag, next(iter(roots)))}: index is {limits}"
    return Broken(reason, InvalidManifest.kind, "copy the images that it lists one by one")


def _as_announced(found: Content | Broken, question: ReadManifest, size_bytes: int | None) -> Content:
    """What was read, unless it is of another size than the index says that lists it."""
    if isinstance(found, Broken):
        raise CannotRead(found)
    if size_bytes in (None, len(found.raw)):
        return found
    reference = Reference(question.repository, None, question.digest)
    reason = f"{question.side} {reference}: {len(found.raw)} bytes, the index says {size_bytes}"
    raise CannotRead(Broken(reason, IntegrityError.kind))


def _children(
    digests: Iterable[Digest], contents: Mapping[Digest, Content], is_read: Callable[[Descriptor], bool]
) -> dict[Digest, int | None]:
    """The manifests that these list, each with the size that its entry says."""
    indexes = [content for digest in digests if isinstance(content := contents.get(digest), Index)]
    entries = [entry for index in indexes for entry in index.successors() if entry.is_manifest and is_read(entry)]
    return {entry.digest: entry.size_bytes for entry in entries}
