"""Surroundings: what gates ask of no registry: the time, who runs this, files, and what a program says."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from glob import iglob
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from imagesync.gates import ListFiles, Ran, ReadFile, ReadJobIdentity, RunCommand, TimeNow, Unread
from imagesync.gates.needs import MAX_FILE_BYTES
from imagesync.plan.questions import Surrounding

MAX_LISTED_FILES = 100
MAX_LISTED_BYTES = 64 * 1024
"""Of one file that a glob finds."""
MAX_SAID_BYTES = 4096
ACTORS = ("GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR")
PASSED_ON = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""All that a program gets of the environment: logins stand there."""


def answer_here(question: Surrounding) -> Any:
    """What the gates' needs say of each, or Unread; raises nothing."""
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
        return _run(question) if isinstance(question, RunCommand) else _who()
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


def _run(question: RunCommand) -> Ran | Unread:
    """Files in place of pipes: a program that reads nothing, or whose children live on, holds up nobody."""
    with TemporaryFile() as given, TemporaryFile() as said:
        given.write(question.stdin)
        given.seek(0)
        try:
            done = subprocess.run(  # noqa: S603 - what a spec says is to be run, and no shell reads it
                question.arguments,
                stdin=given,
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=question.timeout_seconds,
                cwd=question.folder,
                env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Unread(f"no answer within {question.timeout_seconds} s")
        said.seek(0)
        return Ran(done.returncode, _first_line(said.read(MAX_SAID_BYTES)))


def _first_line(raw: bytes) -> str:
    lines = raw.decode("utf-8", "replace").strip().splitlines()
    return lines[0].strip() if lines else ""
