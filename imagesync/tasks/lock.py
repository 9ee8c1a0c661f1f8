"""YieldingLock: a mutex for sections of some microseconds that many threads enter."""

from __future__ import annotations

import threading
import time
from types import TracebackType

_FIRST_SECONDS, _LONGEST_SECONDS = 0.00002, 0.002


class YieldingLock:
    """Who finds it taken lets others run and asks again.

    A threading.Lock goes to a waiter who then still has to wait for the interpreter, and whoever comes meanwhile
    waits for him: from the first waiter on each task costs a switch of threads, twice the time of the task itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        seconds = _FIRST_SECONDS
        while not self._lock.acquire(blocking=False):
            time.sleep(seconds)
            seconds = min(2 * seconds, _LONGEST_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()
