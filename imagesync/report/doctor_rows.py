"""Rows of what the doctor found: checks that say the same of several repositories stand in one."""

from __future__ import annotations

from collections.abc import Iterable

from imagesync.doctor.check import Check, Diagnosis, Report, Status
from imagesync.lazy import dataclass
from imagesync.report.printable import printable
from imagesync.report.rows import shortened
from imagesync.report.units import format_count, format_seconds

MAX_NAMES_SHOWN = 3
"""Of those that one row is about; the JSON names them all."""
SIGNS = {Status.OK: "✓", Status.WARN: "!", Status.FAILED: "✗", Status.SKIPPED: "-"}
"""They say the same without color."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what was looked at, how that stands, and below it what to do."""

    sign: str
    status: Status
    topic: str
    detail: str
    next_step: str | None


def rows_of(checks: Iterable[Check]) -> tuple[Row, ...]:
    """In their order, each where the first of its kind stands."""
    groups: dict[object, list[Check]] = {}
    for check in checks:
        groups.setdefault((check.topic, check.status, check.detail, check.next_step), []).append(check)
    return tuple(_row(group) for group in groups.values())


def title_of(diagnosis: Diagnosis) -> str:
    """`registry.internal:5000  source, destination`."""
    roles = ", ".join(role for role in diagnosis.roles if role)
    return printable(f"{diagnosis.host}  {roles}" if roles else diagnosis.host)


def doctor_sentence(report: Report) -> str:
    """`2 registries: 14 checks are well, 1 warning, 2 failed, 3 not checked. 9 requests in 1.2 s.`"""
    counts, words = report.counts(), []
    words += [f"{counts[Status.FAILED]} failed"] if counts[Status.FAILED] else []
    words += [format_count(counts[Status.WARN], "warning")] if counts[Status.WARN] else []
    words += [f"{counts[Status.SKIPPED]} not checked"] if counts[Status.SKIPPED] else []
    number = len(report.registries)
    registries = "1 registry" if number == 1 else f"{number} registries"
    told = ", ".join([*words, f"{counts[Status.OK]} well"])
    cost = f"{format_count(report.requests, 'request')} in {format_seconds(report.seconds)}"
    return f"{registries}: {told}. {cost}."


def _row(group: list[Check]) -> Row:
    check = group[0]
    names = [one.about for one in group if one.about]
    more = f" and {len(names) - MAX_NAMES_SHOWN} more" if len(names) > MAX_NAMES_SHOWN else ""
    about = f"{', '.join(names[:MAX_NAMES_SHOWN])}{more}"
    detail = f"{about}: {check.detail}" if about else check.detail
    step = shortened(check.next_step) if check.next_step else None
    return Row(SIGNS[check.status], check.status, check.topic.value, shortened(detail), step)
