"""When a request is sent again, and how long a host is left alone. Retries of a blob's copy are not made here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import chain, repeat
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from imagesync.cancellation import Cancellation
from imagesync.errors import NetworkError, StoreError

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

T = TypeVar("T")
Tell = Callable[[StoreError, float], None]
TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 522})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon. Waits are drawn between 0 and a bound that doubles from `first_seconds`."""

    tries: int = 6
    server_error_tries: int = 3
    """After a 500, which some registries answer to requests that are wrong and stay so."""
    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    """Also the most that a server's Retry-After is believed."""


ONE_TRY = RetryPolicy(tries=1, server_error_tries=1)


class Transient(Exception):
    """An answer that may be another one next time. `error` is raised when no try is left.

    `is_announced` says that the server told how long to wait: the host is paused, no other wait is needed.
    """

    def __init__(self, error: StoreError, *, is_announced: bool = False) -> None:
        super().__init__(error)
        self.error = error
        self.is_announced = is_announced


class Pause:
    """A time before which a host gets no request, from any thread."""

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = Lock()

    def extend(self, seconds: float) -> None:
        """Leave the host alone for this long from now; a pause never gets shorter."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + seconds)

    def seconds(self) -> float:
        """How much of it is left; 0 when it is over."""
        return max(0.0, self._until - time.monotonic()) if self._until else 0.0

    def wait(self, cancellation: Cancellation) -> None:
        """Sleep until the pause is over. Raises Cancelled."""
        while (left := self.seconds()) > 0:
            cancellation.wait(left)


def run(
    attempt: Callable[[], T], policy: RetryPolicy, cancellation: Cancellation, *, tell: Tell = lambda *_: None
) -> T:
    """Call `attempt` until it returns, raises what is not worth another try, or has used up its tries.

    `tell` gets to know of each try that failed and is made again: the error, and the seconds until then.

    Raises the StoreError of the last try, or Cancelled.
    """
    began_at = time.monotonic()
    try:
        return attempt()
    except (Transient, NetworkError) as error:
        first = error
    except StoreError as error:
        error.is_transient = False
        raise
    retrying = _retrying(policy, cancellation, tell)
    try:
        return once(lambda: retrying(_resumed(first, attempt)))
    except StoreError as error:
        tries = retrying.statistics.get("attempt_number", 1)
        if tries > 1:
            error.message += f" ({tries} tries in {time.monotonic() - began_at:.0f} s)"
        error.is_transient = False  # it has been tried often enough: who copies a blob need not do it all again
        raise


def _retrying(policy: RetryPolicy, cancellation: Cancellation, tell: Tell) -> Retrying:
    # Nearly every request is answered at once: those do not pay for this.
    from tenacity import Retrying, retry_if_exception_type, wait_random_exponential  # noqa: PLC0415

    backoff = wait_random_exponential(multiplier=policy.first_seconds, max=policy.longest_seconds)

    def wait(state: RetryCallState) -> float:
        error = _error(state)
        return 0.0 if isinstance(error, Transient) and error.is_announced else backoff(state)

    def is_last(state: RetryCallState) -> bool:
        error = _error(state)
        is_server_error = isinstance(error, Transient) and error.error.status == 500
        return state.attempt_number >= (policy.server_error_tries if is_server_error else policy.tries)

    return Retrying(
        retry=retry_if_exception_type((Transient, NetworkError)),
        stop=is_last,
        wait=wait,
        sleep=cancellation.wait,
        before_sleep=lambda state: tell(_store_error(state), state.upcoming_sleep),
        reraise=True,
    )


def _resumed(failed: Exception, attempt: Callable[[], T]) -> Callable[[], T]:
    """A call that fails the first time as an attempt has failed already, and makes attempts from then on."""

    def fail() -> T:
        raise failed

    def call() -> T:
        return next(calls)()

    calls = chain((fail,), repeat(attempt))
    return call


def once(attempt: Callable[[], T]) -> T:
    """Call `attempt` a single time; a transient answer is raised as the error it stands for, which says so."""
    try:
        return attempt()
    except Transient as transient:
        error = copy(transient.error)  # threads that waited for one token share what came of it
        error.is_transient = True
        raise error from transient.__cause__


def retry_after_seconds(headers: Mapping[str, str], *, longest_seconds: float) -> float | None:
    """What Retry-After asks for, in seconds or as a date (RFC 9110, 10.2.3): at least 0, capped; None for junk.

    A date is measured against the server's own Date where it sends one: clocks differ.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    seconds = _seconds(text)
    if seconds is None:
        until, now = _timestamp(text), _timestamp(headers.get("Date", ""))
        seconds = None if until is None else until - (time.time() if now is None else now)
    return None if seconds is None else min(max(seconds, 0.0), longest_seconds)


def _store_error(state: RetryCallState) -> StoreError:
    error = _error(state)
    if isinstance(error, Transient):
        return error.error
    return error if isinstance(error, StoreError) else NetworkError(str(error))


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _seconds(text: str) -> float | None:
    digits = text.removeprefix("-")
    if not digits.isdecimal() or not digits.isascii():
        return None
    return -1.0 if text.startswith("-") else float(digits[:12])


def _timestamp(text: str) -> float | None:
    try:
        parsed = parsedate_to_datetime(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
