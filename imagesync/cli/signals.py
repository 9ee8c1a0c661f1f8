"""Signals: the first asks the work to stop and, after its grace, wakes what hangs; the second ends the process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled

LOOK_SECONDS = 0.05
"""How often the watcher looks whether a signal came, or the deadline has."""
ANNOUNCED_AFTER_SECONDS = 0.5
"""Whoever pressed Ctrl-C is told what goes on when it takes longer than this."""
_STDERR = 2
_HANDLED = (signal.SIGINT, signal.SIGTERM)


class Terminated(Cancelled):
    """SIGTERM stopped the work."""

    exit_code = 128 + signal.SIGTERM


class Interruption:
    """Which signal came, if any; its exit code is 128 and the signal's number."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    @property
    def exit_code(self) -> int | None:
        return None if self.signal_number is None else 128 + self.signal_number

    def explained(self, cancelled: Cancelled) -> Cancelled:
        """What a command ends with that was stopped before it had a result: with the signal's own exit code."""
        if self.signal_number == signal.SIGTERM:
            return Terminated(cancelled.message)
        if self.signal_number is None:
            return Cancelled(cancelled.message, hint="--timeout was too short, or a registry hangs: -v shows requests")
        return cancelled


@contextmanager
def interruptible(
    cancellation: Cancellation, wake: Callable[[], None], announce: Callable[[str], None] = lambda _: None
) -> Iterator[Interruption]:
    """Within the block, SIGINT and SIGTERM set the cancellation; `wake` is called when its grace has passed,
    or once the deadline and its grace have. A second signal exits at once. `announce` is given a sentence for people
    when the end takes a while."""
    interruption = Interruption()

    def handle(number: int, _frame: FrameType | None) -> None:
        # Nothing here may take a lock: the thread that it interrupts may hold the same one. The watcher acts.
        if interruption.signal_number is not None:
            _show_cursor()
            os._exit(128 + number)
        interruption.signal_number = number

    stopped = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(interruption, cancellation, wake, announce, stopped), daemon=True, name="imagesync-watch"
    )
    watcher.start()
    before = {number: signal.signal(number, handle) for number in _HANDLED}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stopped.set()


def _show_cursor() -> None:
    """The progress on a terminal hides it, and has no time left to show it again."""
    with suppress(OSError):
        if os.isatty(_STDERR):
            os.write(_STDERR, b"\x1b[?25h\r\n")


def _watch(
    interruption: Interruption,
    cancellation: Cancellation,
    wake: Callable[[], None],
    announce: Callable[[str], None],
    stopped: threading.Event,
) -> None:
    while not stopped.wait(LOOK_SECONDS):
        if interruption.signal_number is not None:
            cancellation.cancel(f"interrupted by {signal.Signals(interruption.signal_number).name}")
        if cancellation.is_cancelled:
            _let_it_end(cancellation, announce, stopped)
            if not stopped.is_set():
                wake()
            return


def _let_it_end(cancellation: Cancellation, announce: Callable[[str], None], stopped: threading.Event) -> None:
    """Wait until the work has ended, or its grace has passed."""
    at_once = min(ANNOUNCED_AFTER_SECONDS, cancellation.grace_seconds)
    if not stopped.wait(at_once):
        grace = cancellation.grace_seconds
        announce(f"Stopping. What is under way may end within {grace:.0f} s; Ctrl-C again stops at once.")
        stopped.wait(grace - at_once)
