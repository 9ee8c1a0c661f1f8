"""Signals and closed pipes, on real processes: prompt, without a traceback, and nothing half-tagged."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from imagesync.__main__ import main
from imagesync.cancellation import GRACE_SECONDS
from imagesync.tasks import ABANDON_SECONDS
from tests.cli.command import Mirror, started

HANGS_SECONDS = GRACE_SECONDS + ABANDON_SECONDS + 1
AT_MOST_SECONDS = HANGS_SECONDS + 2
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def _until(is_so: Callable[[], object]) -> None:
    for _ in range(500):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def _end(process: subprocess.Popen[str], *signals: int) -> tuple[int, str, str, float]:
    """Send signals, a little apart; the exit code, both streams, and the seconds that it took."""
    began = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.2)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err, time.monotonic() - began


@contextmanager
def _no_answer() -> Iterator[str]:
    """`address:port` where a connect hangs: the backlog of a listening socket is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("number", CODES)
def test_a_put_that_hangs_is_ended_after_the_grace(mirror: Mirror, number: signal.Signals) -> None:
    """Decisions 29 and 36. The tag is not written, the report tells of it."""
    mirror.fill("1")
    mirror.destination.script("PUT", "/manifests/1$", status=503, delay_seconds=HANGS_SECONDS)
    with started("apply", mirror.spec(), "--report", "report.json") as process:
        _until(lambda: mirror.destination.log.lines("PUT", "/manifests/sha256:"))
        time.sleep(0.3)
        code, out, err, seconds = _end(process, number)
    assert code == CODES[number]
    assert "Traceback" not in out + err
    assert seconds < AT_MOST_SECONDS
    assert "Interrupted: 0 added" in out
    assert f"interrupted by {number.name}" in out + err
    assert '"cancelled"' in Path("report.json").read_text()
    assert mirror.tags() == {}


def _catches_signals(process_id: int) -> bool:
    """Whether a process has its own handler for SIGTERM by now (proc(5), SigCgt)."""
    status = Path(f"/proc/{process_id}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("number", CODES)
def test_a_connect_that_hangs_is_ended_after_the_grace(mirror: Mirror, number: signal.Signals) -> None:
    with _no_answer() as host:
        spec = Path(mirror.spec())
        spec.write_text(spec.read_text().replace(mirror.source.host, host))
        with started("plan", "sync.yaml") as process:
            _until(lambda: _catches_signals(process.pid))
            time.sleep(0.3)
            code, out, err, seconds = _end(process, number)
    assert code == CODES[number]
    assert seconds < AT_MOST_SECONDS
    told = "Stopping. What is under way may end within 5 s; Ctrl-C again stops at once.\n"
    assert (out, err) == ("", f"{told}imagesync: interrupted by {number.name}\n")


@pytest.mark.parametrize(("first", "second"), [(signal.SIGINT, signal.SIGINT), (signal.SIGINT, signal.SIGTERM)])
def test_a_second_signal_ends_at_once(mirror: Mirror, first: signal.Signals, second: signal.Signals) -> None:
    mirror.fill("1")
    script = mirror.source.script("HEAD", "/manifests/1$", delay_seconds=2)
    with started("apply", mirror.spec()) as process:
        _until(lambda: script.seen)
        code, out, err, seconds = _end(process, first, second)
    assert (code, out, err) == (CODES[second], "", "")
    assert seconds < 2


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: what is written to the second can be read from the first."""
    screen, terminal = os.openpty()
    try:
        yield screen, terminal
    finally:
        os.close(screen)
        os.close(terminal)


def test_a_second_signal_gives_the_terminal_its_cursor_back(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    mirror.fill("1")
    script = mirror.source.script("HEAD", "/manifests/1$", delay_seconds=2)
    with _terminal() as (screen, terminal), started("apply", mirror.spec(), stderr=terminal) as process:
        _until(lambda: script.seen)
        _end(process, signal.SIGINT, signal.SIGINT)
        shown = os.read(screen, 1024 * 1024).decode()
    assert shown.count("\x1b[?25l") == 1
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_what_was_finished_before_the_signal_stays(mirror: Mirror) -> None:
    image = mirror.fill("1")
    mirror.fill("2")
    mirror.destination.script("PUT", "/manifests/2$", status=503, delay_seconds=2)
    with started("apply", mirror.spec("app:1", "app:2")) as process:
        _until(lambda: mirror.tags() and len(mirror.destination.log.lines("PUT", "/manifests/sha256:")) == 4)
        code, out, _, _ = _end(process, signal.SIGINT)
    assert code == 130
    assert mirror.tags() == {"1": image.digest}
    assert "+ app:1" in out
    assert "app:2" in out


@pytest.mark.parametrize("arguments", [("plan", "sync.yaml"), ("inspect", "HOST/app:1"), ("tags", "glob.yaml")])
def test_an_interrupt_leaves_no_traceback(mirror: Mirror, arguments: tuple[str, ...]) -> None:
    mirror.fill("1")
    script = mirror.source.script("", "", delay_seconds=0.5)
    mirror.spec()
    mirror.spec('{name: app, tags: ["*"]}', name="glob.yaml")
    with started(*(part.replace("HOST", mirror.source.host) for part in arguments)) as process:
        _until(lambda: script.seen)
        code, out, err, _ = _end(process, signal.SIGINT)
    assert (code, out, err.splitlines()[-1]) == (130, "", "imagesync: interrupted by SIGINT")
    assert "Traceback" not in err


def test_an_interrupt_while_modules_load_leaves_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("imagesync.cli.main.run", interrupted)
    monkeypatch.setattr("sys.argv", ["imagesync", "plan", "sync.yaml"])
    assert main() == 130


@contextmanager
def _nobody_reads() -> Iterator[int]:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


@pytest.mark.parametrize(
    "arguments", [("plan", "sync.yaml"), ("apply", "sync.yaml"), ("schema",), ("--help",), ("plan", "--help")]
)
def test_a_closed_stdout_is_no_error(mirror: Mirror, arguments: tuple[str, ...]) -> None:
    mirror.fill("1")
    mirror.spec()
    with _nobody_reads() as pipe, started(*arguments, stdout=pipe) as process:
        _, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert process.returncode == 0


@pytest.mark.parametrize("option", [(), ("-v",), ("-v", "--log-format", "json")])
def test_a_run_goes_on_though_nobody_reads_what_it_says(mirror: Mirror, option: tuple[str, ...]) -> None:
    """`apply 2>&1 | head -1` copies everything, writes its report, and its exit code is the run's own."""
    tags = [str(number) for number in range(20)]
    mirror.fill(*tags)
    spec = mirror.spec(*(f"app:{tag}" for tag in tags), "app:lost")
    with (
        _nobody_reads() as pipe,
        started("apply", spec, "--report", "report.json", *option, stdout=pipe, stderr=pipe) as process,
    ):
        process.wait(timeout=30)
    assert process.returncode == 1
    assert set(mirror.tags()) == set(tags)
    assert Path("report.json").exists()


def test_a_gate_whose_program_hangs_holds_up_no_ctrl_c(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.cli.file("#!/bin/sh\necho $$ > running\nsleep 600\n", "hang.sh")
    Path("hang.sh").chmod(0o755)
    spec = mirror.spec("{name: app, tags: '1', gates: [{command: {run: [./hang.sh], timeout: 10m}}]}")
    with started("apply", spec) as process:
        _until(lambda: Path("running").exists() and Path("running").read_text().strip())
        code, out, err, _ = _end(process, signal.SIGINT)
    assert (code, "Traceback" in out + err) == (130, False)
    assert not Path(f"/proc/{Path('running').read_text().strip()}").exists()
    assert mirror.writes() == []
