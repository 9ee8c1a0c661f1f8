"""An audit as GitHub Markdown; foreign text stands in code only, as in a report."""

from __future__ import annotations

from collections.abc import Sequence

from imagesync.plan.findings import Audit, Audited, Finding
from imagesync.report.audit_text import tags_of
from imagesync.report.markdown import FRAME_BYTES, MAX_BYTES, code_span, table
from imagesync.report.sentences import audit_sentence

_HEAD = ["| | where | what was found | what to do | which tags |", "|---|---|---|---|---|"]


def render_audit(audit: Audit, *, max_bytes: int = MAX_BYTES) -> str:
    """The counts as the first line, then a row for each finding."""
    rows = [_row(finding, tags) for finding, tags in audit.findings().items()]
    return "\n\n".join([f"**{audit_sentence(audit)}**", *table(_HEAD, rows, max_bytes - FRAME_BYTES)]) + "\n"


def _row(finding: Finding, tags: Sequence[Audited]) -> str:
    cells = (finding.subject, finding.reason, finding.hint or "", tags_of(tags, finding.subject))
    return f"| {finding.kind.value} | {' | '.join(code_span(cell) for cell in cells)} |"
