"""How tags stand, as GitHub Markdown; foreign text stands in code only, as in a report."""

from __future__ import annotations

from collections.abc import Collection

from imagesync.plan.standing import Standing
from imagesync.report.markdown import FRAME_BYTES, MAX_BYTES, code_span, table

_HEAD = ["| | tag | how it stands | in the spec |", "|---|---|---|---|"]


def render_standings(tags: Collection[Standing], sentence: str) -> str:
    """The sentence as the first line, then a row for each of these tags."""
    rows = [_row(tag) for tag in tags]
    return "\n\n".join([f"**{sentence}**", *table(_HEAD, rows, MAX_BYTES - FRAME_BYTES)]) + "\n"


def _row(tag: Standing) -> str:
    cells = (tag.subject, tag.reason, str(tag.place))
    return f"| {tag.kind.value} | {' | '.join(code_span(cell) for cell in cells)} |"
