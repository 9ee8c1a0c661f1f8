"""Credential: one login, whatever place it comes from."""

from __future__ import annotations

import math
from collections.abc import Callable

from imagesync.lazy import dataclass, field
from imagesync.settings import Secret

HELPER_TIMEOUT_SECONDS = 30.0
TOKEN_USER = "<token>"  # noqa: S105 - the user name by which a helper says that its secret is an identity token


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

    def seconds_left(self, now: float) -> float | None:
        """How long it is used from now on; None for a login that has no known end."""
        return None if math.isinf(self.usable_until) else max(0.0, self.usable_until - now)
