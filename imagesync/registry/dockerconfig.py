"""The credential file that docker, podman and others share: what it says about one host.

Reads `auths`, `credHelpers` and `credsStore` and nothing else. Errors name the file and never quote it. Which
files there are, and in which order, is decided in credentials.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from imagesync.errors import AuthenticationError
from imagesync.lazy import dataclass, field
from imagesync.reference import HUB, HUB_ALIASES, HUB_WIRE_HOSTS
from imagesync.settings import Secret

MAX_FILE_BYTES = 4 * 1024 * 1024
HUB_KEY = "https://index.docker.io/v1/"
"""The key that docker itself uses for Docker Hub."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One login under `auths`; the repr shows none of it."""

    username: str = field(default="", repr=False)
    password: Secret | None = None
    identity_token: Secret | None = None
    registry_token: Secret | None = None

    @property
    def is_empty(self) -> bool:
        return self == Entry()


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """One parsed file. `label` is how messages call it: `~/.docker/config.json`."""

    label: str
    auths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    credential_helpers: Mapping[str, str] = field(default_factory=dict)
    credentials_store: str = ""

    @classmethod
    def parse(cls, text: str | bytes, label: str) -> DockerConfig:
        """Raises AuthenticationError, without the text, where it is not such a file."""
        data = parse_object(text, label)
        auths = _mapping_of(data, "auths", dict, label)
        helpers = _mapping_of(data, "credHelpers", str, label)
        store = data.get("credsStore")
        if not isinstance(store, str | None):
            raise damaged(label, "credsStore is not text")
        return cls(label, auths, helpers, store or "")

    def entry_for_path(self, host: str, path: str) -> tuple[str, Entry] | None:
        """The entry of the longest `host/prefix` above a path, and its key; entries of the bare host do not count."""
        names = path.split("/")
        for count in range(len(names), 0, -1):
            found = self._entry(f"{host}/{'/'.join(names[:count])}")
            if found is not None:
                return found
        return None

    def entry_for_host(self, host: str) -> Entry | None:
        """The entry of the bare host, however its key is spelled."""
        found = self._entry(host)
        return found[1] if found else None

    def helper_for(self, host: str) -> str | None:
        """The helper that `credHelpers` gives this host."""
        return next((self.credential_helpers[key] for key in _keys(self.credential_helpers, host)), None)

    def _entry(self, name: str) -> tuple[str, Entry] | None:
        for key in _keys(self.auths, name):
            entry = parse_entry(self.auths[key], f"{self.label} (auths {key[:80]!a})")
            if not entry.is_empty:
                return name, entry
        return None


def normalise_key(key: str) -> str:
    """A key as `host[:port]` or `host[:port]/prefix`: legacy schemes and `/v1/` dropped, Docker Hub's names folded."""
    bare = key.removeprefix("https://").removeprefix("http://")
    host, _, path = bare.partition("/")
    if bare != key or path in {"v1/", "v2/"}:
        path = ""
    host = host.lower()
    host = HUB if host in HUB_ALIASES | HUB_WIRE_HOSTS else host
    return f"{host}/{path.rstrip('/')}".rstrip("/")


def read_config(path: Path, label: str) -> DockerConfig | None:
    """A credential file; None where there is none. Raises AuthenticationError for one that cannot be read."""
    content = read_bytes(path, label)
    return None if content is None else DockerConfig.parse(content or b"{}", label)


def read_bytes(path: Path, label: str) -> bytes | None:
    """The bytes of a credential file; None where there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AuthenticationError(f"{label} cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise damaged(label, f"it has over {MAX_FILE_BYTES} bytes")
    return content


def parse_object(text: str | bytes, label: str) -> dict[str, Any]:
    """The JSON object in a credential file."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise damaged(label, "it is not JSON") from None
    if not isinstance(data, dict):
        raise damaged(label, "it is not a JSON object")
    return data


def parse_entry(data: Mapping[str, Any], label: str) -> Entry:
    """One value of `auths`: `auth` (base64 of `user:password`), or `username` and `password`, and tokens."""
    texts = {name: data.get(name) or "" for name in ("auth", "username", "password", "identitytoken", "registrytoken")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise damaged(label, "a value is not text")
    username, password = texts["username"], texts["password"]
    if texts["auth"]:
        username, password = _decoded(texts["auth"], label)
    secrets = (password, texts["identitytoken"], texts["registrytoken"])
    return Entry(username, *(Secret.literal(text, label) if text else None for text in secrets))


def damaged(label: str, reason: str) -> AuthenticationError:
    """The error for a credential file that is not one; `reason` holds nothing of its content."""
    return AuthenticationError(f"{label} is not a credential file: {reason}", hint="repair it, or log in again")


def _keys(mapping: Mapping[str, object], name: str) -> Iterator[str]:
    """The keys that mean `name`: Docker's own for the Hub, then the exact one, then other spellings."""
    first = [HUB_KEY, name] if name == HUB else [name]
    yield from (key for key in first if key in mapping)
    yield from (key for key in mapping if key not in first and normalise_key(key) == name)


def _decoded(text: str, label: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        raise damaged(label, "auth is not base64 of user:password") from None
    username, colon, password = decoded.partition(":")
    if not colon:
        raise damaged(label, "auth is not base64 of user:password")
    return username, password.strip("\0")


def _mapping_of(data: Mapping[str, Any], key: str, kind: type, label: str) -> dict[str, Any]:
    found = data.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(value, kind) for value in found.values()):
        raise damaged(label, f"{key} is not what docker writes there")
    return found
