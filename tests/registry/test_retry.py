"""When a request is made again, and for how long a host is left alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled, LimitError, NetworkError, NotFoundError, StoreError
from imagesync.registry.retry import Pause, RetryPolicy, Transient, once, retry_after_seconds, run

QUICK = RetryPolicy(tries=4, server_error_tries=2, first_seconds=0.001)
DATE = datetime(2026, 1, 1, 12, tzinfo=UTC)


def make_failing(*errors: Exception) -> tuple[Callable[[], str], list[Exception]]:
    """A call that raises these in turn and then returns `done`; the list holds those not yet raised."""
    left = list(errors)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return attempt, left


def make_transient(status: int) -> Transient:
    return Transient(StoreError("busy", status=status))


def test_what_may_pass_is_tried_again() -> None:
    attempt, _ = make_failing(make_transient(503), NetworkError("reset"), make_transient(429))
    assert run(attempt, QUICK, Cancellation()) == "done"


def test_the_last_error_is_raised_and_not_worth_another_round() -> None:
    attempt, left = make_failing(*(NetworkError(f"try {number}") for number in range(1, 6)))
    with pytest.raises(NetworkError, match="try 4") as raised:
        run(attempt, QUICK, Cancellation())
    assert len(left) == 1
    assert not raised.value.is_transient


def test_an_internal_error_gets_fewer_tries() -> None:
    attempt, left = make_failing(*(make_transient(500) for _ in range(5)))
    with pytest.raises(StoreError, match="busy"):
        run(attempt, QUICK, Cancellation())
    assert len(left) == 3


def test_what_stays_wrong_is_not_tried_again() -> None:
    attempt, left = make_failing(NotFoundError("gone"), NotFoundError("gone"))
    with pytest.raises(NotFoundError):
        run(attempt, QUICK, Cancellation())
    assert len(left) == 1


def test_a_single_try_raises_what_the_answer_stands_for() -> None:
    attempt, _ = make_failing(Transient(LimitError("slow down")))
    with pytest.raises(LimitError, match="slow down"):
        once(attempt)


def test_a_transient_answer_can_be_handed_to_several_threads() -> None:
    """Whoever waited for the same token gets a copy."""
    copied = copy(Transient(LimitError("slow down"), is_announced=True))
    assert copied.error.message == "slow down"
    assert copied.is_announced


def test_one_thread_that_gives_up_leaves_the_others_their_error() -> None:
    shared = LimitError("slow down")
    with pytest.raises(LimitError) as tried_once:
        once(make_failing(Transient(shared))[0])
    with pytest.raises(LimitError) as given_up:
        run(make_failing(*(Transient(shared) for _ in range(4)))[0], QUICK, Cancellation())
    assert tried_once.value.is_transient
    assert not given_up.value.is_transient


def test_cancelling_ends_the_wait() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    attempt, _ = make_failing(NetworkError("reset"))
    with pytest.raises(Cancelled):
        run(attempt, RetryPolicy(first_seconds=60), cancellation)


def test_a_pause_is_never_made_shorter() -> None:
    pause, begun = Pause(), time.monotonic()
    pause.extend(0.05)
    pause.extend(0.0)
    pause.wait(Cancellation())
    assert time.monotonic() - begun >= 0.05


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1000000000", 60.0),
        ("9" * 5000, 60.0),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("1.5", None),
        (format_datetime(DATE + timedelta(seconds=9), usegmt=True), 9.0),
        (format_datetime(DATE - timedelta(days=1), usegmt=True), 0.0),
        (format_datetime(DATE + timedelta(days=1), usegmt=True), 60.0),
        ("Thu, 99 Jan 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_capped(text: str, seconds: float | None) -> None:
    """LIM-01."""
    headers = {"Retry-After": text, "Date": format_datetime(DATE, usegmt=True)}
    assert retry_after_seconds(headers, longest_seconds=60.0) == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_retry_after_is_a_wait_within_bounds_or_none(text: str, date: str) -> None:
    seconds = retry_after_seconds({"Retry-After": text, "Date": date}, longest_seconds=60.0)
    assert seconds is None or 0 <= seconds <= 60
