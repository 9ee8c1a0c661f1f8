"""The result of a scenario as a table: medians, the range of the wall time, and ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from bench.rounds import Run

HEADINGS = ("", "wall s", "range", "CPU s", "peak MB", "requests source", "destination", "uploads", "mounts", "read")


def render(title: str, runs: Sequence[Run], *, has_ratios: bool) -> str:
    """A heading, a row for each contestant, and how the first compares with each of the others.

    `read` is the bytes of blobs that the source gave, by those that it has.
    """
    names = list(dict.fromkeys(run.contestant for run in runs[: len({run.contestant for run in runs})]))
    rows = [HEADINGS, *(_row(name, [run for run in runs if run.contestant == name]) for name in names)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([title, *lines, *(_ratios(names, runs) if has_ratios else ())])


def _row(name: str, runs: Sequence[Run]) -> tuple[str, ...]:
    seconds = [run.measurement.seconds for run in runs]
    return (
        name,
        f"{median(seconds):.2f}",
        f"{min(seconds):.2f}-{max(seconds):.2f}",
        f"{_median(runs, lambda run: run.measurement.cpu_seconds):.2f}",
        f"{_median(runs, lambda run: run.measurement.peak_bytes) / 1e6:.0f}",
        f"{_median(runs, lambda run: run.source.requests):.0f}",
        f"{_median(runs, lambda run: run.destination.requests):.0f}",
        f"{_median(runs, lambda run: run.destination.uploads):.0f}",
        f"{_median(runs, lambda run: run.destination.mounts):.0f}",
        f"{_median(runs, lambda run: run.read_ratio):.2f}",
    )


def _ratios(names: Sequence[str], runs: Sequence[Run]) -> Iterable[str]:
    first = [run for run in runs if run.contestant == names[0]]
    for name in names[1:]:
        other = [run for run in runs if run.contestant == name]
        ratios = [
            _median(first, value) / _median(other, value)
            for value in (
                lambda run: run.measurement.seconds,
                lambda run: run.measurement.cpu_seconds,
                lambda run: run.measurement.peak_bytes,
            )
        ]
        yield f"{names[0]} / {name}: wall {ratios[0]:.2f}, CPU {ratios[1]:.2f}, memory {ratios[2]:.2f}"


def _median(runs: Iterable[Run], value: Callable[[Run], float]) -> float:
    return median(value(run) for run in runs)
