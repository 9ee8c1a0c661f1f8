"""Facts: what may be known of tags besides their names, and what a selection asks for where names do not decide.

Pure: a selection says what it needs, somebody reads it, and the selection is made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from imagesync.lazy import dataclass, field
from imagesync.reference import Digest, Tag

FIRST_IMAGES = datetime(2013, 1, 1, tzinfo=UTC)
"""No image is older: a date before it is what a reproducible build writes, 1970 and 1980 above all."""
CLOCK_SKEW = timedelta(days=1)
"""By how much a date may lie in the future: clocks differ, and a day is the same day everywhere within one."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What nobody can say of a tag, and why."""

    reason: str


Created = datetime | Unknown
"""When the image of a tag says that it was made."""


class Sight(Protocol):
    """A digest that a tag was seen to have, and when that was first."""

    @property
    def digest(self) -> Digest: ...

    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What a tag points to now, and whatever it was seen to point to; `sights` is None where nobody remembers."""

    digest: Digest
    sights: tuple[Sight, ...] | None = None

    @property
    def first_seen(self) -> datetime | None:
        """When it was first seen with the digest that it has; None where it never was, or nobody remembers."""
        return {sight.digest: sight.at for sight in self.sights or ()}.get(self.digest)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read of a source's tags so far, and the time of the run, in UTC.

    `standings` has None for a tag that is not there. `pushed` tells when the registry got what a tag points to, and
    `held` of digests that tags had earlier whether the source has them still. Where a question was not answered, each
    has why.
    """

    now: datetime
    created: Mapping[Tag, Created] = field(default_factory=dict)
    standings: Mapping[Tag, Standing | Unknown | None] = field(default_factory=dict)
    pushed: Mapping[Tag, datetime | Unknown] = field(default_factory=dict)
    held: Mapping[Digest, bool | Unknown] = field(default_factory=dict)

    def believed(self, tag: Tag) -> Created:
        """When the tag's image was made, unless that is no date for an image of our days."""
        said = self.created[tag]
        if isinstance(said, Unknown):
            return said
        if said < FIRST_IMAGES:
            return Unknown(f"its date is {said:%Y-%m-%d}, as reproducible builds write it")
        return said if said <= self.now + CLOCK_SKEW else Unknown(f"its date is {said:%Y-%m-%d}, in the future")


NO_FACTS = Facts(datetime.min.replace(tzinfo=UTC))
"""Enough for whatever looks at names alone."""


@dataclass(frozen=True, slots=True)
class NeedsFacts:
    """What has to be read before it can be told which tags are kept."""

    created: tuple[Tag, ...] = ()
    standings: tuple[Tag, ...] = ()
    pushed: tuple[Tag, ...] = ()
    held: tuple[tuple[Tag, Digest], ...] = ()
    """Digests that tags had earlier."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a step may look at: all legal tags that the source lists, and what was read of some."""

    listed: Sequence[Tag]
    facts: Facts


Reasons = Mapping[Tag, str]
"""Tags to drop, each with why."""


def without_date(tags: Sequence[Tag], facts: Facts) -> tuple[Tag, ...]:
    """Those of which nobody has read yet when they were made."""
    return tuple(tag for tag in tags if tag not in facts.created)
