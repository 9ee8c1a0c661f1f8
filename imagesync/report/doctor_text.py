"""What the doctor found, for a terminal or a log: each registry with its checks, then the counts."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.doctor.check import Diagnosis, Report, Status
from imagesync.report.doctor_rows import Row, doctor_sentence, rows_of, title_of
from imagesync.report.text import Paint

_BOLD, _DIM, _RED, _GREEN, _YELLOW = "1", "2", "31", "32", "33"
_COLORS = {Status.OK: _GREEN, Status.WARN: _YELLOW, Status.FAILED: _RED, Status.SKIPPED: _DIM}
_TOPIC_WIDTH = len("connection")


def render_doctor(report: Report, *, color: bool) -> str:
    """A block for each registry; what is to be done stands on a line of its own."""
    paint = Paint(color)
    lines = [line for diagnosis in report.registries for line in (*_block(diagnosis, paint), "")]
    if not report.registries:
        lines = ["The spec names no registry.", ""]
    return "\n".join([*lines, paint(doctor_sentence(report), _BOLD)])


def _block(diagnosis: Diagnosis, paint: Paint) -> Iterator[str]:
    yield paint(title_of(diagnosis), _BOLD)
    for row in rows_of(diagnosis.checks):
        yield _line(row, paint)
        if row.next_step:
            yield f"      {paint(f'→ {row.next_step}', _BOLD)}"


def _line(row: Row, paint: Paint) -> str:
    head = f"{row.sign} {row.topic:<{_TOPIC_WIDTH}}"
    detail = paint(row.detail, _DIM) if row.status is Status.SKIPPED else row.detail
    return f"  {paint(head, _COLORS[row.status])}  {detail}"
