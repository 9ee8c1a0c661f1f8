"""Catalogs: which repositories a registry holds. Most have `_catalog`, the large ones an API of their own instead.

Docker Hub, ghcr.io and quay.io are known by their names. Of another registry that does not show its catalog, the place
where it gives out tokens tells what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from imagesync.errors import AuthenticationError, NotFoundError, ProtocolError, StoreError, UnsupportedError
from imagesync.reference import HUB, RepositoryList
from imagesync.registry.catalogs import ghcr, gitlab, harbor, quay
from imagesync.registry.catalogs.access import ANONYMOUS, OPERATION, Access
from imagesync.registry.catalogs.hub import list_hub
from imagesync.registry.challenge import choose_challenge, parse_challenges
from imagesync.registry.client import Call
from imagesync.registry.listing import list_catalog
from imagesync.registry.origin import Address, parse_address
from imagesync.registry.token import check_realm

__all__ = ["Access", "RegistryCatalog"]

ListNames = Callable[[Access, str], set[str]]
WAY_OUT = "name the repositories, or write {a,b}"
_BY_HOST: dict[str, ListNames] = {HUB: list_hub, ghcr.HOST: ghcr.list_ghcr, quay.HOST: quay.list_quay}
_REFUSALS = (AuthenticationError, NotFoundError, UnsupportedError, ProtocolError)


class RegistryCatalog:
    """Implements store.RepositoryLister for one registry."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._catalog: set[str] | None = None

    def list_repositories(self, prefix: str) -> RepositoryList:
        """Raises UnsupportedError, or how the registry said no, with the way to do without a list."""
        own = _BY_HOST.get(self._access.host)
        with _showing_the_way_out():
            names = own(self._access, prefix) if own is not None else self._listed(prefix)
        return RepositoryList.of(names, prefix)

    def _listed(self, prefix: str) -> set[str]:
        try:
            names = self._whole_catalog(prefix)
        except _REFUSALS as refused:
            return self._otherwise(prefix, refused)
        own = _recognised(self._access) if not names else None
        return names if own is None else own(self._access, prefix)

    def _whole_catalog(self, prefix: str) -> set[str]:
        """What `_catalog` has, asked for once whatever the prefixes are."""
        if self._catalog is None:
            self._catalog = list_catalog(self._access.registry, prefix)
        return self._catalog

    def _otherwise(self, prefix: str, refused: StoreError) -> set[str]:
        """What the vendor's API lists. Raises both errors as one where that does not help either."""
        own = _recognised(self._access)
        if own is None:
            refused.message = f"`_catalog` {refused.message}, and no other list of this registry is known"
            raise refused
        try:
            return own(self._access, prefix)
        except _REFUSALS as error:
            error.message = f"{error.message}; before that `_catalog` {refused.message}"
            raise


def _recognised(access: Access) -> ListNames | None:
    """The API of the software that a registry is, by its token realm; None for any other."""
    realm = _realm(access)
    if realm is None:
        return None
    is_own = realm.origin == access.registry.origin
    if realm.path.endswith(gitlab.REALM_PATH):
        return partial(gitlab.list_gitlab, realm.origin.authority)
    if is_own and realm.path.endswith(harbor.REALM_PATH):
        return harbor.list_harbor
    return quay.list_quay if is_own and realm.path.endswith(quay.REALM_PATH) else None


def _realm(access: Access) -> Address | None:
    """Where the registry gives out tokens, as it says to who has none."""
    call = Call(
        method="GET",
        target="/v2/",
        operation=OPERATION,
        reference=access.host,
        scopes=(),
        accepted=frozenset({200, 401}),
        authorization=ANONYMOUS,
    )
    try:
        answer = access.registry.send(call)
        challenge = choose_challenge(parse_challenges(answer.headers.values_of("WWW-Authenticate")))
        if challenge is None or challenge.scheme != "bearer":
            return None
        check_realm(challenge, access.registry.origin)
        return parse_address(challenge.parameters["realm"])
    except _REFUSALS:
        return None


@contextmanager
def _showing_the_way_out() -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        error.hint = f"{error.hint}; or {WAY_OUT}" if error.hint else WAY_OUT
        raise
