"""skopeo, the second opinion: puts images into registries and reads them back, exact bytes."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.real.registries import RealRegistry


class Skopeo:
    """Runs skopeo with the logins and authorities of some registries."""

    def __init__(self, folder: Path, registries: Iterable[RealRegistry]) -> None:
        known = list(registries)
        self._plain = {registry.host for registry in known if registry.authority is None}
        self._authority = next((registry.authority for registry in known if registry.authority), None)
        self.auth_file = folder / "auth.json"
        self.auth_file.write_text(json.dumps(docker_config(known)))

    def copy(self, source: str, destination: str) -> None:
        """Copy all platforms, digests kept. `docker://` and other transports are part of the names."""
        self._run(
            "copy",
            "--all",
            "--preserve-digests",
            *self._tls(source, "src"),
            *self._tls(destination, "dest"),
            source,
            destination,
        )

    def save(self, source: str, destination: str) -> None:
        """Copy one platform into a form that other digests come of."""
        self._run("copy", *self._tls(source, "src"), *self._tls(destination, "dest"), source, destination)

    def inspect_config(self, name: str) -> bytes:
        """The exact bytes of an image's config."""
        return self._run("inspect", "--config", "--raw", *self._tls(name), name)

    def inspect_raw(self, reference: str) -> bytes:
        """The exact bytes of a manifest or index."""
        name = f"docker://{reference}"
        return self._run("inspect", "--raw", *self._tls(name), name)

    def _tls(self, name: str, side: str = "") -> list[str]:
        is_plain = any(name.startswith(f"docker://{host}/") for host in self._plain)
        prefix = f"{side}-" if side else ""
        return [f"--{prefix}tls-verify=false"] if is_plain else []

    def _run(self, command: str, *arguments: str) -> bytes:
        trusted = {"SSL_CERT_FILE": str(self._authority.file)} if self._authority else {}
        done = subprocess.run(
            ["skopeo", "--insecure-policy", command, *arguments],
            env={**os.environ, "REGISTRY_AUTH_FILE": str(self.auth_file), **trusted},
            capture_output=True,
            check=False,
            timeout=100,
        )
        if done.returncode:
            raise AssertionError(f"skopeo {command} {arguments}: {done.stderr.decode(errors='replace')}")
        return done.stdout


def docker_config(registries: Iterable[RealRegistry]) -> dict[str, dict[str, dict[str, str]]]:
    """The logins of these registries, as docker keeps them."""
    return {
        "auths": {
            registry.host: {"auth": base64.b64encode(":".join(registry.credentials).encode()).decode()}
            for registry in registries
            if registry.credentials
        }
    }
