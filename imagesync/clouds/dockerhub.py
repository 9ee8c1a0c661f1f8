"""Docker Hub: a GitHub job's identity, traded for a short-lived access token by an organization's OIDC connection.

The exchange is that of docker/oidc-action, which is where Docker describes it.
"""

from __future__ import annotations

from imagesync.clouds.exchange import Exchange
from imagesync.clouds.github import identity_token
from imagesync.clouds.minted import Minted
from imagesync.lazy import dataclass
from imagesync.settings import DockerHub

AUDIENCE = "https://identity.docker.com"
TOKEN_URL = "https://identity.docker.com/oauth/token"  # noqa: S105 - an address
LIFETIME_SECONDS = 3600
"""The longest that is given: some copies take long."""
HINT = "check the connection's ID, and that one of its rulesets fits this repository, branch and workflow"


@dataclass(frozen=True, slots=True)
class DockerHubMinter:
    """Makes a login for Docker Hub, in a job of GitHub Actions."""

    login: DockerHub

    def mint(self) -> Minted:
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "subject_token": identity_token(AUDIENCE).reveal(),
            "connection_id": self.login.connection,
            "expires_in": str(LIFETIME_SECONDS),
        }
        token = Exchange("Docker's identity server", TOKEN_URL, HINT, form).token("access_token")
        origin = f"Docker Hub, as {self.login.organization} by its OIDC connection"
        return Minted(self.login.organization, token, LIFETIME_SECONDS, origin)
