"""The gate `approval`: named people have said yes to exactly this digest, in files that somebody could review.

Where nobody says who signs, they are worth what the protection of the branch is worth that they are in.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from imagesync.errors import TrustError
from imagesync.gates.candidate import Candidate
from imagesync.gates.needs import Known, ListFiles, Need, TimeNow, Unread, WhoRuns
from imagesync.gates.paths import PathTemplate
from imagesync.gates.trusted import Trusted
from imagesync.gates.verdict import Finding
from imagesync.gates.word import Word
from imagesync.lazy import dataclass
from imagesync.reference import Digest, Reference

_CLOCKS_DIFFER = timedelta(hours=1)
SIGNED = "signed"
UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True)
class Approval:
    """So many of these people, each in a file of its own; never who runs this. `expires` is how long a word counts."""

    count: int
    people: tuple[str, ...]
    files: PathTemplate
    expires: timedelta | None = None
    signers: tuple[Trusted, ...] = ()
    """One for each of the people, in their order; none: their files need no signature."""

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
        words = [Word.parse(name, raw) for name, raw in sorted(files.items())]
        try:
            wrong = [(word, self._objection(word, candidate, (now, runners))) for word in words]
        except TrustError as error:
            return Finding.blocked(f"approvals cannot be verified: {error.message}", error.hint)
        given = tuple(dict.fromkeys(word.by.casefold() for word, objection in wrong if objection is None))
        others = [f"{word.name}: {objection}" for word, objection in wrong if objection is not None]
        return self._counted(given, others, f"{need.pattern} for {candidate.digest}")

    def _counted(self, given: tuple[str, ...], others: list[str], where: str) -> Finding:
        said = f"{len(given)} of {self.count} approvals ({SIGNED if self.signers else UNSIGNED})"
        names = f": {', '.join(given)}" if given else ""
        if len(given) >= self.count:
            return Finding.passed(f"{said}{names}")
        reason = "; ".join([f"{said}{names}", *others])
        return Finding.waiting(reason, f"one of {', '.join(self.people)} adds {where}")

    def _files(self, candidate: Candidate) -> ListFiles:
        return ListFiles(self.files.of(candidate.source, candidate.digest))

    def signer_of(self, name: str) -> Trusted | None:
        """Who signs for one of the people; None where nobody has to."""
        names = [one.casefold() for one in self.people]
        return dict(zip(names, self.signers, strict=False)).get(name.casefold())

    def file_of(self, source: Reference, digest: Digest, by: str) -> str | None:
        """The file in which one of the people says yes; None where the glob is no name with one `*`."""
        pattern = self.files.text
        if pattern.count("*") > 1 or set(pattern) & set("?["):
            return None
        folder = re.sub(r"\[([*?[])\]", r"\1", self.files.folder)
        name = re.sub(r"[^A-Za-z0-9._-]", "-", by).lstrip(".")
        return PathTemplate(pattern.replace("*", name), folder).of(source, digest)

    def _objection(self, word: Word, candidate: Candidate, moment: tuple[datetime, tuple[str, ...]]) -> str | None:
        """Why a word does not count; None where it does. Raises TrustError."""
        now, runners = moment
        return (
            word.mistake or _of_another(word, candidate) or self._not_by(word.by, runners) or self._not_signed(word)
        ) or self._untimely(word, now)

    def _not_by(self, name: str, runners: tuple[str, ...]) -> str | None:
        if name.casefold() not in {one.casefold() for one in self.people}:
            return f"{name[:40]!a} may not approve"
        if name.casefold() in {one.casefold() for one in runners}:
            return f"{name[:40]!a} runs this, and cannot approve it"
        return None

    def _not_signed(self, word: Word) -> str | None:
        signer = self.signer_of(word.by)
        doubt = word.doubt(signer.trust()) if signer is not None else None
        return f"not by {word.by[:40]!a}: {doubt}; {signer} signs for that" if doubt is not None else None

    def _untimely(self, word: Word, now: datetime) -> str | None:
        if word.at is None or word.at > now + _CLOCKS_DIFFER:
            return "says no time that has been"
        is_over = self.expires is not None and now - word.at > self.expires
        return f"expired, {word.at:%Y-%m-%d %H:%M} UTC" if is_over else None


def _of_another(word: Word, candidate: Candidate) -> str | None:
    if word.digest != candidate.digest:
        return "of another digest"
    is_here = word.destination in ("", str(candidate.destination.repository))
    return None if is_here else "for another destination"
