"""The gate `approval`: named people have said yes to exactly this digest, in files that somebody could review.

The files are not signed: they are worth what the protection of the branch is worth that they are in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from imagesync.gates.age import parse_time
from imagesync.gates.candidate import Candidate
from imagesync.gates.needs import Known, ListFiles, Need, TimeNow, Unread, WhoRuns
from imagesync.gates.paths import PathTemplate
from imagesync.gates.verdict import Finding
from imagesync.reference import Digest

_CLOCKS_DIFFER = timedelta(hours=1)
UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True)
class Approval:
    """So many of these people, each in a file of its own; never who runs this. `expires` is how long a word counts."""

    count: int
    people: tuple[str, ...]
    files: PathTemplate
    expires: timedelta | None = None

    def __str__(self) -> str:
        return f"approval by {self.count} of {', '.join(self.people)}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return (TimeNow(), WhoRuns(), self._files(candidate))

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        need = self._files(candidate)
        now, runners, files = (known[one] for one in (TimeNow(), WhoRuns(), need))
        for answer in (now, runners, files):
            if isinstance(answer, Unread):
                return Finding.blocked(f"approvals cannot be read: {answer.reason}")
        words = [_Word.parse(name, raw) for name, raw in sorted(files.items())]
        wrong = [(word, self._objection(word, candidate.digest, (now, runners))) for word in words]
        given = tuple(dict.fromkeys(word.by.casefold() for word, objection in wrong if objection is None))
        others = [f"{word.name}: {objection}" for word, objection in wrong if objection is not None]
        return self._counted(given, others, f"{need.pattern} for {candidate.digest}")

    def _counted(self, given: tuple[str, ...], others: list[str], where: str) -> Finding:
        said = f"{len(given)} of {self.count} approvals ({UNSIGNED})"
        names = f": {', '.join(given)}" if given else ""
        if len(given) >= self.count:
            return Finding.passed(f"{said}{names}")
        reason = "; ".join([f"{said}{names}", *others])
        return Finding.waiting(reason, f"one of {', '.join(self.people)} adds {where}")

    def _files(self, candidate: Candidate) -> ListFiles:
        return ListFiles(self.files.of(candidate.source, candidate.digest))

    def _objection(self, word: _Word, digest: Digest, moment: tuple[datetime, tuple[str, ...]]) -> str | None:
        """Why a word does not count; None where it does."""
        now, runners = moment
        if word.mistake:
            return word.mistake
        if word.digest != digest:
            return "of another digest"
        if word.by.casefold() not in {name.casefold() for name in self.people}:
            return f"{word.by[:40]!a} may not approve"
        if word.by.casefold() in {name.casefold() for name in runners}:
            return f"{word.by[:40]!a} runs this, and cannot approve it"
        return self._untimely(word, now)

    def _untimely(self, word: _Word, now: datetime) -> str | None:
        if word.at is None or word.at > now + _CLOCKS_DIFFER:
            return "says no time that has been"
        is_over = self.expires is not None and now - word.at > self.expires
        return f"expired, {word.at:%Y-%m-%d %H:%M} UTC" if is_over else None


@dataclass(frozen=True, slots=True)
class _Word:
    """What one file says, or what is wrong with it."""

    name: str
    digest: str = ""
    by: str = ""
    at: datetime | None = None
    mistake: str = ""

    @classmethod
    def parse(cls, name: str, raw: bytes) -> _Word:
        name = name.rpartition("/")[2]
        try:
            document = json.loads(raw.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return cls(name, mistake="is not JSON")
        if not isinstance(document, dict):
            return cls(name, mistake="is not a JSON object")
        digest, by = (one if isinstance(one, str) else "" for one in (document.get("digest"), document.get("by")))
        return cls(name, digest, by, parse_time(document.get("at")))
