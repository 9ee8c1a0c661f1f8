"""Entries of a journal, by their tags alone: `shop.staging.20260301T120000Z-0123456789ab.started`. Pure.

The records of one promotion share all but the last word, and the letters begin with those of the version. So what
has begun and has not ended, whether a hold stands, and where a version may be on record, one tag list tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import sha256

from imagesync.lazy import dataclass
from imagesync.reference import Tag

_NAME = "[a-z0-9][a-z0-9_-]{0,39}"
_ENTRY = re.compile(
    rf"(?P<promotion>{_NAME})\.(?P<stage>{_NAME})"
    r"\.(?P<at>2\d{7}T\d{6}Z)-(?P<letters>[0-9a-f]{12})\.(?P<kind>started|finished|withdrawn|hold|release)",
    re.ASCII,
)
_TIME = "%Y%m%dT%H%M%SZ"


class Kind(Enum):
    """What a record says has happened, in the order in which it does."""

    HOLD = "hold"
    RELEASE = "release"
    STARTED = "started"
    FINISHED = "finished"
    WITHDRAWN = "withdrawn"
    """It had started, and was ended before it wrote a tag: the stage is as it was."""


MOVES = (Kind.STARTED, Kind.FINISHED)
HOLDS = (Kind.HOLD, Kind.RELEASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `at` is when what it is of began; `letters` are those of its version, then those of the record that
    began it."""

    promotion: str
    stage: str
    at: datetime
    letters: str
    kind: Kind

    @property
    def tag(self) -> Tag:
        return Tag(f"{self.promotion}.{self.stage}.{self.move}.{self.kind.value}")

    @property
    def move(self) -> str:
        """What the records of one move share."""
        return f"{self.at.strftime(_TIME)}-{self.letters}"

    def may_be_of(self, version: Tag) -> bool:
        """Whether its record may be of this version: only that says so for certain."""
        return self.letters.startswith(_letters(version))


def make_letters(version: Tag, record: str) -> str:
    """The letters of an entry whose record has this text."""
    return _letters(version) + _letters(record)


def _letters(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:6]


def parse_entry(tag: Tag) -> Entry | None:
    """The entry that a tag names; None for any other tag."""
    found = _ENTRY.fullmatch(tag)
    if found is None:
        return None
    try:
        at = datetime.strptime(found["at"], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Entry(found["promotion"], found["stage"], at, found["letters"], Kind(found["kind"]))


def entries_of(tags: Iterable[Tag], promotion: str, stage: str) -> tuple[Entry, ...]:
    """The entries of one stage, in the order in which they came to be."""
    found = [entry for tag in tags if (entry := parse_entry(tag)) is not None]
    own = [entry for entry in found if (entry.promotion, entry.stage) == (promotion, stage)]
    return tuple(sorted(own, key=_age))


def next_moment(entries: Sequence[Entry], now: datetime) -> datetime:
    """The time of the next entry: later than all others, so that a clock that is behind changes no order."""
    last = max((entry.at for entry in entries), default=None)
    return now if last is None else max(now, last + timedelta(seconds=1))


def _age(entry: Entry) -> tuple[datetime, str, int]:
    return (entry.at, entry.letters, list(Kind).index(entry.kind))
