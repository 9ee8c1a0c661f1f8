"""Keeping and forgetting a login the way docker does, where the search for logins will find it.

A helper where one is configured for the host, else `auths` in the file: mode 0600, replaced in one step, all
other keys as they were and in their order. Whether the login is right is checked before, by the caller.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from imagesync.errors import AuthenticationError, UsageError
from imagesync.reference import HUB
from imagesync.registry.credential_helper import CredentialHelper
from imagesync.registry.credentials import docker_config_path, shown_path
from imagesync.registry.dockerconfig import HUB_KEY, DockerConfig, normalise_key, parse_object, read_bytes
from imagesync.registry.message import Authorization
from imagesync.settings import NOTHING, Secret


def save_login(host: str, username: str, secret: Secret, environment: Mapping[str, str]) -> str:
    """Keep a login for a registry; returns where it went, for a message.

    Raises UsageError where there is no place for it, AuthenticationError where the place cannot be used.
    """
    if not username or secret == NOTHING or ":" in username or "\n" in username:
        raise UsageError("a login needs a user name without ':' and a password", hint="see `imagesync login --help`")
    file = _LoginFile(environment)
    helper = file.helper_for(host)
    if helper is not None:
        helper.store(_server(host), username, secret)
        return helper.program
    file.put(host, {"auth": Authorization.basic(username, secret).credentials.reveal()})
    return file.label


def forget_login(host: str, environment: Mapping[str, str]) -> str | None:
    """Remove a registry's login; returns where it was, or None where there was none. Raises as save_login does."""
    file = _LoginFile(environment)
    helper = file.helper_for(host)
    erased = helper.program if helper is not None and _erase(helper, host) else None
    removed = file.label if file.remove(host) else None
    return " and ".join(place for place in (erased, removed) if place) or None


class _LoginFile:
    """The file that logins are written to: REGISTRY_AUTH_FILE, which hides all others, else docker's."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        alone = environment.get("REGISTRY_AUTH_FILE")
        path = Path(alone) if alone else docker_config_path(environment)
        if path is None:
            raise UsageError("there is no place to keep a login", hint="set HOME or DOCKER_CONFIG")
        self._environment = environment
        self._path = path
        self.label = shown_path(path, environment)
        text = read_bytes(path, self.label)
        self._indent = _indent(text or b"")
        self._data = parse_object(text, self.label) if text else {}
        self._config = DockerConfig.parse(text or b"{}", self.label)

    def helper_for(self, host: str) -> CredentialHelper | None:
        """Who keeps this host's login in place of the file."""
        name = self._config.helper_for(host) or self._config.credentials_store
        return CredentialHelper(name, self._environment) if name else None

    def put(self, host: str, entry: Mapping[str, Any]) -> None:
        self._drop(host, but=_server(host))
        self._data["auths"] = (self._data.get("auths") or {}) | {_server(host): entry}
        self._write()

    def remove(self, host: str) -> bool:
        """False, and nothing is written, where the file has no entry for the host."""
        removed = self._drop(host)
        if removed:
            self._write()
        return removed

    def _drop(self, host: str, but: str = "") -> bool:
        """Take out every spelling of a host; entries of paths below it are logins of their own and stay."""
        auths = self._data.get("auths") or {}
        found = [key for key in auths if key != but and normalise_key(key) == host]
        for key in found:
            del auths[key]
        return bool(found)

    def _write(self) -> None:
        """Through a link to what it points to, and never half: a new file is renamed over the old one."""
        target = self._path.resolve()
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(target, json.dumps(self._data, indent=self._indent, ensure_ascii=False) + "\n")
        except OSError as error:
            raise AuthenticationError(f"{self.label} cannot be written: {error.strerror}") from error


def _replace(target: Path, text: str) -> None:
    # mkstemp makes files that only their owner may read.
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _erase(helper: CredentialHelper, host: str) -> bool:
    """Helpers say success whether they had something or not, so they are asked first."""
    return helper.get(_server(host)) is not None and helper.erase(_server(host))


def _server(host: str) -> str:
    """What docker calls a registry where it keeps logins."""
    return HUB_KEY if host == HUB else host


def _indent(text: bytes) -> str:
    """How the file is indented; docker writes tabs."""
    _, _, rest = text.decode("utf-8", "replace").partition("\n")
    white = rest[: len(rest) - len(rest.lstrip(" \t"))]
    return white or "\t"
