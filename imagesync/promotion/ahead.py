"""Ahead: the versions at the stage before that a stage has not come to yet. Pure, over records or tag lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from imagesync.lazy import dataclass
from imagesync.plan.unit import Move
from imagesync.promotion.record import Record
from imagesync.reference import Tag
from imagesync.selection import TagFilter, Version, VersionRange, Versions
from imagesync.spec.stages import Promotion, Stage

_ANY_VERSION = TagFilter((Versions(VersionRange.parse("*"), suffix="any", prereleases=True),))


@dataclass(frozen=True, slots=True)
class Ahead:
    """The versions, the one that is next first; or why nobody knows."""

    versions: tuple[Tag, ...] = ()
    unknown: str = ""


NOTHING_AHEAD = Ahead()


def ahead_on_record(records: Iterable[Record], released: Record | None) -> Ahead:
    """By how releases came to the stage before, the latest first: back to what the stage runs itself. What a rollback
    has left behind is not ahead."""
    found: dict[Tag, None] = {}
    back_to: Tag | None = None
    for record in records:
        if released is not None and record.digests == released.digests:
            break
        if back_to in (None, record.version):
            back_to = record.version if record.move is Move.ROLLBACK else None
            found[record.version] = None
    return Ahead(tuple(found))


@dataclass(frozen=True, slots=True)
class FirstStage:
    """What there is at the stage that images are pushed to: the tags of each image, and the versions that have a
    release file."""

    tags: Sequence[Collection[Tag]]
    filed: Collection[Tag] = ()


def ahead_in_lists(promotion: Promotion, found: FirstStage, released: Record | None) -> Ahead:
    """By the tags that all images have: versions above what the stage runs, of its variant. A tag that is no version
    says nothing of its age."""
    names = [_versions_at_first(promotion, tags) for tags in found.tags]
    tags = (*(frozenset.intersection(*names) if names else ()), *found.filed)
    versions = {tag: version for tag in tags if (version := Version.parse(tag)) is not None}
    return Ahead(tuple(sorted(_above(versions, released), key=lambda tag: versions[tag].order, reverse=True)))


def _above(versions: Mapping[Tag, Version], released: Record | None) -> Iterator[Tag]:
    if released is None:
        yield from (tag for tag, version in versions.items() if not version.variant)
        return
    own = Version.parse(released.version)
    if own is not None:
        likes = ((tag, version) for tag, version in versions.items() if version.variant == own.variant)
        yield from (tag for tag, version in likes if version.order > own.order)


def _versions_at_first(promotion: Promotion, tags: Collection[Tag]) -> frozenset[Tag]:
    """Of one image; what floats does so over its own tags, which others need not have."""
    names = {name for tag in tags if (name := _version_at_first(promotion, tag)) is not None}
    return frozenset(_ANY_VERSION.select_by_name(names).kept)


def _version_at_first(promotion: Promotion, tag: Tag) -> Tag | None:
    """The version that a tag of the first stage stands for; None where it is another stage's in the same place."""
    first, *others = promotion.stages
    version = first.retag.undone(tag)
    is_others = any(_is_named_at(stage, tag) for stage in others if stage.root == first.root)
    return None if version is None or is_others else version


def _is_named_at(stage: Stage, tag: Tag) -> bool:
    """Whether a tag looks like what a stage makes of a version, which it does not call as it is called everywhere."""
    is_renaming = stage.retag.template != "{tag}"
    return tag == stage.current or (is_renaming and stage.retag.undone(tag) is not None)
