"""Running a command in this process, and a mirror to run it on: a source, a destination, a spec between them."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imagesync.cli.main import run
from tests.fakes.registry import FakeRegistry
from tests.images import MadeImage, make_index, push_image

WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Ran:
    """What a command ended with and printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    def json(self) -> Any:
        return json.loads(self.out)


class Cli:
    """`cli("plan", "sync.yaml")` is `imagesync plan sync.yaml`, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        try:
            code = run(list(arguments))
        except SystemExit as ended:  # argparse ends --help and --version so
            code = int(ended.code or 0)
        return Ran(code, *self._capsys.readouterr())

    def file(self, text: str, name: str = "sync.yaml") -> str:
        """Write a file into the current folder; returns its name."""
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(textwrap.dedent(text), encoding="utf-8")
        return name


@contextmanager
def started(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, with both streams as pipes; ended with the block at the latest."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with subprocess.Popen([sys.executable, "-m", "imagesync", *arguments], text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


class Mirror:
    """A source and a destination, and specs between them."""

    def __init__(self, cli: Cli, source: FakeRegistry, destination: FakeRegistry) -> None:
        self.cli, self.source, self.destination = cli, source, destination

    def fill(self, *tags: str, path: str = "app", image: MadeImage | None = None) -> MadeImage:
        """Put an image under these tags at the source."""
        return push_image(self.source.repository(path), image or make_index(f"{path} {tags[0]}"), *tags)

    def stand(self, image: MadeImage, *tags: str, path: str = "app") -> MadeImage:
        """Put an image under these tags at the destination."""
        return push_image(self.destination.repository(path), image, *tags)

    def spec(self, *images: str, registries: Mapping[str, str] | None = None, to: str = "", name: str = "") -> str:
        """The smallest spec for these images; `registries` are settings by host, as JSON is YAML."""
        listed = "".join(f"      - {image}\n" for image in images or ("app:1",))
        hosts = "".join(f"  {json.dumps(host)}: {text}\n" for host, text in (registries or {}).items())
        text = f"version: 1\n{f'registries:{chr(10)}{hosts}' if hosts else ''}sync:\n  - source: {self.source.host}\n"
        text += f"    destination: {to or self.destination.host}\n    images:\n{listed}"
        return self.cli.file(text, name or "sync.yaml")

    def tags(self, path: str = "app") -> dict[str, str]:
        """Tag to digest at the destination, past the wire."""
        repository = self.destination.repository(path)
        if not (self.destination.root / path / "index.json").exists():
            return {}
        return {tag: repository.resolve(tag).digest for tag in repository.list_tags()}

    def forget(self) -> None:
        """Empty both request logs."""
        self.source.log.clear()
        self.destination.log.clear()

    def requests(self) -> list[str]:
        return [*self.source.log.lines(), *self.destination.log.lines()]

    def writes(self) -> list[str]:
        return [line for line in self.requests() if line.partition(" ")[0] in WRITES]
