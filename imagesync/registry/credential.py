"""Credential: one login, whatever place it comes from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from imagesync.lazy import dataclass, field
from imagesync.settings import Secret

if TYPE_CHECKING:
    from ssl import SSLContext

    from imagesync.clouds import Rights

HELPER_TIMEOUT_SECONDS = 30.0
TOKEN_USER = "<token>"  # noqa: S105 - the user name by which a helper says that its secret is an identity token

ContextFor = Callable[[str], "SSLContext | None"]
"""How the spec wants a host trusted, where a login is made there; None for the usual authorities."""


def trusted_as_usual(_host: str) -> SSLContext | None:
    """The spec says nothing of any host."""
    return None


def _keep() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Credential:
    """A login. Its repr shows where it comes from, and which kinds of secrets it has.

    `identity_token` is exchanged for access tokens, `registry_token` is an access token itself. `origin` is a
    phrase for messages: `~/.docker/config.json auths`.
    """

    username: str = field(repr=False)
    password: Secret | None
    identity_token: Secret | None = None
    origin: str = "the spec"
    registry_token: Secret | None = None
    usable_until: float = math.inf
    """By time.monotonic(). From then on it is looked for again."""
    reject: Callable[[], bool] = field(default=_keep, repr=False, compare=False)
    """To be told that a registry refused it: whether another one may now be found in its place."""
    rights: Rights | None = field(default=None, repr=False, compare=False)
    """What the cloud that made it calls the rights that it may lack; None for a user with a password."""

    def seconds_left(self, now: float) -> float | None:
        """How long it is used from now on; None for a login that has no known end."""
        return None if math.isinf(self.usable_until) else max(0.0, self.usable_until - now)
