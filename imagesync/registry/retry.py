"""When a request is sent again, and how long a host is left alone. Retries of a blob's copy are not made here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC
from threading import Lock
from typing import TypeVar

from imagesync.cancellation import Cancellation, backoff_seconds
from imagesync.errors import NetworkError, StoreError
from imagesync.lazy import dataclass

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

    def tries_after(self, failed: Transient | NetworkError) -> int:
        """How many tries there are in all when one failed so."""
        is_server_error = isinstance(failed, Transient) and failed.error.status == 500
        return self.server_error_tries if is_server_error else self.tries

    def wait_seconds(self, failed: Transient | NetworkError, tries: int) -> float:
        """How long to wait after so many tries; of what the server announced its host's pause takes care."""
        if isinstance(failed, Transient) and failed.is_announced:
            return 0.0
        return backoff_seconds(tries, first=self.first_seconds, longest=self.longest_seconds)


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
    began_at, tries = time.monotonic(), 0
    while True:
        tries += 1
        try:
            return attempt()
        except (Transient, NetworkError) as failed:
            if tries >= policy.tries_after(failed):
                raise _given_up(_store_error(failed), tries, began_at) from failed.__cause__
            seconds = policy.wait_seconds(failed, tries)
            tell(_store_error(failed), seconds)
        except StoreError as error:
            raise _given_up(error, tries, began_at) from error.__cause__
        cancellation.wait(seconds)


def _given_up(error: StoreError, tries: int, began_at: float) -> StoreError:
    """It has been tried often enough: who copies a blob need not do it all again."""
    if tries > 1:
        error.message += f" ({tries} tries in {time.monotonic() - began_at:.0f} s)"
    error.is_transient = False
    return error


def _store_error(failed: Transient | NetworkError) -> StoreError:
    # Threads that waited for one token share what came of it.
    return copy(failed.error) if isinstance(failed, Transient) else failed


def once(attempt: Callable[[], T]) -> T:
    """Call `attempt` a single time; a transient answer is raised as the error it stands for, which says so."""
    try:
        return attempt()
    except Transient as transient:
        error = _store_error(transient)
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
        until, now = http_timestamp(text), http_timestamp(headers.get("Date", ""))
        seconds = None if until is None else until - (time.time() if now is None else now)
    return None if seconds is None else min(max(seconds, 0.0), longest_seconds)


def _seconds(text: str) -> float | None:
    digits = text.removeprefix("-")
    if not digits.isdecimal() or not digits.isascii():
        return None
    return -1.0 if text.startswith("-") else float(digits[:12])


def http_timestamp(text: str) -> float | None:
    """What a Date says (RFC 9110, 5.6.7), in seconds of time.time(); None for junk."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - slow, and few servers send a date here

    try:
        parsed = parsedate_to_datetime(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
