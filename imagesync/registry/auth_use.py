"""AuthUse: which login requests are sent with, and who asked for it."""

from __future__ import annotations

from imagesync.lazy import dataclass


@dataclass(frozen=True, slots=True)
class AuthUse:
    """What was used to log in: for `auth check` and for messages."""

    credential: str | None
    """Where the login comes from; None for anonymous."""
    scheme: str | None
    """`basic` or `bearer`; None where the registry has not asked."""
    realm_host: str | None
    """The token server, for Bearer."""
    scopes: tuple[str, ...]
    realm: str | None = None
    """Where that gives out tokens, in full."""
    needed: str | None = None
    """What the cloud that made the login calls the right to this; None where no cloud made it."""
    seconds_left: float | None = None
    """Until another login is made in the place of this one; None for a login that has no known end."""

    def __str__(self) -> str:
        who = self.credential or "no login"
        if self.scheme is None:
            return f"{who}, the registry asked for none"
        where = f" from {self.realm_host}" if self.realm_host else ""
        what = f" for {' '.join(self.scopes)}" if self.scopes and self.scheme == "bearer" else ""
        return f"{who}, {self.scheme}{where}{what}"
