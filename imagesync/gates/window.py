"""The gate `window`: hours in which images may be copied, dates on which none may, and a word that overrides both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from imagesync.errors import InvalidReference
from imagesync.gates.candidate import Candidate
from imagesync.gates.needs import Known, Need, TimeNow, Unread
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAILY = "daily"
MAX_DAYS_AHEAD = 400
_DAY_MINUTES = 24 * 60
_FORM = "write DAYS HH:MM-HH:MM, as mon-fri 08:00-18:00, sat,sun 10:00-12:00 or daily 22:00-04:00"


@dataclass(frozen=True, slots=True)
class Hours:
    """From one time of a day to another, in minutes; over midnight where the second comes first."""

    days: frozenset[int]
    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Raises InvalidReference."""
        match = re.fullmatch(r"(\S+) +(\d\d):(\d\d)-(\d\d):(\d\d)", text.strip().lower(), re.ASCII)
        if match is None:
            raise InvalidReference(f"{text[:80]!a} are no hours", hint=_FORM)
        start, end = (int(match[at]) * 60 + int(match[at + 1]) for at in (2, 4))
        if max(int(match[3]), int(match[5])) > 59 or start >= _DAY_MINUTES or end > _DAY_MINUTES or start == end:
            raise InvalidReference(f"{text[:80]!a} names a time that no day has, or none at all", hint=_FORM)
        return cls(frozenset(_days(match[1])), start, end)

    def hold(self, local: datetime) -> bool:
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Freeze:
    """Days, the last one included, on which nothing is copied."""

    first: date
    last: date
    reason: str


@dataclass(frozen=True, slots=True)
class Window:
    """Open within any of the hours, all day where none are named, and not on frozen days. Times are those of the zone.

    `override` is why it is open all the same; empty, it is not.
    """

    zone: ZoneInfo
    allow: tuple[Hours, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    override: str = ""
    text: str = ""

    def __str__(self) -> str:
        return f"window {self.text}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:  # noqa: ARG002 - of no image
        return (TimeNow(),)

    def judge(self, candidate: Candidate, known: Known) -> Finding:  # noqa: ARG002 - as above
        now = known[TimeNow()]
        if isinstance(now, Unread):
            return Finding.blocked(f"the time is not known: {now.reason}")
        if self.is_open(now):
            return Finding.passed("open")
        if self.override:
            return Finding.passed(f"closed, and overridden: {self.override}")
        frozen = self._freeze(now)
        why = f"frozen until {frozen.last} ({frozen.reason})" if frozen else "closed"
        return Finding.waiting(f"{why}; {self._opening(now)}", "a text under `override` of the gate opens it")

    def is_open(self, now: datetime) -> bool:
        local = now.astimezone(self.zone)
        return self._freeze(now) is None and (not self.allow or any(hours.hold(local) for hours in self.allow))

    def _freeze(self, now: datetime) -> Freeze | None:
        today = now.astimezone(self.zone).date()
        return next((one for one in self.freezes if one.first <= today <= one.last), None)

    def _opening(self, now: datetime) -> str:
        opens = min((start for start in self._starts(now) if start > now and self.is_open(start)), default=None)
        if opens is None:
            return f"does not open within {MAX_DAYS_AHEAD} days"
        local = opens.astimezone(self.zone)
        is_near = opens - now < timedelta(days=6)
        when = DAYS[local.weekday()].title() if is_near else local.date().isoformat()
        return f"opens {when} {local:%H:%M} {self.zone.key}"

    def _starts(self, now: datetime) -> Iterator[datetime]:
        """When it may open: where hours begin, and after freezes."""
        today = now.astimezone(self.zone).date()
        for day in (today + timedelta(days=number) for number in range(MAX_DAYS_AHEAD)):
            yield from (self._at(day, hours.start) for hours in self.allow if day.weekday() in hours.days)
        yield from (self._at(one.last + timedelta(days=1), 0) for one in self.freezes)

    def _at(self, day: date, minute: int) -> datetime:
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone).astimezone(UTC)


def _days(text: str) -> Iterator[int]:
    for part in ("mon-sun" if text == DAILY else text).split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise InvalidReference(f"{part[:20]!a} is no day", hint=_FORM)
        start, end = DAYS.index(first), DAYS.index(last if dash else first)
        yield from (number % 7 for number in range(start, (end if end >= start else end + 7) + 1))
