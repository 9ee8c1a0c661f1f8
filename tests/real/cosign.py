"""cosign, who made the formats: signs, attests and verifies, without any service on the internet."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.layouts import ROOT

SCRIPT = "tests/real/fetch-cosign.sh"
FETCHED = ROOT / ".venv" / "cosign" / "cosign"
_OFFLINE = ("--tlog-upload=false", "--use-signing-config=false", "--allow-http-registry", "--yes")
FORMS = {"tag": "--new-bundle-format=false", "bundle": "--new-bundle-format=true"}
"""The option of each form: a layer under a tag, or a bundle in a referrer."""


@dataclass(frozen=True)
class Cosign:
    """Works in `folder`, where its keys are kept."""

    folder: Path

    def make_key(self, name: str) -> Path:
        """A key pair; returns the file with the public half."""
        self._run("generate-key-pair", f"--output-key-prefix={name}")
        return self.folder / f"{name}.pub"

    def import_key(self, name: str, private_pem: str) -> Path:
        """The same for a key that somebody else made."""
        (self.folder / f"{name}.pem").write_text(private_pem)
        self._run("import-key-pair", "--key", f"{name}.pem", f"--output-key-prefix={name}", "--yes")
        return self.folder / f"{name}.pub"

    def sign(self, image: str, *, key: str, form: str) -> None:
        """`image` is a reference with a digest."""
        self._run("sign", f"--key={key}.key", FORMS[form], *_OFFLINE, image)

    def attest(self, image: str, predicate: dict[str, Any], *, key: str, form: str) -> None:
        """An attestation of provenance, SLSA 1."""
        self._attest(image, predicate, "slsaprovenance1", f"--key={key}.key", FORMS[form])

    def attest_scan(self, image: str, predicate: dict[str, Any], *, key: str, form: str) -> None:
        """An attestation of what a scanner has found."""
        self._attest(image, predicate, "vuln", f"--key={key}.key", FORMS[form])

    def attest_blob(self, digest_hex: str, predicate: dict[str, Any], *, kind: str, key: str) -> Path:
        """A bundle in a file, about what has this SHA-256."""
        (self.folder / "predicate.json").write_text(json.dumps(predicate))
        said = (f"--type={kind}", "--predicate=predicate.json", f"--hash={digest_hex}", "--bundle=bundle.json")
        offline = [option for option in _OFFLINE if option != "--allow-http-registry"]
        self._run("attest-blob", f"--key={key}.key", *said, *offline, "image")
        return self.folder / "bundle.json"

    def verify(self, image: str, *, key: str, form: str) -> None:
        """Fails the test where cosign finds no good signature in this form."""
        self._run("verify", f"--key={key}.pub", FORMS[form], "--insecure-ignore-tlog", "--allow-http-registry", image)

    def _attest(self, image: str, predicate: dict[str, Any], kind: str, *options: str) -> None:
        (self.folder / "predicate.json").write_text(json.dumps(predicate))
        self._run("attest", f"--type={kind}", "--predicate=predicate.json", *options, *_OFFLINE, image)

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(FETCHED), command, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "COSIGN_PASSWORD": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"cosign {command} {arguments}: {done.stderr}"
