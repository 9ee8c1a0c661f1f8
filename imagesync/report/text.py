"""Plans and reports for a terminal or a log. Color is a help: the symbols and words say the same without it."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.plan.actions import Plan
from imagesync.plan.outcome import Status
from imagesync.report.model import Report, Trouble, troubles_of_plan, troubles_of_report
from imagesync.report.printable import printable
from imagesync.report.rows import SYMBOLS, Cells, Group, align, plan_groups, report_groups, shortened
from imagesync.report.sentences import plan_sentence, report_sentence, traffic_of, unit_title

__all__ = ["Paint", "printable", "render_plan", "render_report"]

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _CYAN = "1", "2", "31", "32", "33", "36"
_COLORS = {"+": _GREEN, "~": _YELLOW, "-": _RED, "!": _RED, "x": _RED, "…": _CYAN, "=": _DIM}
_IN_DETAIL = (Status.SKIPPED, Status.FAILED)
"""Told in a block of their own, failures last, where a terminal stops; the others have a row."""


def render_plan(plan: Plan, *, color: bool, verbose: bool) -> str:
    """What would be done: a line for each tag that changes, failures at length, then the counts."""
    paint = Paint(color)
    groups = plan_groups(plan, verbose=verbose)
    lines = [*_title(plan, paint), *_groups(groups, paint), *_troubles(troubles_of_plan(plan), paint)]
    return "\n".join([*lines, paint(plan_sentence(plan), _BOLD)])


def render_report(report: Report, *, color: bool, verbose: bool) -> str:
    """What became of each tag that was to change, failures at length, then the counts."""
    paint = Paint(color)
    groups = report_groups(report, verbose=verbose)
    lines = [*_title(report.plan, paint), *_groups(groups, paint), *_troubles(troubles_of_report(report), paint)]
    traffic = sorted(report.traffic.items()) if verbose else ()
    lines += [paint(printable(f"{host}: {traffic_of(one)}"), _DIM) for host, one in traffic]
    return "\n".join([*lines, paint(report_sentence(report), _BOLD)])


def render_troubles(plan: Plan, *, color: bool) -> str:
    """What cannot be done alone, at length."""
    return "\n".join(_troubles(troubles_of_plan(plan), Paint(color)))


class Paint:
    """Puts ANSI color around text, or leaves it alone."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and text else text


def _title(plan: Plan, paint: Paint) -> Iterator[str]:
    """What moves together, above all that moves."""
    if plan.unit is not None:
        yield from (paint(printable(unit_title(plan)), _BOLD), "")


def _groups(groups: tuple[Group, ...], paint: Paint) -> Iterator[str]:
    cells = align(groups)
    for group in groups:
        yield paint(group.title, _BOLD)
        for row in group.rows:
            yield _line(cells(row), paint)
            yield from ([f"      {paint(f'→ {row.hint}', _BOLD)}"] if row.hint else [])
            yield from (f"      {paint(more, _DIM)}" for more in row.more)
        yield ""


def _line(cells: Cells, paint: Paint) -> str:
    color = _COLORS[cells.symbol]
    parts = [f"{paint(cells.symbol, color)} {paint(cells.name, color)}"]
    parts += [paint(cells.digests, _DIM)] if cells.digests else []
    parts += [cells.rest] if cells.rest else []
    return f"  {'  '.join(parts)}"


def _troubles(troubles: tuple[Trouble, ...], paint: Paint) -> Iterator[str]:
    told = (trouble for status in _IN_DETAIL for trouble in troubles if trouble.status is status)
    for trouble in told:
        yield from _trouble(trouble, paint)
        yield ""


def _trouble(trouble: Trouble, paint: Paint) -> Iterator[str]:
    """Which image, what happened on which side, what to do, and where the spec asks for it."""
    symbol = SYMBOLS[trouble.status]
    yield paint(f"{symbol} {printable(trouble.subject)}  {trouble.status.value}", _COLORS[symbol])
    yield f"    {shortened(trouble.reason)}"
    if trouble.hint:
        yield f"    {paint(f'→ {shortened(trouble.hint)}', _BOLD)}"
    source = [f"from {trouble.source}"] if trouble.source else []
    yield f"    {paint(printable(', '.join([*source, trouble.rule, str(trouble.place)])), _DIM)}"
