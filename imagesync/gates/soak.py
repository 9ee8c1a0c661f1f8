"""The gate `soak`: the release has been at the stage before for so long, by the record of how it came there.

What a spec says knows no release yet: a promotion gives it the stage, and the moment that the record tells of.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from imagesync.gates.age import Clock, later
from imagesync.gates.candidate import Candidate
from imagesync.gates.combined import checks_of, with_checks
from imagesync.gates.gate import Gate
from imagesync.gates.needs import FirstSeen, Known, Need, TimeNow, Unread
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass, replace

_FIRST_SEEN = "by when a run first saw it there"


@dataclass(frozen=True, slots=True)
class Entered:
    """The stage before, and when a release last came to it; None where no record says so."""

    stage: str
    at: datetime | None = None
    is_signed: bool = False
    """Whether the record that says so is signed."""


@dataclass(frozen=True, slots=True)
class Soak:
    """What has been at the stage before for less than `at_least` waits. `text` is how a spec says that.

    `clock` is for what comes from the first stage, where nothing is on record; None: the record tells.
    """

    at_least: timedelta
    text: str
    clock: Clock | None = None
    entered: Entered | None = None

    def __str__(self) -> str:
        clock = f", clock {self.clock.value}" if self.clock is not None else ""
        return f"soak {self.text}{clock}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return (TimeNow(), *((FirstSeen(candidate.source),) if self.clock is not None else ()))

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        now = known[TimeNow()]
        if isinstance(now, Unread):
            return Finding.blocked(f"the time is not known: {now.reason}")
        if self.entered is None:
            hint = "`imagesync status` asks it, and so does `imagesync promote` with --dry-run"
            return Finding.blocked("only a promotion knows what the stage before is", hint)
        if self.clock is None:
            return self._by_record(self.entered, now)
        return self._by_sight(known[FirstSeen(candidate.source)], self.entered.stage, now)

    def _by_record(self, entered: Entered, now: datetime) -> Finding:
        if entered.at is None:
            return Finding.blocked(f"no record says since when it is at {entered.stage}")
        word = "a signed" if entered.is_signed else "an unsigned"
        return self._judge(entered.at, now, (entered.stage, f"by {word} record"))

    def _by_sight(self, seen: datetime | Unread | None, stage: str, now: datetime) -> Finding:
        if isinstance(seen, Unread):
            return Finding.blocked(f"nobody knows since when it is at {stage}: {seen.reason}")
        if seen is None:
            hint = "its clock starts with the first promote that sees it, and is no dry run"
            return Finding.waiting(f"not seen at {stage} before; {shown_span(self.at_least)} left", hint)
        return self._judge(seen, now, (stage, _FIRST_SEEN))

    def _judge(self, since: datetime, now: datetime, told: tuple[str, str]) -> Finding:
        """Of a clock that is behind, nothing has soaked yet."""
        spent = max(timedelta(), now - since)
        said = f"at {told[0]} for {shown_span(spent)} of {self.text}, {told[1]}"
        if spent >= self.at_least:
            return Finding.passed(said)
        end = later(since, self.at_least)
        return Finding.waiting(f"{said}; {shown_span(end - now)} left", f"long enough at {end:%Y-%m-%d %H:%M} UTC")


def soaks(gate: Gate) -> bool:
    """Whether it asks, itself or in what it combines, how long a release has been at the stage before."""
    return soaks_by_record(gate) or soaks_by_sight(gate)


def soaks_by_record(gate: Gate) -> bool:
    """Whether it asks a record."""
    return any(isinstance(check, Soak) and check.clock is None for check in checks_of(gate))


def soaks_by_sight(gate: Gate) -> bool:
    """Whether it asks a state."""
    return any(isinstance(check, Soak) and check.clock is not None for check in checks_of(gate))


def with_entered(gate: Gate, entered: Entered) -> Gate:
    """The gate of one release, which knows when that came to the stage before."""
    return with_checks(gate, lambda check: replace(check, entered=entered) if isinstance(check, Soak) else check)


def shown_span(span: timedelta) -> str:
    """The two largest units of it, rounded down: `2 d 3 h`, `3 h 20 min`, `0 min`."""
    minutes = max(span, timedelta()) // timedelta(minutes=1)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    said = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(said[:2]) or "0 min"
