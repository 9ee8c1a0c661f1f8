"""Times of pushes, as APIs spell them: checked, in UTC, and left out where they are none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from imagesync.errors import InvalidReference
from imagesync.reference import Digest, Tag
from imagesync.store import PushTime

TIMES = "list push times"
EARLIEST = datetime(2013, 1, 1, tzinfo=UTC)
"""No registry is older: what stands for no time at all, the year 1 or 1970, is before it."""
MAX_LENGTH = 64


def push_time(tag: object, digest: object, at: object) -> PushTime | None:
    """One tag's time; None where any part of it is not what it should be."""
    moment = _moment(at)
    if not isinstance(tag, str) or not isinstance(digest, str) or moment is None or moment < EARLIEST:
        return None
    try:
        return PushTime(Tag(tag), Digest(digest), moment)
    except InvalidReference:
        return None


def known(times: Iterable[PushTime | None]) -> frozenset[PushTime]:
    return frozenset(time for time in times if time is not None)


def _moment(at: object) -> datetime | None:
    """Of RFC 3339, or of seconds since 1970."""
    try:
        if isinstance(at, str) and len(at) <= MAX_LENGTH:
            found = datetime.fromisoformat(at)
            return found.astimezone(UTC) if found.tzinfo is not None else None
        return datetime.fromtimestamp(at, UTC) if type(at) is int else None
    except (ValueError, OverflowError, OSError):
        return None
