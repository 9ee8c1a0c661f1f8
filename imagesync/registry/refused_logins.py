"""What to do about a login that a registry, or its token server, refuses: whose it was says who has to do what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagesync.registry.auth_use import AuthUse


def login_hint(status: int, host: str, used: AuthUse, creation: str | None = None) -> str:
    """What to do about a 401 or 403; `used` says which login was used, `creation` how what may lack is made."""
    absent = f"; or, if it is not there yet, {creation}" if creation is not None else ""
    return f"{_other_reason(used)}{_advice(status, host, used)} (used {used}){absent}"


def needs_right(needed: str) -> str:
    """What to do where a cloud knows the identity: there is no user, and no password to be checked."""
    return f"the identity of this login needs {needed} here"


def _other_reason(used: AuthUse) -> str:
    """Docker Hub, GitLab and GHCR give a token for anything, and refuse with it what is not there."""
    is_to_read = used.scheme == "bearer" and used.scopes and not any("push" in scope for scope in used.scopes)
    return "check the repository's name, for what is not there is refused so as well; else " if is_to_read else ""


def _advice(status: int, host: str, used: AuthUse) -> str:
    if status == 401 and used.scheme is None:
        return "it asks for a login and not for which that is known here: let it offer Basic, or Bearer with a realm"
    if used.credential is None:
        from imagesync.clouds import login_advice  # noqa: PLC0415 - few hosts refuse

        return login_advice(host) or f"log in with `imagesync login {host} -u USER`, or give `auth:` in the spec"
    if used.needed is not None:
        return needs_right(used.needed)
    return "the login was refused: check user and password" if status == 401 else "the login has no right to this"
