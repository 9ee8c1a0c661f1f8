"""GitHub Actions: the job's identity token, for whoever trades it for a login, and its own login for ghcr.io."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from imagesync.clouds.exchange import Exchange
from imagesync.errors import AuthenticationError
from imagesync.settings import Secret

URL_VARIABLE = "ACTIONS_ID_TOKEN_REQUEST_URL"
TOKEN_VARIABLE = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - the name of a variable
SERVER = "GitHub's server of identity tokens"
HINT = "add to the job `permissions: id-token: write`"


def has_identity(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a job of GitHub Actions that may ask for identity tokens."""
    return bool(environment.get(URL_VARIABLE) and environment.get(TOKEN_VARIABLE))


def identity_token(audience: str, environment: Mapping[str, str] = os.environ) -> Secret:
    """The job's identity, a JWT for this audience; lives for minutes. Raises StoreError with what to do.

    The token that GitHub gave the job to ask with goes to the host that GitHub named, over TLS, and nowhere else.
    """
    if not has_identity(environment):
        raise AuthenticationError("this is no job of GitHub Actions that may have an identity token", hint=HINT)
    url = environment[URL_VARIABLE]
    separator = "&" if "?" in url else "?"
    exchange = Exchange(
        SERVER,
        f"{url}{separator}audience={quote(audience, safe='')}",
        HINT,
        headers={"Authorization": f"bearer {Secret.literal(environment[TOKEN_VARIABLE], TOKEN_VARIABLE).reveal()}"},
    )
    return exchange.token("value")


def issuer_keys(issuer: str) -> Mapping[str, Any]:
    """The keys with which an issuer signs identity tokens, as a JSON Web Key Set. Raises StoreError."""
    hint = "is the issuer right? That of a GitHub Enterprise Server is https://HOST/_services/token"
    return Exchange(f"the issuer {issuer}", f"{issuer}/.well-known/jwks", hint).answer()
