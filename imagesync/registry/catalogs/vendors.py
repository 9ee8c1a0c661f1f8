"""Vendors: which API a registry has beside itself. Three are known by their names, others by their token realm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from imagesync.behaviour import Catalog, Kind, kind_by_realm
from imagesync.errors import UnsupportedError
from imagesync.lazy import dataclass
from imagesync.registry.call import NO_LOGIN, Call
from imagesync.registry.catalogs import ghcr, gitlab, harbor, hub, quay
from imagesync.registry.catalogs.access import OPERATION, REFUSALS, Access
from imagesync.registry.challenge import choose_challenge, parse_challenges
from imagesync.registry.origin import Address, parse_address
from imagesync.registry.token import check_realm
from imagesync.store import PushTime


@dataclass(frozen=True, slots=True)
class Vendor:
    """What an API tells: the names below a prefix and, where it does, when the tags of a repository were pushed."""

    names: Callable[[Access, str], set[str]]
    times: Callable[[Access, str], Iterator[frozenset[PushTime]]] | None = None


_QUAY = Vendor(quay.list_quay, quay.walk_quay_times)
_HARBOR = Vendor(harbor.list_harbor, harbor.walk_harbor_times)
_BY_KIND = {Kind.HARBOR: _HARBOR, Kind.QUAY: _QUAY}
_NAMED = {
    Catalog.DOCKER_HUB: Vendor(hub.list_hub, hub.walk_hub_times),
    Catalog.GHCR: Vendor(ghcr.list_ghcr, ghcr.walk_ghcr_times),
    Catalog.QUAY: _QUAY,
    Catalog.HARBOR: _HARBOR,
}


def named(access: Access) -> Vendor | None:
    """The API that the table or the spec names; None where that is to be found out. GitLab's stands on the host of the
    token realm, or with the registry. Raises UnsupportedError where there is none."""
    catalog = access.registry.behaviour.catalog
    if catalog is Catalog.NEVER:
        message = f"by its API {access.host} lists nothing"
        raise UnsupportedError(message, operation=OPERATION, reference=access.host)
    if catalog is Catalog.GITLAB:
        return recognised(access) or Vendor(partial(gitlab.list_gitlab, access.host))
    return _NAMED.get(catalog)


def recognised(access: Access) -> Vendor | None:
    """The API of the software that a registry is, by its token realm; None for any other."""
    realm = _realm(access)
    if realm is None:
        return None
    kind = kind_by_realm(realm.path)
    if kind is Kind.GITLAB:
        return Vendor(partial(gitlab.list_gitlab, realm.origin.authority))
    is_own = realm.origin == access.registry.origin
    return _BY_KIND.get(kind) if is_own and kind is not None else None


def _realm(access: Access) -> Address | None:
    """Where the registry gives out tokens, as it says to who has none."""
    call = Call(
        method="GET",
        target="/v2/",
        operation=OPERATION,
        reference=access.host,
        scopes=(),
        accepted=frozenset({200, 401}),
        authorization=NO_LOGIN,
    )
    try:
        answer = access.registry.send(call)
        challenge = choose_challenge(parse_challenges(answer.headers.values_of("WWW-Authenticate")))
        if challenge is None or challenge.scheme != "bearer":
            return None
        check_realm(challenge, access.registry.origin)
        return parse_address(challenge.parameters["realm"])
    except REFUSALS:
        return None
