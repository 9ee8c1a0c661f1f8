"""Plans and reports as GitHub Markdown, for step summaries and comments.

Foreign text stands in code only: in a fence longer than any run of backticks in it, or in code spans whose
backticks and bars are replaced. There, GitHub makes neither HTML nor links nor mentions of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from imagesync.plan.actions import Plan
from imagesync.report.model import Report, Trouble, troubles_of_plan, troubles_of_report
from imagesync.report.rows import Cells, Group, align, plan_groups, report_groups, shortened
from imagesync.report.sentences import plan_sentence, report_sentence, unit_title
from imagesync.report.units import format_count

MAX_BYTES = 900_000
"""For a step summary, of which GitHub takes 1024 KiB; the rest is left to what other tools write there."""
MAX_COMMENT_BYTES = 60_000
"""For a comment, of which GitHub takes 65,536 characters; the rest is left to what stands around it."""
FRAME_BYTES = 1000
"""What fences, folds and the lines that say what was left out take at most."""
_MAX_OPEN_LINES = 40
"""A longer list is folded."""


def render_plan(plan: Plan, *, max_bytes: int = MAX_BYTES) -> str:
    """What would be done, what cannot be, and the counts as the first line."""
    parts = plan_groups(plan, verbose=False), troubles_of_plan(plan)
    return _document(_headed(plan, plan_sentence(plan)), *parts, max_bytes=max_bytes)


def render_report(report: Report, *, max_bytes: int = MAX_BYTES) -> str:
    """What was done, what was not, and the counts as the first line."""
    parts = report_groups(report, verbose=False), troubles_of_report(report)
    return _document(_headed(report.plan, report_sentence(report)), *parts, max_bytes=max_bytes)


def _headed(plan: Plan, sentence: str) -> str:
    """The sentence, behind what moves together."""
    return f"{code_span(unit_title(plan))} {sentence}" if plan.unit is not None else sentence


def _document(sentence: str, groups: tuple[Group, ...], troubles: tuple[Trouble, ...], *, max_bytes: int) -> str:
    """Where not all fits, what went wrong comes first, and leaves at least half to the rest."""
    left_bytes = max_bytes - len(sentence.encode()) - FRAME_BYTES
    told = _table(troubles, left_bytes // 2)
    left_bytes -= sum(len(text.encode()) for text in told)
    return "\n\n".join([f"**{sentence}**", *told, *_diff(groups, left_bytes)]) + "\n"


def _diff(groups: tuple[Group, ...], max_bytes: int) -> list[str]:
    cells = align(groups)
    lines = []
    for group in groups:
        lines.append(f"@@ {group.title} @@")
        for row in group.rows:
            lines += [_line(cells(row)), *([f"    → {row.hint}"] if row.hint else [])]
    kept, dropped = _fitting(lines, max_bytes)
    return [_folded(f"{fence_around(kept)}{_pointer(dropped)}", len(kept), "line", "Tag by tag")] if lines else []


def _line(cells: Cells) -> str:
    """The symbol stands in the first column: there GitHub colors `+` and `!`."""
    return "  ".join(part for part in (f"{cells.symbol} {cells.name}", cells.digests, cells.rest) if part).rstrip()


def _table(troubles: tuple[Trouble, ...], max_bytes: int) -> list[str]:
    head = ["| | image | what happened | what to do | in the spec |", "|---|---|---|---|---|"]
    return table(head, [_table_row(trouble) for trouble in troubles], max_bytes)


def table(head: Sequence[str], rows: Sequence[str], max_bytes: int) -> list[str]:
    """The rows under their head, as many as fit and folded where they are many; nothing where there is none."""
    kept, dropped = _fitting(rows, max_bytes)
    text = "\n".join([*head, *kept]) + _pointer(dropped)
    return [_folded(text, len(kept), "row", "What needs a look")] if rows else []


def _table_row(trouble: Trouble) -> str:
    cells = (trouble.subject, trouble.reason, trouble.hint or "", str(trouble.place))
    return f"| {trouble.status.value} | {' | '.join(code_span(cell) for cell in cells)} |"


def fence_around(lines: Sequence[str]) -> str:
    """A diff fence that no line in it can close. The lines hold no line break."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}diff", *lines, fence])


def code_span(text: str) -> str:
    """The text as code in a table's cell. A bar would end the cell and a backtick the code: both are replaced."""
    text = shortened(text).replace("`", "'").replace("|", "¦").strip()
    return f"`{text}`" if text else ""


def _folded(text: str, count: int, noun: str, title: str) -> str:
    if count <= _MAX_OPEN_LINES:
        return text
    return f"<details><summary>{title}: {format_count(count, noun)}</summary>\n\n{text}\n\n</details>"


def _fitting(lines: Iterable[str], limit_bytes: int) -> tuple[list[str], int]:
    """The first lines that fit, and how many do not."""
    kept: list[str] = []
    dropped = 0
    for line in lines:
        limit_bytes -= len(line.encode()) + 1
        if limit_bytes >= 0:
            kept.append(line)
        else:
            dropped += 1
    return kept, dropped


def _pointer(dropped: int) -> str:
    if not dropped:
        return ""
    return f"\n\n{format_count(dropped, 'line')} more: `--report FILE.json` and `plan -o FILE` have them all."
