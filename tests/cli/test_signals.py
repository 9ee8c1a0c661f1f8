"""Signals within one process: what the handler may not do, and who acts in its place."""

from __future__ import annotations

import signal
import threading

import pytest

from imagesync.cancellation import Cancellation
from imagesync.cli.signals import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_while_its_thread_holds_the_lock_of_the_event_ends_the_work(
    number: signal.Signals,
) -> None:
    """The handler runs in the main thread, between any two of its instructions: were it to set the event itself, it
    would wait for a lock that only the interrupted code can give back."""
    cancellation, is_set = Cancellation(grace_seconds=0), threading.Event()
    with interruptible(cancellation, is_set.set) as interruption:
        with cancellation._event._cond:  # type: ignore[attr-defined] # as Event.wait and Event.set hold it
            signal.raise_signal(number)
        assert is_set.wait(5)
        assert interruption.exit_code == 128 + number
        assert str(cancellation.error()) == f"interrupted by {number.name}"


def test_a_second_signal_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    with interruptible(Cancellation(), lambda: None):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert codes == [143]


def test_who_pressed_ctrl_c_is_told_what_goes_on_when_it_takes_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesync.cli.signals.ANNOUNCED_AFTER_SECONDS", 0.01)
    said: list[str] = []
    woken = threading.Event()
    with interruptible(Cancellation(grace_seconds=0.1), woken.set, said.append):
        signal.raise_signal(signal.SIGINT)
        assert woken.wait(5)
    assert len(said) == 1
    assert "Ctrl-C again stops at once" in said[0]


def test_an_end_that_comes_at_once_is_not_announced() -> None:
    said: list[str] = []
    cancellation = Cancellation()
    with interruptible(cancellation, lambda: None, said.append):
        signal.raise_signal(signal.SIGINT)
        while not cancellation.is_cancelled:
            pass
    assert said == []
