"""The gate `min_age`: the image has been known for so long, by the state's clock or by its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum

from imagesync.gates.candidate import Candidate
from imagesync.gates.needs import FirstSeen, Known, Need, PushedAt, ReadConfig, TimeNow, Unread
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_SHOWN = {"m": "min", "h": "h", "d": "d"}


class Clock(Enum):
    """What tells the age: a state, from when a run first saw this digest under its tag; the source's registry, from
    when it was pushed; or the image itself."""

    PUSHED = "pushed"
    FIRST_SEEN = "first_seen"
    CREATED = "created"


@dataclass(frozen=True, slots=True)
class MinAge:
    """What is younger waits. `created` is the word of whoever made the image; of an index the youngest one counts."""

    age: timedelta
    unit: str = "h"
    clock: Clock = Clock.FIRST_SEEN

    def __str__(self) -> str:
        return f"min_age {self._in_units(self.age)}{self.unit}, clock {self.clock.value}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        if self.clock is Clock.FIRST_SEEN:
            return (TimeNow(), FirstSeen(candidate.source))
        if self.clock is Clock.PUSHED:
            return (TimeNow(), PushedAt(candidate.source))
        return (TimeNow(), *(ReadConfig(image.manifest.digest) for image in candidate.images()))

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        now = known[TimeNow()]
        if isinstance(now, Unread):
            return Finding.blocked(f"the time is not known: {now.reason}")
        if self.clock is Clock.CREATED:
            return self._by_dates(tuple(_dates(candidate, known)), now)
        if self.clock is Clock.PUSHED:
            return self._by_registry(known[PushedAt(candidate.source)], now)
        seen = known[FirstSeen(candidate.source)]
        if isinstance(seen, Unread):
            return Finding.blocked(f"of unknown age: {seen.reason}")
        return self._judge(seen, now, "its clock starts with the first apply that sees it, and needs `state`")

    def _by_registry(self, pushed: datetime | Unread, now: datetime) -> Finding:
        if isinstance(pushed, Unread):
            return Finding.blocked(f"of unknown age: {pushed.reason}", pushed.hint)
        return self._judge(pushed, now, None)

    def _by_dates(self, dates: tuple[datetime | str, ...], now: datetime) -> Finding:
        unknown = next((one for one in dates if isinstance(one, str)), None)
        if unknown is not None or not dates:
            return Finding.blocked(
                f"of unknown age: {unknown or 'it holds no image'}", "`clock: first_seen` needs no date"
            )
        return self._judge(max(one for one in dates if isinstance(one, datetime)), now, None)

    def _judge(self, since: datetime | None, now: datetime, hint: str | None) -> Finding:
        if since is not None and now - since >= self.age:
            return Finding.passed(f"{self._in_units(now - since)} {_SHOWN[self.unit]} old")
        age = timedelta() if since is None else max(timedelta(), now - since)
        reason = f"{self._in_units(age)} of {self._in_units(self.age)} {_SHOWN[self.unit]} old"
        return Finding.waiting(
            reason, hint if since is None else f"old enough at {later(since, self.age):%Y-%m-%d %H:%M} UTC"
        )

    def _in_units(self, age: timedelta) -> int:
        return age // _UNITS[self.unit]


def _dates(candidate: Candidate, known: Known) -> Iterator[datetime | str]:
    """When each image was made, or why nobody knows."""
    for image in candidate.images():
        config = known[ReadConfig(image.manifest.digest)]
        if isinstance(config, Unread):
            yield f"{image}: {config.reason}"
        else:
            yield parse_time(config.get("created")) or f"{image} does not say when it was made"


def later(moment: datetime, span: timedelta) -> datetime:
    """The end of a span; of one that ends after all time, the end of that: who writes a moment may write any."""
    try:
        return moment + span
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def parse_time(value: object) -> datetime | None:
    """RFC 3339 as scanners and builders write it, in UTC; None for what is none."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
