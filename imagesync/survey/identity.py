"""Which job of GitHub Actions this is: a token that GitHub signs for it, and the keys to verify that with.

The audience is made for this one question. So a token that somebody has seen, or kept, answers it for nobody.
"""

from __future__ import annotations

from secrets import token_hex

from imagesync.clouds.github import has_identity, identity_token, issuer_keys
from imagesync.errors import StoreError
from imagesync.gates import JobIdentity, Unread


def job_identity(issuer: str) -> JobIdentity | Unread | None:
    """None where this is no job that may have an identity."""
    if not has_identity():
        return None
    audience = f"imagesync:{token_hex(16)}"
    try:
        return JobIdentity(identity_token(audience).reveal(), audience, issuer_keys(issuer))
    except StoreError as error:
        return Unread(error.message, error.hint)
