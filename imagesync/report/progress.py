"""Progress on stderr: a live view on a terminal, drawn by rich; elsewhere a line for each outcome, and now and then one
that says how far the run is. rich is imported only where a terminal shows it. All is polled: who moves bytes knows
nothing of this.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from imagesync.plan.outcome import Outcome, Status
from imagesync.report.defused import defuse
from imagesync.report.model import subject_of
from imagesync.report.rows import shortened
from imagesync.report.units import format_bytes, format_count, format_seconds

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

REFRESHES_PER_SECOND = 8
RATE_WINDOW_SECONDS = 5.0
"""The rate is that of the last seconds: a stall shows, and the start is forgotten."""
STILL_HERE_SECONDS = 60.0
"""Without a terminal a line is due this often: a job that says nothing for long is taken for dead."""
MAX_HOSTS_SHOWN = 8
_QUIET = frozenset({Status.UNCHANGED, Status.ASSUMED})
_QUIET_LIVE = _QUIET | {Status.COPIED, Status.SKIPPED}
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


class HostActivity(Protocol):
    """What goes on at one host: how many requests are under way of how many that may be, and for how long none may."""

    @property
    def running(self) -> int: ...
    @property
    def heavy(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def slots(self) -> int: ...
    @property
    def pause_seconds(self) -> float: ...


Activity = Callable[[], Mapping[str, HostActivity]]


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
        activity: Activity = dict,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._meter = meter
        self._activity = activity
        self._is_quiet = quiet
        self._stream = stream or sys.stderr
        self._clock = clock
        self._rate = Rate()
        self._live: Live | None = None
        self._said_at = clock()
        self._ended = Event()

    def __enter__(self) -> Self:
        if self._is_quiet:
            return self
        if self._stream.isatty() and os.environ.get("TERM") != "dumb":
            self._live = self._open_live()
        else:
            Thread(target=self._say_now_and_then, daemon=True, name="imagesync-progress").start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._live is not None:
            self._live.stop()

    def outcome(self, outcome: Outcome) -> None:
        """Show what became of one action, where that is news."""
        hidden = _QUIET if self._live is None else _QUIET_LIVE
        if self._is_quiet or outcome.status in hidden:
            return
        line = outcome_line(outcome)
        if self._live is None:
            self._write(line)
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

    def _draw(self) -> Group:
        from rich.console import Group  # noqa: PLC0415 - as above
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        moved, total = self._meter.moved_bytes, self._meter.total_bytes
        line = Table.grid(padding=(0, 1))
        shown = (moved, total) if total else (self._meter.done, self._meter.total)
        line.add_row(
            ProgressBar(total=max(shown[1], 1), completed=shown[0], width=28),
            status_line(self._meter, self._rate.add(self._clock(), moved)),
        )
        hosts = Table.grid(padding=(0, 2))
        for host, text in host_lines(self._activity()):
            hosts.add_row(Text(f"  {host}", style="dim"), Text(text, style="dim"))
        return Group(line, hosts)

    def _write(self, line: str) -> None:
        self._said_at = self._clock()
        self._stream.write(f"{defuse(line)}\n")
        self._stream.flush()

    def _say_now_and_then(self) -> None:
        while not self._ended.wait(max(0.0, self._said_at + STILL_HERE_SECONDS - self._clock())):
            if self._clock() - self._said_at < STILL_HERE_SECONDS:
                continue
            try:
                hosts = [f"{host}: {text}" for host, text in host_lines(self._activity())]
                rate = self._rate.add(self._clock(), self._meter.moved_bytes)
                self._write("; ".join([status_line(self._meter, rate), *hosts]))
            except (BrokenPipeError, ValueError):  # nobody reads stderr any more, or it is closed
                return


def host_lines(activity: Mapping[str, HostActivity]) -> list[tuple[str, str]]:
    """For each host that does something: its name, what it does and why it waits; the busiest ones."""
    busy = [(host, one) for host, one in activity.items() if one.running or one.waiting]
    busy.sort(key=lambda item: item[1].running + item[1].waiting, reverse=True)
    shown = sorted(busy[:MAX_HOSTS_SHOWN])
    more = len(busy) - len(shown)
    lines = [(shortened(host), host_line(one)) for host, one in shown]
    return lines + ([("…", f"and {format_count(more, 'other host')}")] if more else [])


def host_line(host: HostActivity) -> str:
    """`4 of 16 under way (2 large), 36 waiting`, or for how much longer the host wants to be left alone."""
    waiting = [f"{host.waiting} waiting"] if host.waiting else []
    if host.pause_seconds > 0:
        return ", ".join([f"asked to be left alone, {format_seconds(max(1.0, host.pause_seconds))} more", *waiting])
    large = f" ({host.heavy} large)" if host.heavy else ""
    return ", ".join([f"{host.running} of {host.slots} under way{large}", *waiting])


def outcome_line(outcome: Outcome) -> str:
    """`copied registry/app:1, 71.2 MB`, or what happened to it instead and what to do."""
    size = f", {format_bytes(outcome.bytes_copied)}" if outcome.status is Status.COPIED else ""
    reason = f": {outcome.reason}" if outcome.reason else ""
    hint = f" ({outcome.hint})" if outcome.hint else ""
    return f"{outcome.status.value} {shortened(f'{subject_of(outcome.action)}{size}{reason}{hint}')}"


def status_line(meter: Meter, bytes_per_second: float) -> str:
    """`12.0 of 71.2 MB`, the rate, the time that is left at this rate, and the images that are done."""
    parts = [f"{meter.done} of {format_count(meter.total, 'image')}" if meter.total else "reading both sides"]
    if meter.total_bytes:
        parts.append(f"{format_bytes(max(0, meter.moved_bytes))} of {format_bytes(meter.total_bytes)}")
    left_bytes = meter.total_bytes - meter.moved_bytes
    if bytes_per_second >= 1 and left_bytes > 0:
        parts.append(f"{format_bytes(round(bytes_per_second))}/s")
        parts.append(f"{format_seconds(max(1.0, left_bytes / bytes_per_second))} left")
    return ", ".join(parts)
