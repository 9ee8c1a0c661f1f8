"""The protocol of `docker-credential-NAME` programs: get, store, erase.

No shell, a short name, a time limit; what a helper prints is used or dropped, never shown. Which helper is
asked is decided in credentials and logins.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping

from imagesync.errors import AuthenticationError
from imagesync.lazy import dataclass, field
from imagesync.registry.credential import HELPER_TIMEOUT_SECONDS
from imagesync.settings import NOTHING, Secret

_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_NOT_FOUND = "credentials not found"


@dataclass(frozen=True, slots=True)
class HelperAnswer:
    """What a helper holds for a server; with the user `<token>` the secret is an identity token."""

    username: str = field(repr=False)
    secret: Secret


@dataclass(frozen=True, slots=True)
class CredentialHelper:
    """`docker-credential-NAME`, found on the PATH of `environment`, run with that environment.

    Every method raises AuthenticationError when the program is not there, fails, hangs for `timeout_seconds`
    or prints what it should not.
    """

    name: str
    environment: Mapping[str, str] = field(repr=False)
    timeout_seconds: float = HELPER_TIMEOUT_SECONDS

    @property
    def program(self) -> str:
        return f"docker-credential-{self.name}"

    @property
    def is_installed(self) -> bool:
        return self._found() is not None

    def get(self, server: str) -> HelperAnswer | None:
        """The login kept for a server; None where there is none."""
        status, output = self._run("get", server)
        if status != 0:
            if _NOT_FOUND in output.lower():
                return None
            raise self._error(f"{self.program} failed with exit code {status}")
        answer = self._parsed(output)
        return answer if answer.secret != NOTHING else None

    def store(self, server: str, username: str, secret: Secret) -> None:
        """Keep a login for a server."""
        login = {"ServerURL": server, "Username": username, "Secret": secret.reveal()}
        status, _ = self._run("store", json.dumps(login))
        if status != 0:
            raise self._error(f"{self.program} did not store the login: exit code {status}")

    def erase(self, server: str) -> bool:
        """Forget a server's login; False where there was none."""
        status, output = self._run("erase", server)
        if status != 0 and _NOT_FOUND not in output.lower():
            raise self._error(f"{self.program} did not erase the login: exit code {status}")
        return status == 0

    def _parsed(self, output: str) -> HelperAnswer:
        try:
            answer = json.loads(output)
            username, secret = answer["Username"], answer["Secret"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise self._error(f"{self.program} printed something that is no login") from None
        if not isinstance(username, str) or not isinstance(secret, str):
            raise self._error(f"{self.program} printed something that is no login")
        return HelperAnswer(username, Secret.literal(secret, self.program))

    def _run(self, action: str, text: str) -> tuple[int, str]:
        """Exit code and standard output. A process group of its own, so that nothing it starts outlives it."""
        try:
            process = subprocess.Popen(  # noqa: S603 - a full path, and no shell
                [self._path(), action],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=dict(self.environment),
                start_new_session=True,
            )
        except OSError as error:
            raise self._error(f"{self.program} cannot be run: {error.__class__.__name__}") from error
        with process:
            try:
                output, _ = process.communicate(text.encode(), timeout=self.timeout_seconds)
            except BaseException as error:
                _kill(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    seconds = f"{self.timeout_seconds:g} seconds"
                    raise self._error(f"{self.program} gave no answer within {seconds}") from None
                raise
        return process.returncode, output.decode("utf-8", "replace")

    def _path(self) -> str:
        if not _NAME.fullmatch(self.name):
            raise AuthenticationError(
                f"{self.name[:80]!a} is not the name of a credential helper",
                hint="letters, digits, '.', '_' and '-' only",
            )
        path = self._found()
        if path is None:
            raise AuthenticationError(f"{self.program} is not on PATH", hint="install it, or take it out of the file")
        return path

    def _found(self) -> str | None:
        return shutil.which(self.program, path=self.environment.get("PATH", os.defpath))

    def _error(self, message: str) -> AuthenticationError:
        return AuthenticationError(message, hint=f"run `{self.program} list` to see what it says")


def _kill(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
    else:  # pragma: no cover - Windows
        process.kill()
