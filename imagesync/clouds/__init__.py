"""Logins that a cloud makes for its registry: which of them a host has, and who makes it.

A vendor's library is an extra (needs), and imported when a login is made with it. Logins are kept and renewed by
MintedLogins.
"""

from __future__ import annotations

from imagesync.clouds.hosts import ECR_PUBLIC_HOSTS, Cloud, cloud_of
from imagesync.clouds.kept import KeptLogin, MintedLogins
from imagesync.clouds.minted import Minted, Minter
from imagesync.clouds.needs import Needs, needs_of
from imagesync.settings import CloudLogin, Ecr

__all__ = [
    "KeptLogin",
    "Minted",
    "MintedLogins",
    "Minter",
    "Needs",
    "login_advice",
    "minter_for",
    "needs_of",
    "own_login",
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
