"""Runs imagesync as a user does: a process, a spec, logins in docker's file, an authority in SSL_CERT_FILE."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.real.conftest import Real

KEPT_VARIABLES = ("PATH", "LANG", "PYTHONPATH", "COVERAGE_PROCESS_START")


@dataclass(frozen=True)
class Sync:
    """One user: a home folder without a past, and the logins of the real registries."""

    folder: Path
    real: Real

    def run(self, command: str, spec: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Write the spec and run one command on it; the caller looks at the exit code."""
        return self._ended(self.command_line(command, spec, *arguments), self.environment())

    def told(self, command: str, *arguments: str, **more: str) -> tuple[int, str]:
        """Run one command with `more` in its environment: its exit code, and all that it says."""
        line = [sys.executable, "-m", "imagesync", command, *arguments]
        done = self._ended(line, {**self.environment(), **more})
        return done.returncode, done.stdout + done.stderr

    def _ended(self, line: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            line, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=90, check=False
        )

    def start(self, command: str, spec: str, *arguments: str) -> subprocess.Popen[bytes]:
        """The same, without waiting for its end."""
        line = self.command_line(command, spec, *arguments)
        null = subprocess.DEVNULL
        return subprocess.Popen(line, env=self.environment(), cwd=self.folder, stdout=null, stderr=null, stdin=null)

    def apply(self, spec: str) -> dict[str, object]:
        """Apply, which must end well; returns its report."""
        done = self.run("apply", spec, "--report", "report.json")
        assert done.returncode == 0, done.stdout + done.stderr
        report: dict[str, object] = json.loads((self.folder / "report.json").read_text())
        return report

    def command_line(self, command: str, spec: str, *arguments: str) -> list[str]:
        (self.folder / "sync.yaml").write_text(spec)
        return [sys.executable, "-m", "imagesync", command, "sync.yaml", *arguments]

    def environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "REGISTRY_AUTH_FILE": str(self.real.skopeo.auth_file),
            "SSL_CERT_FILE": str(self.real.authority.file),
        }
