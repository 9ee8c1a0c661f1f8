"""Progress on stderr: one live line on a terminal, drawn by rich, and one line for each outcome elsewhere.

rich is imported only where a terminal shows it. The counters are polled; whoever moves bytes knows nothing of this.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from imagesync.plan.outcome import Outcome, Status
from imagesync.report.github import defuse
from imagesync.report.model import subject_of
from imagesync.report.rows import shortened
from imagesync.report.units import format_bytes, format_count, format_seconds

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

REFRESHES_PER_SECOND = 8
RATE_WINDOW_SECONDS = 5.0
"""The rate is that of the last seconds: a stall shows, and the start is forgotten."""
_QUIET = frozenset({Status.UNCHANGED})
_QUIET_LIVE = frozenset({Status.UNCHANGED, Status.COPIED, Status.SKIPPED})
"""Above the live line stands only what went wrong; the report tells the rest."""


class Meter(Protocol):
    """How far a run is. Read from another thread than the one that counts; totals may grow."""

    @property
    def total_bytes(self) -> int: ...
    @property
    def moved_bytes(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def done(self) -> int: ...


class Rate:
    """Bytes a second over the last RATE_WINDOW_SECONDS, from readings of (seconds, bytes)."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, int]] = deque()

    def add(self, now_seconds: float, moved_bytes: int) -> float:
        """Take a reading; returns the rate, 0 while there is but one or when bytes were taken back."""
        self._readings.append((now_seconds, moved_bytes))
        while now_seconds - self._readings[0][0] > RATE_WINDOW_SECONDS and len(self._readings) > 2:
            self._readings.popleft()
        since, before = self._readings[0]
        return max(0.0, (moved_bytes - before) / (now_seconds - since)) if now_seconds > since else 0.0


class Progress:
    """Shows a run while the context is open; nothing with `quiet`. Call `outcome` for each that comes."""

    def __init__(
        self,
        meter: Meter,
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._meter = meter
        self._is_quiet = quiet
        self._stream = stream or sys.stderr
        self._clock = clock
        self._rate = Rate()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if not self._is_quiet and self._stream.isatty() and os.environ.get("TERM") != "dumb":
            self._live = self._open_live()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def outcome(self, outcome: Outcome) -> None:
        """Show what became of one action, where that is news."""
        hidden = _QUIET if self._live is None else _QUIET_LIVE
        if self._is_quiet or outcome.status in hidden:
            return
        line = outcome_line(outcome)
        if self._live is None:
            self._stream.write(f"{defuse(line)}\n")
            self._stream.flush()
        else:
            self._live.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def _open_live(self) -> Live:
        from rich.console import Console  # noqa: PLC0415 - costs a third of a plan's imports
        from rich.live import Live  # noqa: PLC0415

        live = Live(
            console=Console(file=self._stream),
            get_renderable=self._draw,
            refresh_per_second=REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )
        live.start()
        return live

    def _draw(self) -> Table:
        from rich.progress_bar import ProgressBar  # noqa: PLC0415 - as above
        from rich.table import Table  # noqa: PLC0415

        moved, total = self._meter.moved_bytes, self._meter.total_bytes
        line = Table.grid(padding=(0, 1))
        shown = (moved, total) if total else (self._meter.done, self._meter.total)
        line.add_row(
            ProgressBar(total=max(shown[1], 1), completed=shown[0], width=28),
            status_line(self._meter, self._rate.add(self._clock(), moved)),
        )
        return line


def outcome_line(outcome: Outcome) -> str:
    """`copied registry/app:1, 71.2 MB`, or what happened to it instead and what to do."""
    size = f", {format_bytes(outcome.bytes_copied)}" if outcome.status is Status.COPIED else ""
    reason = f": {outcome.reason}" if outcome.reason else ""
    hint = f" ({outcome.hint})" if outcome.hint else ""
    return f"{outcome.status.value} {shortened(f'{subject_of(outcome.action)}{size}{reason}{hint}')}"


def status_line(meter: Meter, bytes_per_second: float) -> str:
    """`12.0 of 71.2 MB`, the rate, the time that is left at this rate, and the images that are done."""
    parts = [f"{meter.done} of {format_count(meter.total, 'image')}"]
    if meter.total_bytes:
        parts.append(f"{format_bytes(max(0, meter.moved_bytes))} of {format_bytes(meter.total_bytes)}")
    left_bytes = meter.total_bytes - meter.moved_bytes
    if bytes_per_second >= 1 and left_bytes > 0:
        parts.append(f"{format_bytes(round(bytes_per_second))}/s")
        parts.append(f"{format_seconds(max(1.0, left_bytes / bytes_per_second))} left")
    return ", ".join(parts)
