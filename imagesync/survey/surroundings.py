"""Surroundings: what gates ask of no registry: the time, who runs this, files, and what a program says."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from glob import iglob
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from imagesync.gates import ListFiles, Ran, ReadFile, ReadJobIdentity, RunCommand, TimeNow, Unread
from imagesync.gates.needs import MAX_FILE_BYTES
from imagesync.plan.questions import Surrounding
from imagesync.survey.answers import nobody_stops

MAX_LISTED_FILES = 100
MAX_LISTED_BYTES = 64 * 1024
"""Of one file that a glob finds."""
MAX_SAID_BYTES = 4096
LOOK_SECONDS = 0.05
"""How often it is looked whether a program has to be ended."""
ACTORS = ("GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR")
PASSED_ON = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""All that a program gets of the environment: logins stand there."""


def answer_here(question: Surrounding, check: Callable[[], None] = nobody_stops) -> Any:
    """What the gates' needs say of each, or Unread; raises what `check` raises once the run is to stop, nothing
    else."""
    if isinstance(question, TimeNow):
        return datetime.now(UTC)
    try:
        if isinstance(question, ReadFile):
            return _read(question.path, MAX_FILE_BYTES)
        if isinstance(question, ListFiles):
            return _list(question.pattern)
        if isinstance(question, ReadJobIdentity):
            from imagesync.survey.identity import job_identity  # noqa: PLC0415 - few specs have such a gate

            return job_identity(question.issuer)
        return _run(question, check) if isinstance(question, RunCommand) else _who()
    except OSError as error:
        return Unread(error.strerror or type(error).__name__)


def _read(path: str, max_bytes: int) -> bytes | Unread | None:
    try:
        with Path(path).open("rb") as file:
            found = file.read(max_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found if len(found) <= max_bytes else Unread(f"{path} has more than {max_bytes} bytes")


def _list(pattern: str) -> Mapping[str, bytes] | Unread:
    names = sorted(islice(iglob(pattern), MAX_LISTED_FILES + 1))  # noqa: PTH207 - takes an absolute pattern
    if len(names) > MAX_LISTED_FILES:
        return Unread(f"{pattern} finds more than {MAX_LISTED_FILES} files")
    found = {name: _read(name, MAX_LISTED_BYTES) for name in names}
    return {name: text for name, text in found.items() if isinstance(text, bytes)}


def _who() -> tuple[str, ...] | Unread:
    named = tuple(os.environ[name] for name in ACTORS if os.environ.get(name))
    try:
        return named or (getpass.getuser(),)
    except (KeyError, ImportError):
        return Unread("the user that runs this has no name")


def _run(question: RunCommand, check: Callable[[], None]) -> Ran | Unread:
    """Files in place of pipes: a program that reads nothing, or whose children live on, holds up nobody."""
    with TemporaryFile() as given, TemporaryFile() as said:
        given.write(question.stdin)
        given.seek(0)
        process = subprocess.Popen(  # noqa: S603 - what a spec says is to be run, and no shell reads it
            question.arguments,
            stdin=given,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=question.folder,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            start_new_session=True,
        )
        with _ended(process):
            code = _code(process, question.timeout_seconds, check)
        if code is None:
            return Unread(f"no answer within {question.timeout_seconds} s")
        said.seek(0)
        return Ran(code, _first_line(said.read(MAX_SAID_BYTES)))


def _code(process: subprocess.Popen[bytes], timeout_seconds: float, check: Callable[[], None]) -> int | None:
    """How a program ends; None where it does not in time."""
    last = time.monotonic() + timeout_seconds
    while time.monotonic() < last:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK_SECONDS)
        check()
    return process.poll()


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """At the end of the block the program has ended, with all that it started if it had to be ended."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # its session is its own; not waited for yet, so it is there
            process.wait()


def _first_line(raw: bytes) -> str:
    lines = raw.decode("utf-8", "replace").strip().splitlines()
    return lines[0].strip() if lines else ""
