"""Logins that a cloud makes for its registry: which of them a host has, and who makes it; and who creates repositories.

A vendor's library is an extra (needs), and imported when a login is made with it. Logins are kept and renewed by
MintedLogins.
"""

from __future__ import annotations

from imagesync.clouds.hosts import ECR_PUBLIC_HOSTS, Cloud, cloud_of
from imagesync.clouds.kept import KeptLogin, MintedLogins
from imagesync.clouds.minted import Minted, Minter
from imagesync.clouds.needs import Needs, needs_of
from imagesync.clouds.repositories import RepositoryCreator, RepositoryTemplate
from imagesync.errors import AuthenticationError
from imagesync.settings import CloudLogin, Ecr, Login

__all__ = [
    "KeptLogin",
    "Minted",
    "MintedLogins",
    "Minter",
    "Needs",
    "RepositoryCreator",
    "RepositoryTemplate",
    "login_advice",
    "minter_for",
    "needs_of",
    "own_login",
    "repository_creator",
    "serves_anybody",
]


def own_login(host: str) -> CloudLogin | None:
    """What `auth: default` comes to where no credential file knows the host; None where no cloud makes its logins."""
    return Ecr() if cloud_of(host) is Cloud.AMAZON else None


def minter_for(host: str, login: CloudLogin) -> Minter:
    """Who makes this login for a host, by the library that it needs."""
    match login:
        case Ecr():
            from imagesync.clouds.ecr import EcrMinter  # noqa: PLC0415 - imports botocore, which is an extra

            return EcrMinter.of(host, login)


def repository_creator(host: str, login: Login) -> RepositoryCreator | None:
    """Who creates repositories at a host with this login, or with what `auth: default` comes to there where it is
    another kind of login; None where no cloud does. Raises StoreError, also for a library that is not installed."""
    own = login if isinstance(login, Ecr) else own_login(host)
    if own is None:
        return None
    needs = needs_of(own)
    if not needs.is_installed:
        message = f"to create repositories at {host} needs {needs.library}, which is not installed"
        raise AuthenticationError(message, hint=f"pip install 'imagesync[{needs.extra}]'", reference=host)
    from imagesync.clouds.ecr_repositories import EcrRepositories  # noqa: PLC0415 - imports botocore, as above

    return EcrRepositories(host, own)


def serves_anybody(host: str) -> bool:
    """Whether all that a host holds can be read without a login, so that one which cannot be made ends nothing."""
    return host in ECR_PUBLIC_HOSTS


def login_advice(host: str) -> str | None:
    """What to do where a cloud's registry was asked without a login and refused; None for any other host."""
    login = own_login(host)
    if login is None:
        return None
    needs = needs_of(login)
    return needs.credentials if needs.is_installed else needs.installation
