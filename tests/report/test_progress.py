"""Progress: the live line, the plain lines, and the rate."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from imagesync.plan.outcome import Outcome, Status
from imagesync.report.progress import Progress, Rate, host_line, host_lines, outcome_line, status_line
from tests.report.values import HOSTILE, make_copy, make_failed, make_keep


@dataclass
class Counters:
    """A meter at a standstill."""

    total_bytes: int = 71_200_000
    moved_bytes: int = 12_000_000
    total: int = 3
    done: int = 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


COPIED = Outcome(make_copy(), Status.COPIED, bytes_copied=71_200_000)
FAILED = make_failed(make_copy("mirror/app:1"), "no right")


def shown_on(stream: io.StringIO, *outcomes: Outcome, quiet: bool = False) -> str:
    with Progress(Counters(), quiet=quiet, stream=stream) as progress:
        for outcome in outcomes:
            progress.outcome(outcome)
    return stream.getvalue()


def test_without_a_terminal_every_change_is_one_line() -> None:
    assert shown_on(io.StringIO(), COPIED, Outcome(make_keep(), Status.UNCHANGED), FAILED) == (
        "copied registry.internal:5000/mirror/nginx:1.27.3, 71.2 MB\n"
        "failed registry.internal:5000/mirror/app:1: no right"
        " (`imagesync login other.internal`, with an account that may push)\n"
    )


def test_quiet_shows_nothing() -> None:
    assert shown_on(io.StringIO(), COPIED, FAILED, quiet=True) == ""
    assert shown_on(Terminal(), COPIED, FAILED, quiet=True) == ""


def test_a_terminal_shows_a_bar_and_above_it_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    text = shown_on(Terminal(), COPIED, FAILED)
    assert "1 of 3 images, 12.0 MB of 71.2 MB" in text
    assert "failed registry.internal:5000/mirror/app:1: no right (`imagesync" in text
    assert "copied registry" not in text


def test_a_terminal_that_can_do_nothing_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert shown_on(Terminal(), COPIED) == "copied registry.internal:5000/mirror/nginx:1.27.3, 71.2 MB\n"


@pytest.mark.parametrize("make_stream", [io.StringIO, Terminal])
def test_what_a_server_says_is_one_harmless_line(
    make_stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    text = shown_on(make_stream(), make_failed(make_copy(), HOSTILE))
    assert "\x1b[2J" not in text
    assert "\n::error" not in text
    assert r"\x1b[2J" in text


def test_no_workflow_command_is_in_a_plain_line() -> None:
    assert "##[group]" not in shown_on(io.StringIO(), make_failed(make_copy(), HOSTILE))


def test_the_line_is_drawn_anew_while_bytes_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    meter, stream = Counters(), Terminal()
    with Progress(meter, stream=stream):
        meter.moved_bytes = 60_000_000
        wait_for("60.0 MB of 71.2 MB", stream)


def wait_for(text: str, stream: io.StringIO) -> None:
    deadline = time.monotonic() + 5
    while text not in stream.getvalue():
        assert time.monotonic() < deadline, stream.getvalue()
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("meter", "rate", "line"),
    [
        (Counters(), 0.0, "1 of 3 images, 12.0 MB of 71.2 MB"),
        (Counters(), 2_000_000.0, "1 of 3 images, 12.0 MB of 71.2 MB, 2.0 MB/s, 30 s left"),
        (Counters(moved_bytes=71_200_000), 2e6, "1 of 3 images, 71.2 MB of 71.2 MB"),
        (Counters(moved_bytes=-5), 0.0, "1 of 3 images, 0 B of 71.2 MB"),
        (Counters(total_bytes=0, moved_bytes=0, total=1, done=0), 0.0, "0 of 1 image"),
        (Counters(total_bytes=0, moved_bytes=0, total=0, done=0), 0.0, "reading both sides"),
        (Counters(moved_bytes=71_199_999), 2e6, "1 of 3 images, 71.2 MB of 71.2 MB, 2.0 MB/s, 1.0 s left"),
    ],
)
def test_the_status_line(meter: Counters, rate: float, line: str) -> None:
    assert status_line(meter, rate) == line


@dataclass
class Host:
    """A host at a standstill."""

    running: int = 0
    heavy: int = 0
    waiting: int = 0
    slots: int = 16
    pause_seconds: float = 0.0


@pytest.mark.parametrize(
    ("host", "line"),
    [
        (Host(running=4), "4 of 16 under way"),
        (Host(running=4, heavy=2, waiting=36, slots=4), "4 of 4 under way (2 large), 36 waiting"),
        (Host(running=1, waiting=9, slots=0, pause_seconds=42.0), "asked to be left alone, 42 s more, 9 waiting"),
    ],
)
def test_a_host_says_what_it_does_and_why_it_waits(host: Host, line: str) -> None:
    assert host_line(host) == line


def test_only_busy_hosts_are_shown_and_not_too_many() -> None:
    hosts = {f"r{number}.example": Host(running=number) for number in range(12)}
    lines = host_lines(hosts)
    assert [name for name, _ in lines] == [*sorted(f"r{number}.example" for number in range(4, 12)), "…"]
    assert lines[-1][1] == "and 3 other hosts"


def test_a_terminal_shows_what_each_host_is_doing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    with Progress(Counters(), activity=lambda: {"docker.io": Host(running=4, slots=4, waiting=7)}, stream=stream):
        wait_for("4 of 4 under way, 7 waiting", stream)


def test_without_a_terminal_a_long_silence_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesync.report.progress.STILL_HERE_SECONDS", 0.01)
    stream = io.StringIO()
    with Progress(Counters(), activity=lambda: {"docker.io": Host(running=1, slots=4)}, stream=stream):
        wait_for("1 of 3 images, 12.0 MB of 71.2 MB; docker.io: 1 of 4 under way\n", stream)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate()
    assert rate.add(0.0, 0) == 0
    assert rate.add(1.0, 100) == 100
    for second in range(2, 12):
        last = rate.add(float(second), 100)
    assert last == 0


def test_bytes_that_are_sent_again_make_no_negative_rate() -> None:
    rate = Rate()
    rate.add(0.0, 1000)
    assert rate.add(1.0, 0) == 0


def test_a_cancelled_outcome_has_its_reason_and_no_size() -> None:
    outcome = Outcome(make_copy(), Status.CANCELLED, "interrupted")
    assert outcome_line(outcome) == "cancelled registry.internal:5000/mirror/nginx:1.27.3: interrupted"


def test_rich_is_loaded_for_a_terminal_alone() -> None:
    program = (
        "import io, sys\n"
        "from imagesync.report.progress import Progress\n"
        "with Progress(None, stream=io.StringIO()): pass\n"
        "print('rich' in sys.modules, 'asyncio' in sys.modules)\n"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30, env=environment
    )
    assert done.stdout == "False False\n"
