"""History: what has happened to a promotion's stages, a line for each move and hold, the latest first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from imagesync.lazy import dataclass
from imagesync.promotion.entries import Entry, Kind
from imagesync.promotion.record import Record


class Ending(Enum):
    """What became of what has begun."""

    FINISHED = "finished"
    INCOMPLETE = "incomplete"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Event:
    """One move of a stage, or a hold or its release, with the record that tells of it."""

    record: Record
    ending: Ending


_ENDINGS = {
    Kind.STARTED: Ending.INCOMPLETE,
    Kind.FINISHED: Ending.FINISHED,
    Kind.WITHDRAWN: Ending.WITHDRAWN,
    Kind.HOLD: Ending.HELD,
    Kind.RELEASE: Ending.RELEASED,
}


def telling(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries to read, the latest first: of a move that has ended, its end alone."""
    ended = {(one.promotion, one.stage, one.move) for one in entries if one.kind in (Kind.FINISHED, Kind.WITHDRAWN)}
    told = [one for one in entries if one.kind is not Kind.STARTED or (one.promotion, one.stage, one.move) not in ended]
    return tuple(sorted(told, key=lambda entry: (entry.at, entry.kind.value), reverse=True))


def events_of(records: Iterable[Record]) -> tuple[Event, ...]:
    """What these records tell, in their order."""
    return tuple(Event(record, _ENDINGS[record.kind]) for record in records)
