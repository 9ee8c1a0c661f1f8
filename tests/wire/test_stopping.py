"""An apply that is stopped while a blob is on its way (UPL-12), as a process: what it leaves behind.

Manifests that hang, connects that hang and a second signal are in the tests of the command line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagesync.cancellation import GRACE_SECONDS
from imagesync.tasks import ABANDON_SECONDS
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.fakes.wire import Ending, Fault, Wire
from tests.images import make_image
from tests.traces.harness import Sync

MIB = 1024 * 1024
SETTLE_SECONDS = 1.0
LONGEST_SECONDS = GRACE_SECONDS + ABANDON_SECONDS
KEPT_VARIABLES = ("PATH", "PYTHONPATH", "COVERAGE_PROCESS_START")


@dataclass(frozen=True)
class Ended:
    """How a process ended, and how long after the signal."""

    code: int
    text: str
    seconds: float


@contextmanager
def apply(folder: Path, source: str, destination: str) -> Iterator[subprocess.Popen[str]]:
    """An apply of `app:latest` under way; its temporary files go to a folder of its own."""
    (folder / "temporary").mkdir()
    (folder / "sync.yaml").write_text(
        f"version: 1\nsync:\n  - source: {source}\n    destination: {destination}\n    images:\n      - app:latest\n"
    )
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    environment |= {"HOME": str(folder), "TMPDIR": str(folder / "temporary")}
    with subprocess.Popen(
        [sys.executable, "-m", "imagesync", "apply", "sync.yaml"],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupt(process: subprocess.Popen[str]) -> Ended:
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=30)
    return Ended(process.returncode, text, time.monotonic() - began)


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def check_nothing_is_left(folder: Path, registry: FakeRegistry) -> None:
    assert list((folder / "temporary").iterdir()) == []
    assert not registry.log.lines("PUT", "/manifests/")
    assert [path.name for path in (registry.root / "_uploads").glob("*")] == [], "an upload session is left"


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    made = Sync(make_registry(), make_registry())
    made.fill(make_image(layers=1, layer_bytes=24 * MIB), "latest")
    return made


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(bytes_per_second=6 * MIB), id="fast"),
        pytest.param(Fault(bytes_per_second=100_000), id="slow"),
        pytest.param(Fault(Ending.STALL, after_bytes=MIB, is_upload=True), id="hangs"),
    ],
)
def test_an_upload_under_way_is_taken_back(sync: Sync, tmp_path: Path, fault: Fault) -> None:
    """UPL-12: between two pieces where those pass, else when the grace is over."""
    with Wire(sync.destination.host) as wire:
        wire.fault = fault
        with apply(tmp_path, sync.source.host, wire.host) as process:
            wait_until(lambda: list((sync.destination.root / "_uploads").glob("*")))
            time.sleep(SETTLE_SECONDS)
            ended = interrupt(process)
        assert (ended.code, "Traceback" in ended.text) == (130, False)
        assert ended.seconds < LONGEST_SECONDS + 1
        time.sleep(SETTLE_SECONDS)
        check_nothing_is_left(tmp_path, sync.destination)


def test_a_blob_whose_last_answer_does_not_come_is_taken_back(sync: Sync, tmp_path: Path) -> None:
    """UPL-12."""
    script = sync.destination.script("PUT", "/uploads/", status=503, delay_seconds=LONGEST_SECONDS + 1)
    with apply(tmp_path, sync.source.host, sync.destination.host) as process:
        wait_until(lambda: script.seen == 2)
        ended = interrupt(process)
    assert (ended.code, "Traceback" in ended.text) == (130, False)
    assert ended.seconds < LONGEST_SECONDS + 1
    check_nothing_is_left(tmp_path, sync.destination)
