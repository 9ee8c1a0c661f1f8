"""A promotion that is killed outright, at each request that writes: the stage is as before, as after, or incomplete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.command import WRITES, Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.fakes.registry import Entry, FakeRegistry
from tests.images import make_image

FORKING = """
import os, sys
from imagesync.cli.main import run
import imagesync.cli.promote, imagesync.cli.promoting, imagesync.executor.together, imagesync.promotion.recording
import imagesync.cli.stores, imagesync.tasks, imagesync.report.progress, yaml
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(run(line.split()))
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


class Runs:
    """Runs commands in processes that are forked from one which has imported all: a start costs next to nothing."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, *arguments: str) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(arguments) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def wait(self) -> None:
        assert self._line() == "ended"

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def runs() -> Iterator[Runs]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", FORKING], text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield Runs(process)
        finally:
            process.kill()


@contextmanager
def killed_at(registry: FakeRegistry, number: int, pid: list[int]) -> Iterator[threading.Event]:
    """Kill the process when it writes for this time; the request itself is done, its answer reaches nobody."""
    reached, seen = threading.Event(), 0

    def look(entry: Entry) -> None:
        nonlocal seen
        seen += entry.method in WRITES
        if seen == number and entry.method in WRITES:
            os.kill(pid[0], signal.SIGKILL)
            reached.set()

    registry.call_before_each(look)
    try:
        yield reached
    finally:
        registry.call_before_each(lambda _entry: None)


def test_a_kill_at_any_write_leaves_the_stage_before_after_or_incomplete_and_a_second_run_finishes(
    cli: Cli, make_registry: MakeRegistry, runs: Runs
) -> None:
    dev, staging, production = make_registry(), make_registry(), make_registry()
    shop = Shop(cli, (dev, staging, production), more={"staging": "current: staging"})
    old = shop.push("1.3.0", api=make_image("api 3", layers=0), worker=make_image("worker 3", layers=0))
    new = shop.push("1.4.0", api=make_image("api 4", layers=0), worker=make_image("worker 4", layers=0))
    before = {name: {"1.3.0": image.digest, "staging": image.digest} for name, image in old.items()}
    after = {
        name: {"1.3.0": old[name].digest, "1.4.0": image.digest, "staging": image.digest} for name, image in new.items()
    }
    found = []
    for number in range(1, 100):
        prefix = f"fault{number}"
        shop.write(prefixes=("shop", prefix, "shop"))
        assert shop.promote("1.3.0", "staging").code == 0
        reached = _promote_and_kill(staging, number, runs)
        tags = {name: shop.tags(1, name, prefix) for name in shop.images}
        state = cli("status", "sync.yaml", "--format", "json").json()
        found.append(_checked(tags == before, tags == after, state))
        assert shop.promote("1.4.0", "staging").code == 0
        assert {name: shop.tags(1, name, prefix) for name in shop.images} == after
        assert cli("status", "sync.yaml").code == 0
        assert shop.entries(1, prefix)[-1] == "finished"
        if not reached:
            break
    steps = list(dict.fromkeys(found))
    assert steps == ["before", "incomplete", "after"], found
    assert found.count("incomplete") >= 6


def _promote_and_kill(registry: FakeRegistry, number: int, runs: Runs) -> bool:
    pid: list[int] = []
    registry.log.clear()
    with killed_at(registry, number, pid) as reached:
        pid.append(runs.start("promote", "sync.yaml", "shop:1.4.0", "--to", "staging", "--concurrency", "1"))
        runs.wait()
        while reached.is_set() and len([one for one in registry.log.entries() if one.method in WRITES]) < number:
            threading.Event().wait(0.005)
    return reached.is_set()


def _checked(is_before: bool, is_after: bool, status: dict[str, object]) -> str:
    """What the stage is, which its status has to say as well."""
    stage = status["stages"][1]  # type: ignore[index]
    code = status["summary"]["exit_code"]  # type: ignore[index]
    if stage["incomplete"] is not None:
        assert (code, stage["incomplete"]["version"]) == (1, "1.4.0")
        assert "finishes it" in stage["next"]
        return "incomplete"
    assert code == 0
    version = stage["released"]["version"]
    assert (version, is_before, is_after) in (("1.3.0", True, False), ("1.4.0", False, True))
    return "after" if is_after else "before"
