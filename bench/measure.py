"""Runs one command and measures it: wall time, CPU seconds, peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Measurement:
    """What one run took. `peak_bytes` is the largest resident size of the process."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Measurement:
    """Run a command to its end, its output into `log`. Raises RuntimeError when it fails."""
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(_LAUNCHER), *command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            check=True,
        )
    found = json.loads(done.stdout)
    if found["exit_code"]:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} ended with {found['exit_code']}: {tail}")
    return Measurement(found["seconds"], found["cpu_seconds"], found["peak_kibibytes"] * 1024)
