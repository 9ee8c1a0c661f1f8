"""The gate `vulnerabilities`: a scanner has looked at every platform's image, lately, and found nothing that counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from imagesync.errors import ImagesyncError
from imagesync.gates.candidate import Candidate, Image
from imagesync.gates.needs import Known, Need, TimeNow, Unread
from imagesync.gates.reports import ScanReport, Severity, Vulnerability
from imagesync.gates.scans import Reports
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass
from imagesync.selection import PlatformPattern

MAX_SHOWN = 3
_CLOCKS_DIFFER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A vulnerability that does not count, why, and until when; that day included, in UTC."""

    name: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Vulnerabilities:
    """`covers` are the platforms that are looked at; none: every one. A report has to name the image that it is of."""

    reports: Reports
    fail_on: Severity
    covers: tuple[PlatformPattern, ...] = ()
    max_age: timedelta | None = None
    only_fixable: bool = False
    ignored: tuple[Ignored, ...] = ()

    def __str__(self) -> str:
        fixable = ", only fixable" if self.only_fixable else ""
        return f"vulnerabilities {self.reports}, fail_on {self.fail_on.name.lower()}{fixable}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return (TimeNow(), *self.reports.needs(candidate, self._covered(candidate)))

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        now = known[TimeNow()]
        if isinstance(now, Unread):
            return Finding.blocked(f"the time is not known: {now.reason}")
        images = self._covered(candidate)
        if not images:
            return Finding.blocked("holds no image that was to be scanned")
        try:
            found = tuple(self.reports.of_each(candidate, images, known))
        except ImagesyncError as error:
            return Finding.blocked(f"no report can be verified: {error.message}", error.hint)
        for image, reports in zip(images, found, strict=True):
            wrong = reports if isinstance(reports, str) else self._objection(reports, now)
            if wrong is not None:
                return Finding.blocked(f"{image}: {wrong}", self.reports.hint(candidate, image))
        worst = self.fail_on.name.lower()
        return Finding.passed(f"{len(images)} scanned{self.reports.basis}, nothing of {worst} or worse")

    def _covered(self, candidate: Candidate) -> tuple[Image, ...]:
        """An image of which no index says the platform is covered by whatever is asked for."""
        images = candidate.images()
        if not self.covers:
            return images
        return tuple(
            image for image in images if not image.platform or any(one.matches(image.platform) for one in self.covers)
        )

    def _objection(self, reports: tuple[ScanReport, ...], now: datetime) -> str | None:
        """Why they do not let it pass; None where all do."""
        return next(filter(None, (self._stale(one, now) or self._found(one, now) for one in reports)), None)

    def _stale(self, report: ScanReport, now: datetime) -> str | None:
        if self.max_age is None:
            return None
        if report.made_at is None:
            return "the report does not say when it was made"
        if report.made_at > now + _CLOCKS_DIFFER:
            return f"the report is dated in the future: {report.made_at:%Y-%m-%d %H:%M} UTC"
        is_old = now - report.made_at > self.max_age
        return f"the report is of {report.made_at:%Y-%m-%d %H:%M} UTC, too old" if is_old else None

    def _found(self, report: ScanReport, now: datetime) -> str | None:
        counted = [one for one in report.vulnerabilities if self._counts(one, now)]
        if not counted:
            return None
        worst = sorted(dict.fromkeys(counted), key=lambda one: (-one.severity, one.name))
        shown = [_in_words(one) for one in worst[:MAX_SHOWN]]
        more = [f"{len(worst) - MAX_SHOWN} more"] if len(worst) > MAX_SHOWN else []
        expired = [f"ignoring {name} has ended" for name in self._expired({one.name for one in counted}, now)]
        return "; ".join([", ".join([*shown, *more]), *expired])

    def _counts(self, one: Vulnerability, now: datetime) -> bool:
        if one.severity < self.fail_on or (self.only_fixable and not one.is_fixable):
            return False
        return not any(ignored.name == one.name and now.date() <= ignored.until for ignored in self.ignored)

    def _expired(self, names: set[str], now: datetime) -> Iterator[str]:
        yield from (one.name for one in self.ignored if one.name in names and now.date() > one.until)


def _in_words(one: Vulnerability) -> str:
    package = f" in {one.package[:80]!a}"[:90] if one.package else ""
    return f"{ascii(one.name[:60])[1:-1] or 'one without a name'} ({one.severity.name.lower()}{package})"
