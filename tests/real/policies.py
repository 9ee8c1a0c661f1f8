"""A skopeo that checks sigstore signatures, and policies that demand one: who made the copy has no word in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.layouts import ROOT

SCRIPT = "tests/real/newer-skopeo.sh"
SIGNED_AS = "127.0.0.1:7003/library/nginx"
"""The name that the signed nginx image had when it was signed, as 1.22.1."""
REMAPPED = {"type": "remapIdentity", "prefix": "{here}", "signedPrefix": SIGNED_AS}
"""The same tag, under the name of a mirror."""
ANY_TAG = {"type": "exactRepository", "dockerRepository": SIGNED_AS}
_FETCHED = ROOT / ".venv" / "newer-skopeo" / "skopeo"
_FIRST_TO_CHECK = (1, 18)


def checking_skopeo() -> str | None:
    """The program: the one that was fetched for this checkout, else the system's where it is new enough."""
    installed = shutil.which("skopeo")
    found = [str(_FETCHED)] if _FETCHED.exists() else [installed] if installed else []
    return next((program for program in found if _version(program) >= _FIRST_TO_CHECK), None)


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    match = re.search(r"(\d+)\.(\d+)", said)
    return tuple(int(part) for part in match.groups()) if match else ()


@dataclass(frozen=True)
class Checker:
    """Reads images under a policy that demands a signature; keeps what it reads below `folder`."""

    program: str
    folder: Path

    def check(self, image: str, key: Path, identity: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Read an image and all its platforms, signed by `key`; the exit code tells whether the policy lets it in."""
        here = image.rpartition(":")[0]
        identity = {name: value.format(here=here) for name, value in identity.items()}
        demand = {"type": "sigstoreSigned", "keyPath": str(key), "signedIdentity": identity}
        policy = self._write(
            "policy.json", {"default": [{"type": "reject"}], "transports": {"docker": {here: [demand]}}}
        )
        lookup = self._write("registries.d/signed.yaml", {"default-docker": {"use-sigstore-attachments": True}})
        options = ["--policy", str(policy), "--registries.d", str(lookup.parent), "--tmpdir", str(self.folder)]
        target = f"dir:{self.folder / 'read'}"
        return subprocess.run(
            [self.program, *options, "copy", "--all", "--src-tls-verify=false", f"docker://{image}", target],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def _write(self, name: str, document: dict[str, Any]) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document))  # JSON is YAML
        return file
