"""In which order tags stand, for `newest`: by version, by the alphabet, by number, or by when they were made."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from imagesync.lazy import dataclass
from imagesync.reference import Tag
from imagesync.selection.facts import FIRST_IMAGES, NO_FACTS, Facts, Known, Reasons, Unknown
from imagesync.selection.version import Extract, VersionOrder, version_of


class Order(Enum):
    """How `sort` orders tags, the newest last."""

    VERSION = "version"
    ALPHABETICAL = "alphabetical"
    NUMERICAL = "numerical"
    CREATED = "created"


@dataclass(frozen=True, slots=True)
class Ordering:
    """The step `sort`: drops what has no place in the order."""

    order: Order = Order.VERSION
    extract: Extract | None = None
    """Where the versions are."""

    name = "sort"

    def __str__(self) -> str:
        return self.order.value

    @property
    def needs_facts(self) -> bool:
        """Whether it has to be read of each tag when its image was made."""
        return self.order is Order.CREATED

    def reasons(self, tags: Sequence[Tag], known: Known) -> Reasons:  # noqa: ARG002 - as every step
        if self.needs_facts:
            return {}  # what has no date stands there as the oldest
        what = "is not all digits" if self.order is Order.NUMERICAL else "is no version"
        return {tag: f"{what}, and has no place in the order" for tag in tags if self.key(tag) is None}

    def key(self, tag: Tag, facts: Facts = NO_FACTS) -> VersionOrder | None:
        """What to sort by; equal for no two tags. None for a tag that has no place in the order."""
        if self.order is Order.ALPHABETICAL:
            return (tag,)
        if self.order is Order.NUMERICAL:
            return (int(tag), tag) if tag.isdigit() else None
        version = version_of(tag, self.extract)
        by_version = None if version is None else (*version.order, tag)
        return self._by_date(tag, facts, by_version) if self.needs_facts else by_version

    def _by_date(self, tag: Tag, facts: Facts, by_version: VersionOrder | None) -> VersionOrder:
        """By date, what has none as the oldest; what was made in the same moment by version, as far as it is one."""
        created = facts.believed(tag)
        known = (False, FIRST_IMAGES) if isinstance(created, Unknown) else (True, created)
        return (*known, (False, tag) if by_version is None else (True, *by_version))
