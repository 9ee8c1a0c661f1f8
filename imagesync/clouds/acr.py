"""Azure: an identity's token of Microsoft Entra, exchanged at the registry for a refresh token of its own.

azure-identity finds the identity: variables, a workload's or a managed one, the Azure CLI. The registry's refresh
token is then an identity token like any other.
"""

from __future__ import annotations

import json
import logging
import os
import re
from base64 import urlsafe_b64decode
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import ClientAssertionCredential, DefaultAzureCredential

from imagesync.clouds.exchange import Exchange, Trust, usual_trust
from imagesync.clouds.github import HINT, has_identity, identity_token
from imagesync.clouds.minted import Minted
from imagesync.clouds.needs import ACR
from imagesync.errors import AuthenticationError, MissingLoginError, NetworkError, StoreError
from imagesync.lazy import dataclass, field
from imagesync.settings import Acr, Secret

USER = "00000000-0000-0000-0000-000000000000"
SCOPE = "https://containerregistry.azure.net/.default"
GITHUB_AUDIENCE = "api://AzureADTokenExchange"
DEFAULT_LIFETIME_SECONDS = 1800.0
MAX_LIFETIME_SECONDS = 3 * 3600.0
ROLE = "give the identity the role AcrPull or AcrPush on the registry; `auth: anonymous` reads what is public"
LIMITS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 15}
"""Seconds; the library's own are five minutes."""
_MARKS = (
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_TOKEN_CREDENTIALS",
    "IDENTITY_ENDPOINT",
    "MSI_ENDPOINT",
)
"""Where one of these is set an identity is meant, and one that cannot be had is no case for going on without."""
_CODE = re.compile(r"\bAADSTS[0-9]{1,10}\b")
_ACCOUNT = re.compile(r"[A-Za-z0-9@._+-]{1,200}")

# Without a handler Python prints warnings of libraries, and this one's hold what servers said.
logging.getLogger("azure").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class AcrMinter:
    """Makes a login for one registry: Entra's token goes to the host itself, over TLS, and nowhere else."""

    host: str
    login: Acr
    trust: Trust = field(default=usual_trust, repr=False, compare=False)
    """How the spec wants the registry trusted; who is asked for Entra's token is trusted as azure-identity does."""

    def mint(self) -> Minted:
        form = {"grant_type": "access_token", "service": self.host, "access_token": self._entra_token().reveal()}
        tenant = self.login.tenant or os.environ.get("AZURE_TENANT_ID")
        if tenant:
            form["tenant"] = tenant
        url = f"https://{self.host}/oauth2/exchange"
        token = Exchange(f"the registry {self.host}", url, ROLE, form, trust=self.trust).token("refresh_token")
        claims = _claims(token.reveal())
        return Minted(USER, token, _lifetime_seconds(claims), _origin(claims), is_identity_token=True)

    def _entra_token(self) -> Secret:
        try:
            with self._credential() as credential:
                return Secret.literal(credential.get_token(SCOPE).token, "Microsoft Entra")
        except ClientAuthenticationError as error:
            raise self._explained(error) from None
        except AzureError as error:
            hint = "HTTPS_PROXY and REQUESTS_CA_BUNDLE say how to get out of here, where that is the reason"
            reason = type(error).__name__
            raise NetworkError(f"Microsoft Entra cannot be asked for a token: {reason}", hint=hint) from None
        except ValueError:
            hint = "see to `tenant` and `client_id` in the spec, and to the variables AZURE_…"
            raise AuthenticationError("what is said of the Azure identity cannot be one", hint=hint) from None

    def _credential(self) -> ClientAssertionCredential | DefaultAzureCredential:
        tenant, client = self.login.tenant, self.login.client_id
        if tenant and client and has_identity():
            return ClientAssertionCredential(tenant, client, lambda: identity_token(GITHUB_AUDIENCE).reveal(), **LIMITS)
        chosen = {"managed_identity_client_id": client, "workload_identity_client_id": client} if client else {}
        return DefaultAzureCredential(**chosen, **LIMITS)

    def _explained(self, error: ClientAuthenticationError) -> StoreError:
        """Its text may hold answers of servers: the code of Entra alone is shown."""
        codes = ", ".join(sorted(set(_CODE.findall(error.message or ""))))
        if codes:
            hint = "look it up in Microsoft's list of these codes"
            return AuthenticationError(f"Microsoft Entra gave no token: {codes}", hint=hint)
        marks = [name for name in _MARKS if os.environ.get(name)]
        if marks or self.login != Acr():
            return AuthenticationError("Microsoft Entra gave no token", hint=self._hint(marks))
        return MissingLoginError("no Azure credentials were found", hint=ACR.credentials)

    def _hint(self, marks: list[str]) -> str:
        if marks:
            return f"{marks[0]} is set: see that it is right, and that Entra can be reached from here (HTTPS_PROXY)"
        is_for_a_job = self.login.tenant and self.login.client_id
        return f"in GitHub Actions, {HINT}; elsewhere {ACR.credentials}" if is_for_a_job else ACR.credentials


def _claims(token: str) -> dict[str, Any]:
    """What a JWT says of itself, unproven: for messages, and for when to ask for the next one."""
    payload = f"{token}..".split(".")[1]
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _lifetime_seconds(claims: dict[str, Any]) -> float:
    """From issue to end, both by the registry's clock."""
    issued, end = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(end) is not int:
        return DEFAULT_LIFETIME_SECONDS
    return float(min(max(end - issued, 0), MAX_LIFETIME_SECONDS))


def _origin(claims: dict[str, Any]) -> str:
    account = claims.get("sub")
    if isinstance(account, str) and _ACCOUNT.fullmatch(account):
        return f"Azure, as {account}"
    return "Azure"
