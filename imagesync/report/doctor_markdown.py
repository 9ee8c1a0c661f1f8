"""What the doctor found, as GitHub Markdown; foreign text stands in code only, as in a report."""

from __future__ import annotations

from imagesync.doctor.check import Diagnosis, Report
from imagesync.report.doctor_rows import Row, doctor_sentence, rows_of
from imagesync.report.markdown import FRAME_BYTES, MAX_BYTES, code_span, table

_HEAD = ["| | registry | what | what was found | what to do |", "|---|---|---|---|---|"]


def render_doctor(report: Report) -> str:
    """The counts as the first line, then a row for each check."""
    rows = [_row(diagnosis, row) for diagnosis in report.registries for row in rows_of(diagnosis.checks)]
    return "\n\n".join([f"**{doctor_sentence(report)}**", *table(_HEAD, rows, MAX_BYTES - FRAME_BYTES)]) + "\n"


def _row(diagnosis: Diagnosis, row: Row) -> str:
    cells = (diagnosis.host, row.topic, row.detail, row.next_step or "")
    return f"| {row.sign} {row.status.value} | {' | '.join(code_span(cell) for cell in cells)} |"
