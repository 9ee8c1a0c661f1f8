"""The gate `soak`: the release has been at the stage before for so long, by the record of how it came there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from imagesync.gates.candidate import Candidate
from imagesync.gates.needs import Known, Need, TimeNow, Unread
from imagesync.gates.verdict import Finding

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Soak:
    """What has come to `stage` less than `age` ago waits; `since` is when it did, None where no record says so."""

    age: timedelta
    unit: str
    stage: str
    since: datetime | None = None

    def __str__(self) -> str:
        return f"soak {self._in_units(self.age)}{self.unit} at {self.stage}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:  # noqa: ARG002 - as other checks
        return (TimeNow(),)

    def judge(self, candidate: Candidate, known: Known) -> Finding:  # noqa: ARG002 - as other checks
        now = known[TimeNow()]
        if isinstance(now, Unread):
            return Finding.blocked(f"the time is not known: {now.reason}")
        if self.since is None:
            return Finding.blocked(f"no record says since when it is at {self.stage}")
        spent = max(timedelta(), now - self.since)
        if spent >= self.age:
            return Finding.passed(f"at {self.stage} for {self._in_units(spent)}{self.unit}, by an unsigned record")
        reason = f"at {self.stage} for {self._in_units(spent)} of {self._in_units(self.age)}{self.unit}"
        return Finding.waiting(reason, f"long enough at {self.since + self.age:%Y-%m-%d %H:%M} UTC")

    def _in_units(self, age: timedelta) -> int:
        return age // _UNITS[self.unit]
