"""A run of imagesync in a process of its own, which says at its end how much memory it has needed at most.

`python -m tests.hostile.alone PEAK ARGUMENT...` writes that into the file PEAK, in bytes. It is asked of /proc:
`ru_maxrss` counts what the process that started this one had, too.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from imagesync.cli.main import run
from tests.hostile.quick import hasten


def peak_bytes() -> int:
    """The most memory that this process has had."""
    found = re.search(r"^VmHWM:\s+([0-9]+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def main(peak: str, *arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        hasten(patch, {})
        try:
            return run(list(arguments))
        finally:
            Path(peak).write_text(str(peak_bytes()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
