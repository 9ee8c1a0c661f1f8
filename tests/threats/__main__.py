"""Takes each guard away, in a copy, and runs its test: `python -m tests.threats [S1 ...]`.

Every line has to say `fails`. No test runs this: it takes minutes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.threats.removals import REMOVALS, ROOT, Removal

_COPIED = ("imagesync", "tests", "docs", "examples", "pyproject.toml", "README.md", "sync.yaml.example")


def fails_without(removal: Removal, copy: Path) -> bool:
    """Whether the test runs and fails in a copy that lacks the guard."""
    file = copy / removal.file
    text = file.read_text()
    file.write_text(text.replace(removal.guard, removal.instead))
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", removal.test]
        return subprocess.run(command, cwd=copy, capture_output=True, check=False, timeout=300).returncode == 1
    finally:
        file.write_text(text)


def main(ids: Iterable[str]) -> int:
    wanted = set(ids)
    chosen = [removal for removal in REMOVALS if not wanted or removal.id in wanted]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in _COPIED:
            place = ROOT / name
            (shutil.copytree if place.is_dir() else shutil.copy)(place, copy / name)
        for removal in chosen:
            is_failing = fails_without(removal, copy)
            bad += not is_failing
            sys.stdout.write(f"{removal.id} {'fails' if is_failing else 'HOLDS'} {removal.test}\n")
            sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
