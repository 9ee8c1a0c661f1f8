"""Versions that a stage may take by itself: those that `versions: "*"` takes, in the order of versions. Pure.

Of a first stage they are what its tag lists have of every image; a release file says the same of one version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from imagesync.reference import Tag
from imagesync.selection import TagFilter, Version, VersionRange, Versions
from imagesync.spec.stages import Stage

_PLAIN = TagFilter((Versions(VersionRange.parse("*")),))
"""No words, no pre-releases, no variants, and nothing that floats over others."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a stage has for the next one: its newest version, or None and why there is none."""

    version: Tag | None
    reason: str = ""
    """Of a version, what else is to be known of it."""


def why_not_plain(version: Tag) -> str | None:
    """Why a version is none that a stage takes by itself; None where it is."""
    return next((drop.reason for drop in _PLAIN.select_by_name([version]).dropped), None)


def is_newer(version: Tag, than: Tag) -> bool:
    """Whether it is a higher version. What is none is not, and nothing is higher than it."""
    one, other = Version.parse(version), Version.parse(than)
    return one is not None and other is not None and one.order > other.order


def offer_of_first(stage: Stage, lists: Mapping[str, Iterable[str]], released: Collection[Tag]) -> Offer:
    """What the first stage has: `lists` are the tags of each image there, `released` the versions with a file."""
    found = {image: frozenset(_versions_in(stage, tags)) for image, tags in lists.items()}
    whole = frozenset.intersection(*found.values()).union(version for version in released if not why_not_plain(version))
    newest, partial = _newest(whole), _newest(frozenset.union(*found.values()))
    if partial is not None and (newest is None or is_newer(partial, newest)):
        lacking = ", ".join(image for image, versions in found.items() if partial not in versions)
        return Offer(newest, f"{partial} is not at {stage.name} yet: {lacking} lacks it")
    return Offer(newest, "" if newest is not None else f"{stage.name} has no version")


def _versions_in(stage: Stage, tags: Iterable[str]) -> Iterable[Tag]:
    versions = [stage.retag.undone(Tag(tag)) for tag in tags if Tag.is_valid(tag)]
    return _PLAIN.select_by_name([version for version in versions if version is not None]).kept


def _newest(versions: Iterable[Tag]) -> Tag | None:
    orders = {version: parsed.order for version in versions if (parsed := Version.parse(version)) is not None}
    return max(orders, key=lambda version: (orders[version], version), default=None)
