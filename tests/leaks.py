"""SEC-01, a pytest plugin: a test fails in whose output a secret is found.

Its output is what it and the program print, also as processes of their own, every error that is made, and the files
it leaves. Secrets are those of `tests.secrets`, and those that the program reveals while the test runs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from imagesync import redaction
from imagesync.errors import ImagesyncError
from tests.secrets import EVERYWHERE

MAX_FILE_BYTES = 256 * 1024
PLACES_OF_SECRETS = (
    *("config.json", "*auth.json", "docker-credential-*", "*.key", "*.pem", "token", "password"),
    *("*.yaml", "*.yml", "*.py", "*.sh"),
)
"""Files that logins and keys are kept in, and those that tests write by hand: specs, and programs that are helpers."""


@dataclass
class Output:
    """What one test has brought forth so far, by where it was seen, and the secrets that it has used."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    revealed: set[str] = field(default_factory=set)
    is_told: bool = False
    """Whether a leak was reported: files stay, and are told of once."""

    def clear(self) -> None:
        self.texts.clear()
        self.revealed.clear()
        self.is_told = False

    def add(self, where: str, text: object) -> None:
        if text:
            self.texts.append((where, text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)))

    def add_streams(self, where: str, streams: Iterable[object]) -> None:
        for text in streams:
            self.add(where, text)


_output = Output()


def find_leaks(texts: Iterable[tuple[str, str]], secrets: Iterable[str]) -> Iterator[str]:
    """A line for each text that holds a secret, with what stands around that."""
    wanted = sorted(secrets)
    for where, text in texts:
        found = next((secret for secret in wanted if secret in text), None)
        if found is not None:
            at = text.index(found)
            yield f"{where} holds a secret: …{text[max(0, at - 60) : at + len(found) + 20]!r}…"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "shows_secrets(why): its output is not searched for secrets")
    _after(redaction._Values, "add", lambda _, arguments, __: _output.revealed.update(_searched(arguments[0])))
    _after(ImagesyncError, "__init__", lambda made, *_: _output.add("an error", f"{made.message} {made.hint}"))
    _after(pytest.CaptureFixture, "readouterr", lambda _, __, streams: _output.add_streams("captured", streams))
    _after(subprocess.Popen, "communicate", _see_process)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _output.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    is_searched = call.when != "setup" and not report.failed and not _output.is_told
    if is_searched and item.get_closest_marker("shows_secrets") is None:
        texts = [*_output.texts, *report.sections, *_files_of(item)]
        found = list(find_leaks(texts, EVERYWHERE | _output.revealed))
        if found:
            _output.is_told = True
            report.outcome, report.longrepr = "failed", "\n".join(found)
    return report


def _files_of(item: pytest.Item) -> Iterator[tuple[str, str]]:
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    for path in sorted(folder.rglob("*")) if isinstance(folder, Path) else ():
        is_searched = not any(fnmatchcase(path.name, pattern) for pattern in PLACES_OF_SECRETS)
        if is_searched and path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_FILE_BYTES:
            yield f"file {path.relative_to(folder)}", path.read_bytes().decode("utf-8", "replace")


def _searched(secret: str) -> Iterator[str]:
    """Lines that say enough to be looked for: what the program itself would hide by value."""
    yield from (line for line in secret.splitlines() if len(line) >= redaction.MIN_LENGTH and line[:5] != "-----")


def _see_process(process: subprocess.Popen[Any], _: object, streams: tuple[object, object]) -> None:
    """Of our own program alone: what a helper prints is a secret by its purpose."""
    arguments = process.args if isinstance(process.args, list | tuple) else [process.args]
    if any(Path(str(argument)).name == "imagesync" for argument in arguments[:3]):
        _output.add_streams("a process", streams)


def _after(owner: Any, name: str, see: Callable[[Any, tuple[Any, ...], Any], None]) -> None:
    """Show every call of a method, once it was made: on what, with which arguments, and what it returned."""
    original = getattr(owner, name)

    @wraps(original)
    def watched(made: Any, *arguments: Any, **named: Any) -> Any:
        result = original(made, *arguments, **named)
        see(made, arguments, result)
        return result

    setattr(owner, name, watched)
