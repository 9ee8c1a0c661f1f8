"""Specs for tests: written into a folder, read back as a Spec, or as the problems that reading found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from imagesync.errors import Problem, SpecError
from imagesync.spec.load import load_spec
from imagesync.spec.model import Spec

HEAD = "version: 1\nsync:\n  - source: docker.io\n    destination: localhost:5000\n    images:\n"


def indented(text: str, columns: int) -> str:
    return "".join(f"{' ' * columns}{line}\n" for line in text.splitlines())


def with_images(text: str) -> str:
    """A spec whose one entry has these images, which begin in line 6 and column 7."""
    return HEAD + indented(text, 6)


def with_registries(text: str) -> str:
    """A spec with these settings, which begin in line 3 and column 3."""
    return f"version: 1\nregistries:\n{indented(text, 2)}sync: []\n"


def with_entry(text: str) -> str:
    """A spec with one entry, whose keys begin in line 3 and column 5."""
    lines = indented(text, 4)
    return f"version: 1\nsync:\n  - {lines[4:]}"


def make_files(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write the files; the first is the spec, and its path is returned."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / next(iter(files))


def load(
    folder: Path,
    text: str | bytes,
    *,
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, str | bytes] | None = None,
) -> Spec:
    path = make_files(folder, {"sync.yaml": text, **(files or {})})
    return load_spec(str(path), environment=environment or {})


def found(
    folder: Path,
    text: str | bytes,
    *,
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, str | bytes] | None = None,
) -> tuple[Problem, ...]:
    """The problems of a spec that must have some, in the order of the files."""
    with pytest.raises(SpecError) as caught:
        load(folder, text, environment=environment, files=files)
    assert caught.value.exit_code == 4
    return caught.value.problems


def shown(problems: tuple[Problem, ...], folder: Path) -> str:
    """The problems as a person reads them, without the folder."""
    return "\n".join(str(problem) for problem in problems).replace(f"{folder}/", "")
