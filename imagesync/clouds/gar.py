"""Google: an access token, as the password of `oauth2accesstoken`, for Artifact Registry and gcr.io.

google-auth finds who asks for it: a key file, a workload identity, the metadata server, or gcloud's user.
"""

from __future__ import annotations

import os
import re
import warnings
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import google.auth
from google.auth import environment_vars, identity_pool, impersonated_credentials
from google.auth.credentials import with_scopes_if_required
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request

from imagesync.clouds.github import identity_token
from imagesync.clouds.minted import Minted
from imagesync.clouds.needs import GAR
from imagesync.errors import AuthenticationError, MissingLoginError, NetworkError, StoreError
from imagesync.lazy import dataclass
from imagesync.settings import Gar, Secret

USER = "oauth2accesstoken"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""What gcloud and docker-credential-gcr ask for. A smaller one holds for reading alone, and is refused to gcloud's
users; what a login may do is said by its roles."""
STS_URL = "https://sts.googleapis.com/v1/token"
IMPERSONATION_URL = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken"
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
TIMEOUT_SECONDS = 30
DEFAULT_LIFETIME_SECONDS = 3600.0
_ERROR = re.compile(r"[a-z_]{1,60}")
_ACCOUNT = re.compile(r"[A-Za-z0-9@._+-]{1,200}")

# It warns of gcloud's users having no project for quotas, which a registry does not ask for.
warnings.filterwarnings("ignore", module=r"google\.auth\._default")


@dataclass(frozen=True, slots=True)
class GarMinter:
    """Makes a login for any of Google's registries: the token is of the account, not of the host."""

    login: Gar

    def mint(self) -> Minted:
        try:
            credentials = self._credentials()
            credentials.refresh(partial(Request(), timeout=TIMEOUT_SECONDS))
        except GoogleAuthError as error:
            raise _explained(error) from None
        origin = _origin(credentials)
        return Minted(USER, Secret.literal(credentials.token, origin), _lifetime_seconds(credentials.expiry), origin)

    def _credentials(self) -> Any:
        if self.login.workload_identity:
            return self._of_github(self.login.workload_identity)
        unscoped, _ = google.auth.default()  # with scopes it would go on and ask for the name of the project
        found = with_scopes_if_required(unscoped, [SCOPE])  # type: ignore[no-untyped-call]
        if self.login.service_account is None:
            return found
        return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
            source_credentials=found, target_principal=self.login.service_account, target_scopes=[SCOPE]
        )

    def _of_github(self, provider: str) -> Any:
        account = self.login.service_account
        return identity_pool.Credentials(  # type: ignore[no-untyped-call]
            audience=f"//iam.googleapis.com/{provider}",
            subject_token_type=JWT_TYPE,
            token_url=STS_URL,
            subject_token_supplier=_GithubIdentity(f"https://iam.googleapis.com/{provider}"),
            service_account_impersonation_url=IMPERSONATION_URL.format(account) if account else None,
            scopes=[SCOPE],
        )


@dataclass(frozen=True, slots=True)
class _GithubIdentity(identity_pool.SubjectTokenSupplier):
    """The job's identity, for the audience that Google's providers expect unless they are told another."""

    audience: str

    def get_subject_token(self, context: object, request: object) -> str:  # noqa: ARG002 - google-auth's names
        return identity_token(self.audience).reveal()


def _lifetime_seconds(expiry: datetime | None) -> float:
    """google-auth's times are in UTC, and do not say so."""
    if expiry is None:
        return DEFAULT_LIFETIME_SECONDS
    return max(0.0, (expiry.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds())


def _origin(credentials: Any) -> str:
    account = getattr(credentials, "service_account_email", None) or getattr(credentials, "account", None)
    if isinstance(account, str) and _ACCOUNT.fullmatch(account):
        return f"Google, as {account}"
    return "Google, application default credentials"


def _explained(error: GoogleAuthError) -> StoreError:
    """What an error of google-auth means. Its text may hold answers of servers, and is not shown."""
    if isinstance(error, DefaultCredentialsError):
        named = os.environ.get(environment_vars.CREDENTIALS)
        if named:
            return _of_no_use(Path(named))
        return MissingLoginError("no usable Google credentials were found", hint=GAR.credentials)
    if isinstance(error, TransportError) or error.retryable:
        hint = "HTTPS_PROXY and REQUESTS_CA_BUNDLE say how to get out of here, where that is the reason"
        return NetworkError("Google's token server cannot be reached, or does not answer as it should", hint=hint)
    return AuthenticationError(f"Google refused the login{_reason(error)}", hint=GAR.credentials)


def _of_no_use(file: Path) -> AuthenticationError:
    """A file that is named is meant: that it cannot be used is no case for going on without a login."""
    message = f"{environment_vars.CREDENTIALS} names {file}"
    if not file.exists():
        return AuthenticationError(f"{message}, which is not there", hint="correct it, or unset it")
    hint = "see that it is a key file or a workload identity's configuration, whole and readable"
    return AuthenticationError(f"{message}, and no login is made of that", hint=hint)


def _reason(error: GoogleAuthError) -> str:
    """The error code of OAuth, `invalid_grant`, where there is one."""
    answer = error.args[1] if len(error.args) > 1 else None
    code = answer.get("error") if isinstance(answer, dict) else None
    return f": {code}" if isinstance(code, str) and _ERROR.fullmatch(code) else ""
