"""Columns: a table of texts for a terminal, and as GitHub Markdown. Foreign text stays on its line, and in code."""

from __future__ import annotations

from collections.abc import Sequence

from imagesync.report.markdown import FRAME_BYTES, MAX_BYTES, code_span, table
from imagesync.report.rows import shortened

Row = tuple[str, ...]


def as_text(rows: Sequence[Row]) -> str:
    """Each column as wide as its widest cell; the last may be as long as it is."""
    cells = [[shortened(cell) for cell in row] for row in rows]
    widths = [max((len(row[number]) for row in cells), default=0) for number in range(len(cells[0]) if cells else 0)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def as_markdown(head: Row, rows: Sequence[Row]) -> str:
    """The rows under their head."""
    lines = [f"| {' | '.join(map(code_span, row))} |" for row in rows]
    heading = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join(table(heading, lines, MAX_BYTES - FRAME_BYTES))
