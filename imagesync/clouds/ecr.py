"""Logins that Amazon makes for ECR: GetAuthorizationToken, for private registries and for the public one."""

from __future__ import annotations

import base64
import time
from typing import Any

from botocore.config import Config
from botocore.session import Session

from imagesync.behaviour.hosts import ECR_PUBLIC_HOSTS, ECR_PUBLIC_REGION, EcrHost, ecr_host
from imagesync.clouds.aws import LIMITS, identity, open_session, translated
from imagesync.clouds.minted import Minted
from imagesync.errors import AuthenticationError
from imagesync.lazy import dataclass
from imagesync.settings import Ecr, Secret


@dataclass(frozen=True, slots=True)
class EcrMinter:
    """Makes logins of one region: they hold for every registry there that `login` has a right to."""

    service: str
    """`ecr` or `ecr-public`, as botocore names them."""
    login: Ecr
    region: str | None
    is_fips: bool = False
    is_dual_stack: bool = False

    @classmethod
    def of(cls, host: str, login: Ecr) -> EcrMinter:
        """What the login says holds, then what the host's name says, then what the AWS tools are set to."""
        if host in ECR_PUBLIC_HOSTS:
            return cls("ecr-public", login, login.region or ECR_PUBLIC_REGION)
        named = ecr_host(host) or EcrHost("", "")
        return cls("ecr", login, login.region or named.region or None, named.is_fips, named.is_dual_stack)

    def mint(self) -> Minted:
        with translated():
            session = self.session()
            answer = self.client(session).get_authorization_token()
            origin = f"Amazon ECR, {identity(self.login, session)}"
        return _minted(answer, origin)

    def session(self) -> Session:
        """A session with this login's credentials, in its region."""
        return open_session(self.login, self.region)

    def client(self, session: Session) -> Any:
        """botocore's client for this service. Raises AuthenticationError where no region is known."""
        if not session.get_config_variable("region"):
            hint = "say it with `auth: {ecr: {region: NAME}}`, or set AWS_DEFAULT_REGION"
            raise AuthenticationError("the region of this registry is not known", hint=hint)
        return session.create_client(self.service, config=LIMITS.merge(self._endpoint()))

    def _endpoint(self) -> Config:
        return Config(use_fips_endpoint=self.is_fips or None, use_dualstack_endpoint=self.is_dual_stack or None)


def _minted(answer: dict[str, Any], origin: str) -> Minted:
    """The token is a user and a password, as Basic has them. A private registry's comes in a list of one."""
    try:
        data = answer["authorizationData"]
        data = data[0] if isinstance(data, list) else data
        username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        lifetime_seconds = data["expiresAt"].timestamp() - time.time()
    except (LookupError, TypeError, ValueError, AttributeError):
        raise AuthenticationError(f"{origin}: the answer of AWS holds no login") from None
    if not username or not password:
        raise AuthenticationError(f"{origin}: the answer of AWS holds no login")
    return Minted(username, Secret.literal(password, origin), lifetime_seconds, origin)
