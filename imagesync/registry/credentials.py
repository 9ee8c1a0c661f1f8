"""Where a login comes from: the spec, the files and helpers of docker and podman, the CI job, or the host's cloud.

The first source that has a match wins; within a file, the longest path prefix, then credHelpers, credsStore and
the host's own entry. A damaged file or a failing helper ends the search: going on could find a wrong login.
What the files look like is dockerconfig's business.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.errors import AuthenticationError, UsageError
from imagesync.registry.asked_helpers import AskedHelpers
from imagesync.registry.credential import HELPER_TIMEOUT_SECONDS, ContextFor, Credential, trusted_as_usual
from imagesync.registry.dockerconfig import DockerConfig, Entry, read_config
from imagesync.registry.job_logins import job_login
from imagesync.settings import (
    Acr,
    Anonymous,
    DefaultAuth,
    DockerHub,
    Ecr,
    Gar,
    Helper,
    IdentityToken,
    Login,
    Password,
    Secret,
)

if TYPE_CHECKING:
    from imagesync.registry.cloud_logins import CloudLogins


class CredentialStore:
    """Finds logins. `environment` is where all variables are read from, PATH and HOME among them; `context_for` says
    how a host is trusted at which a login is made."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        helper_timeout_seconds: float = HELPER_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        context_for: ContextFor = trusted_as_usual,
    ) -> None:
        self._environment = environment
        self._helpers = AskedHelpers(environment, timeout_seconds=helper_timeout_seconds, clock=clock)
        self._clock = clock
        self._context_for = context_for
        self._cloud_logins: CloudLogins | None = None
        self._lock = threading.Lock()

    @property
    def _clouds(self) -> CloudLogins:
        """What knows of clouds; a registry that asks for no login does not wait for it to be imported."""
        from imagesync.registry.cloud_logins import CloudLogins  # noqa: PLC0415

        with self._lock:
            self._cloud_logins = self._cloud_logins or CloudLogins(self._helpers, self._clock, self._context_for)
            return self._cloud_logins

    def find(self, host: str, path: str, login: Login) -> Credential | None:
        """The login for a repository; None means anonymous.

        `host` is the registry as references spell it (`docker.io`). Raises AuthenticationError when a source
        that might hold a login cannot be read.
        """
        try:
            return self._find(host, path, login)
        except UsageError as error:
            raise AuthenticationError(error.message, hint=error.hint, reference=host) from error
        except AuthenticationError as error:
            error.reference = error.reference or host
            raise

    def _find(self, host: str, path: str, login: Login) -> Credential | None:
        match login:
            case Anonymous():
                return None
            case Password(username, password):
                # Read, and not revealed: a user's name is often that of a namespace, which messages have to say.
                return Credential(username.read(), password.read_now(), origin=_spec_origin(host, password))
            case IdentityToken(token):
                return Credential("", None, token.read_now(), _spec_origin(host, token))
            case Helper(name):
                return self._helpers.ask(name, host)
            case Ecr() | Gar() | Acr() | DockerHub():
                return self._clouds.wanted(host, login)
            case DefaultAuth():
                return self._unsaid(host, path)

    def _unsaid(self, host: str, path: str) -> Credential | None:
        """The login of a host of which the spec says nothing."""
        kept = self._from_configs(host, path) or job_login(host, self._environment)
        return kept or self._clouds.found(host)

    def _from_configs(self, host: str, path: str) -> Credential | None:
        found = (self._from_config(config, host, path) for config in configs(self._environment))
        return next((credential for credential in found if credential is not None), None)

    def _from_config(self, config: DockerConfig, host: str, path: str) -> Credential | None:
        if scoped := config.entry_for_path(host, path):
            return _from_entry(scoped[1], f"{config.label} auths {scoped[0]}")
        if helper := config.helper_for(host):
            return self._helpers.ask(helper, host)
        stored = self._helpers.ask(config.credentials_store, host) if config.credentials_store else None
        if stored is not None:
            return stored
        entry = config.entry_for_host(host)
        return _from_entry(entry, f"{config.label} auths") if entry else None


def configs(environment: Mapping[str, str]) -> Iterator[DockerConfig]:
    """The credential files that are there, in the order they are asked. Raises AuthenticationError for a bad one."""
    alone = environment.get("REGISTRY_AUTH_FILE")
    if alone:
        config = read_config(Path(alone), alone)
        if config is None:
            raise AuthenticationError(
                f"REGISTRY_AUTH_FILE names {alone!a}, which is not there", hint="correct it, or unset it"
            )
        yield config
        return
    inline = environment.get("DOCKER_AUTH_CONFIG")
    if inline:
        yield DockerConfig.parse(inline, "DOCKER_AUTH_CONFIG")
    for path in _paths(environment):
        config = read_config(path, shown_path(path, environment))
        if config is not None:
            yield config


def docker_config_path(environment: Mapping[str, str]) -> Path | None:
    """Docker's config.json, there or not; None where neither DOCKER_CONFIG nor a home is known."""
    directory = environment.get("DOCKER_CONFIG")
    if directory:
        return Path(directory, "config.json")
    home = _home(environment)
    return home / ".docker" / "config.json" if home else None


def shown_path(path: Path, environment: Mapping[str, str]) -> str:
    """A path for messages, with `~` for the home."""
    home = _home(environment)
    return f"~/{path.relative_to(home)}" if home and path.is_relative_to(home) else str(path)


def _paths(environment: Mapping[str, str]) -> Iterator[Path]:
    docker = docker_config_path(environment)
    if docker:
        yield docker
    runtime = environment.get("XDG_RUNTIME_DIR")
    if runtime:
        yield Path(runtime, "containers", "auth.json")
    elif hasattr(os, "getuid"):
        yield Path(f"/run/containers/{os.getuid()}/auth.json")
    home = _home(environment)
    configuration = environment.get("XDG_CONFIG_HOME") or (home / ".config" if home else None)
    if configuration:
        yield Path(configuration, "containers", "auth.json")


def _home(environment: Mapping[str, str]) -> Path | None:
    home = environment.get("HOME") or environment.get("USERPROFILE")
    return Path(home) if home else None


def _from_entry(entry: Entry, origin: str) -> Credential:
    return Credential(entry.username, entry.password, entry.identity_token, origin, entry.registry_token)


def _spec_origin(host: str, secret: Secret) -> str:
    place = f"spec registries/{host}"
    return place if secret.origin == "the spec" else f"{place}, {secret.origin}"
