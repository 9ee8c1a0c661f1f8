"""What a cloud's login is, and who makes one."""

from __future__ import annotations

from typing import Protocol

from imagesync.lazy import dataclass
from imagesync.settings import Secret


@dataclass(frozen=True, slots=True)
class Minted:
    """A login that a cloud has just made. `origin` says for messages as whom: `Amazon ECR, role arn:...`."""

    username: str
    password: Secret
    lifetime_seconds: float
    """From when it was received."""
    origin: str
    is_identity_token: bool = False
    """The password is a refresh token, which is exchanged for access tokens."""


class Minter(Protocol):
    """Makes a login. Frozen values, so that minters which are equal share what one of them has made."""

    def mint(self) -> Minted:
        """Raises AuthenticationError with what to do, MissingLoginError where there is nothing to make a login with,
        and LimitError where the cloud is asked too often."""
        ...
