"""In which order tags stand, for `newest`: by version, by the alphabet, or by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from imagesync.reference import Tag
from imagesync.selection.version import Extract, VersionOrder, version_of


class Order(Enum):
    """How `sort` orders tags, the newest last."""

    VERSION = "version"
    ALPHABETICAL = "alphabetical"
    NUMERICAL = "numerical"


@dataclass(frozen=True, slots=True)
class Ordering:
    """The step `sort`: drops what has no place in the order."""

    order: Order = Order.VERSION
    extract: Extract | None = None
    """Where the versions are."""

    name = "sort"

    def __str__(self) -> str:
        return self.order.value

    def reasons(self, tags: Sequence[Tag], listed: Sequence[Tag]) -> Mapping[Tag, str]:  # noqa: ARG002 - as every step
        what = "is not all digits" if self.order is Order.NUMERICAL else "is no version"
        return {tag: f"{what}, and has no place in the order" for tag in tags if self.key(tag) is None}

    def key(self, tag: Tag) -> VersionOrder | None:
        """What to sort by; equal for no two tags. None for a tag that has no place in the order."""
        if self.order is Order.ALPHABETICAL:
            return (tag,)
        if self.order is Order.NUMERICAL:
            return (int(tag), tag) if tag.isdigit() else None
        version = version_of(tag, self.extract)
        return None if version is None else (*version.order, tag)
