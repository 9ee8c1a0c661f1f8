"""Where text goes: results to stdout, everything else to stderr, and nothing from a server as a command to CI."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from imagesync.errors import ImagesyncError, SpecError


def emit(text: str) -> None:
    """Write a result to stdout, with a final newline."""
    _write(sys.stdout, text)


def emit_raw(raw: bytes) -> None:
    """Write bytes to stdout as they are; in CI, where they are looked through for commands, with those broken."""
    if in_github_actions():
        from imagesync.report.defused import defuse  # noqa: PLC0415 - only there

        raw = defuse(raw.decode("utf-8")).encode("utf-8")
    sys.stdout.flush()
    sys.stdout.buffer.write(raw)


def notify(text: str) -> None:
    """Write a line for people to stderr."""
    _write(sys.stderr, text)


def complain(error: ImagesyncError) -> None:
    """Say on stderr what happened and what to do; every problem of a spec on its own lines."""
    if isinstance(error, SpecError):
        from imagesync.report.github import annotations_of_problems  # noqa: PLC0415 - only when something is wrong

        count = len(error.problems)
        notify("\n".join(str(problem) for problem in error.problems))
        notify(f"{count} mistake{'s' if count != 1 else ''} in {error.subject}; nothing was touched.")
        if in_github_actions():
            sys.stderr.write(annotations_of_problems(error.problems, workspace_folder()))
        return
    from imagesync.plan.inventory import str_without_hint  # noqa: PLC0415 - only when something is wrong
    from imagesync.report.printable import printable  # noqa: PLC0415

    hint = f"\n    {printable(error.hint)}" if error.hint else ""
    notify(f"imagesync: {printable(str_without_hint(error))}{hint}")


def in_github_actions() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def workspace_folder() -> str:
    """The current folder relative to the checkout that GitHub Actions runs in; empty where it is that itself, or where
    it is none of it."""
    root, here = Path(os.environ.get("GITHUB_WORKSPACE", "")).resolve(), Path.cwd()
    return here.relative_to(root).as_posix() if here.is_relative_to(root) else ""


def wants_color(stream: TextIO) -> bool:
    """Whether to color: NO_COLOR forbids, FORCE_COLOR and CLICOLOR_FORCE demand, else terminals and CI logs get it."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    if os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty() or in_github_actions() or "GITLAB_CI" in os.environ


def to_json(value: object) -> str:
    """A value as JSON for people and programs."""
    from imagesync.report.printable import printable_json  # noqa: PLC0415 - not for --help

    return printable_json(value)


def _write(stream: TextIO, text: str) -> None:
    if in_github_actions():
        from imagesync.report.defused import defuse  # noqa: PLC0415 - only there

        text = defuse(text)
    try:
        stream.write(text if text.endswith("\n") else f"{text}\n")
    except BrokenPipeError:
        discard(stream)


def flush(stream: TextIO) -> None:
    """Write out what is buffered; it is no error that nobody reads it."""
    try:
        stream.flush()
    except BrokenPipeError:
        discard(stream)


def discard(stream: TextIO) -> None:
    """The reader has gone, as with `| head -1`: what is still written goes nowhere, and the work goes on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
