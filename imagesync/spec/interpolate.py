"""Variables in string values, expanded once: `${NAME}`, `${NAME:-default}`, `${secret:NAME}`, `${file:PATH}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from imagesync.errors import Problem
from imagesync.settings import Secret
from imagesync.spec.document import Scalar

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PART = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_VARIABLE = re.compile(rf"(?P<name>{_NAME})(?::-(?P<default>.*))?", re.DOTALL)
_SECRET = re.compile(rf"secret:(?P<name>{_NAME})|file:(?P<path>.+)")
_ALLOWED = "${NAME}, ${NAME:-default}, and where a login is: ${secret:NAME}, ${file:PATH}"


class Interpolator:
    """Expands the values of one file; `folder` is where its relative paths count from."""

    def __init__(self, environment: Mapping[str, str], folder: Path, problems: list[Problem]) -> None:
        self._environment = environment
        self.folder = folder
        self._problems = problems

    def text(self, scalar: Scalar) -> str:
        """The visible value; empty where there is a problem with it. A secret in it is one: it would be shown."""
        before = len(self._problems)
        parts = self._parts(scalar)
        if any(isinstance(part, Secret) for part in parts):
            self._say(scalar, "a secret does not belong here: this value is shown", "secrets stand under `auth` alone")
        if len(self._problems) > before:
            return ""
        return "".join(part for part in parts if isinstance(part, str))

    def secret(self, scalar: Scalar) -> Secret:
        """The value as a Secret: read when a login needs it, its variables too, and shown by nothing."""
        parts = self._parts(scalar, late=True)
        if len(parts) == 1 and isinstance(parts[0], Secret):
            return parts[0]
        return Secret.joined(tuple(parts))

    def _parts(self, scalar: Scalar, *, late: bool = False) -> list[str | Secret]:
        parts: list[str | Secret] = []
        end = 0
        for match in _PART.finditer(scalar.text):
            parts.append(scalar.text[end : match.start()])
            parts.append(self._expanded(scalar, match, late=late))
            end = match.end()
        parts.append(scalar.text[end:])
        return [part for part in parts if not isinstance(part, str) or part]

    def _expanded(self, scalar: Scalar, match: re.Match[str], *, late: bool) -> str | Secret:
        if match[0] == "$${":
            return "${"
        inner = match[1]
        secret = _SECRET.fullmatch(inner) if inner else None
        if secret is not None:
            if secret["name"]:
                return Secret.from_environment(secret["name"])
            return Secret.from_file(self.folder / secret["path"])
        variable = _VARIABLE.fullmatch(inner) if inner else None
        if variable is None:
            self._say(scalar, f"{match[0]} is no variable", f"allowed are {_ALLOWED}; $${{ writes ${{")
            return ""
        return self._late_variable(variable) if late else self._variable(scalar, variable)

    def _late_variable(self, match: re.Match[str]) -> Secret:
        name, default = match["name"], match["default"]
        if default is None:
            return Secret.from_environment(name)
        return Secret(f"environment variable {name}", lambda: self._environment.get(name) or default)

    def _variable(self, scalar: Scalar, match: re.Match[str]) -> str:
        value = self._environment.get(match["name"])
        if value:
            return value
        if match["default"] is not None:
            return match["default"]
        name = match["name"]
        self._say(scalar, f"variable {name} is not set", f"export {name}, or give a default: ${{{name}:-…}}")
        return ""

    def _say(self, scalar: Scalar, message: str, hint: str) -> None:
        self._problems.append(Problem(scalar.place, message, hint))
