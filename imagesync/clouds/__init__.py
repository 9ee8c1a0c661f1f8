"""Logins that a cloud makes for its registry: which of them a host has, and who makes it; and who creates repositories.

A vendor's library is an extra (needs), and imported when a login is made with it. Logins are kept and renewed by
MintedLogins.
"""

from __future__ import annotations

from imagesync.behaviour.hosts import ECR_PUBLIC_HOSTS, Cloud, cloud_of
from imagesync.clouds.exchange import Trust, usual_trust
from imagesync.clouds.kept import KeptLogin, MintedLogins
from imagesync.clouds.minted import Minted, Minter
from imagesync.clouds.needs import ECR, Needs, needs_of
from imagesync.clouds.repositories import RepositoryCreator
from imagesync.clouds.rights import Rights, rights_of
from imagesync.errors import AuthenticationError
from imagesync.settings import Acr, CloudLogin, DockerHub, Ecr, Gar, Login

__all__ = [
    "KeptLogin",
    "Minted",
    "MintedLogins",
    "Minter",
    "Needs",
    "RepositoryCreator",
    "Rights",
    "Trust",
    "login_advice",
    "minter_for",
    "needs_of",
    "own_login",
    "repository_creator",
    "rights_of",
    "serves_anybody",
    "usual_trust",
]

_OWN: dict[Cloud, CloudLogin] = {Cloud.AMAZON: Ecr(), Cloud.GOOGLE: Gar(), Cloud.AZURE: Acr()}


def own_login(host: str) -> CloudLogin | None:
    """What `auth: default` comes to where no credential file knows the host; None where no cloud makes its logins."""
    cloud = cloud_of(host)
    return None if cloud is None else _OWN.get(cloud)


def minter_for(host: str, login: CloudLogin, trust: Trust = usual_trust) -> Minter:
    """Who makes this login for a host, by the library that it needs; `trust` is how the host itself is trusted."""
    match login:
        case Ecr():
            from imagesync.clouds.ecr import EcrMinter  # noqa: PLC0415 - imports botocore, which is an extra

            return EcrMinter.of(host, login)
        case Gar():
            from imagesync.clouds.gar import GarMinter  # noqa: PLC0415 - imports google-auth, which is an extra

            return GarMinter(login)
        case Acr():
            from imagesync.clouds.acr import AcrMinter  # noqa: PLC0415 - imports azure-identity, which is an extra

            return AcrMinter(host, login, trust)
        case DockerHub():
            from imagesync.clouds.dockerhub import DockerHubMinter  # noqa: PLC0415 - few runs need it

            return DockerHubMinter(login)


def repository_creator(host: str, login: Login) -> RepositoryCreator | None:
    """Who creates repositories at a host; None where no cloud is known to do that.

    With this login if a cloud makes it, else with what `auth: default` comes to. Raises StoreError with what to do.
    """
    own = login if isinstance(login, Ecr) else own_login(host)
    if not isinstance(own, Ecr):
        return None
    if not ECR.is_installed:
        message = f"to create repositories at {host} needs {ECR.library}, which is not installed"
        raise AuthenticationError(message, hint=f"pip install 'imagesync[{ECR.extra}]'", reference=host)
    from imagesync.clouds.ecr_repositories import EcrRepositories  # noqa: PLC0415 - imports botocore, as above

    return EcrRepositories(host, own)


def serves_anybody(host: str) -> bool:
    """Whether all that a host holds can be read without a login, so that one which cannot be made ends nothing."""
    return host in ECR_PUBLIC_HOSTS


def login_advice(host: str) -> str | None:
    """What to do where a cloud's registry was asked without a login and refused; None for any other host."""
    login = own_login(host)
    needs = None if login is None else needs_of(login)
    if needs is None:
        return None
    return needs.credentials if needs.is_installed else needs.installation
