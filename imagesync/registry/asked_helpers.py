"""Credential helpers of a run, each asked once for a host by whoever comes first, and again after a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from imagesync.errors import AuthenticationError
from imagesync.lazy import dataclass, field
from imagesync.reference import HUB
from imagesync.registry.credential import HELPER_TIMEOUT_SECONDS, TOKEN_USER, Credential
from imagesync.registry.dockerconfig import HUB_KEY

if TYPE_CHECKING:
    from imagesync.registry.credential_helper import CredentialHelper

HELPER_SECONDS = 300.0
"""How long a helper's answer is kept: helpers are slow, and the logins of cloud registries expire."""


@dataclass(slots=True)
class _Asked:
    """One question to a helper, asked once by whoever comes first."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    until: float = 0.0
    answer: Credential | AuthenticationError | None = None


class AskedHelpers:
    """Helpers by NAME, found on the PATH of `environment` and run with that environment."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        timeout_seconds: float = HELPER_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environment = environment
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, str], _Asked] = {}

    def has(self, name: str) -> bool:
        """Whether docker-credential-NAME is on PATH."""
        return self._helper(name).is_installed

    def ask(self, name: str, host: str) -> Credential | None:
        """The login of a host; None where the helper has none. Raises AuthenticationError where it fails.

        Docker keeps the Hub's login under its own URL; podman under `docker.io`.
        """
        servers = (HUB_KEY, HUB) if host == HUB else (host,)
        found = (self._asked_once(name, server) for server in servers)
        return next((credential for credential in found if credential is not None), None)

    def _asked_once(self, name: str, server: str) -> Credential | None:
        """Many threads ask at once, and each run of a helper may unlock a key ring: one run answers them all."""
        with self._lock:
            asked = self._asked.setdefault((name, server), _Asked())
        with asked.lock:
            if self._clock() >= asked.until:
                asked.answer = self._ask(name, server)
                asked.until = self._clock() + HELPER_SECONDS
            answer = asked.answer
        if isinstance(answer, AuthenticationError):
            raise AuthenticationError(answer.message, hint=answer.hint)
        return answer

    def _ask(self, name: str, server: str) -> Credential | AuthenticationError | None:
        helper = self._helper(name)
        try:
            answer = helper.get(server)
        except AuthenticationError as error:
            return error
        if answer is None:
            return None
        if answer.username == TOKEN_USER:
            return Credential("", None, answer.secret, helper.program)
        return Credential(answer.username, answer.secret, None, helper.program)

    def _helper(self, name: str) -> CredentialHelper:
        from imagesync.registry.credential_helper import CredentialHelper  # noqa: PLC0415 - few logins are a helper's

        return CredentialHelper(name, self._environment, self._timeout_seconds)
