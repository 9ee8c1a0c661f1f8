"""Catalogs: which repositories a registry holds, and when it got what their tags point to.

Most registries have `_catalog`, the large ones an API of their own instead, which knows of times as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from imagesync.errors import StoreError, UnsupportedError
from imagesync.reference import Repository, RepositoryList, Tag
from imagesync.registry.catalogs.access import REFUSALS, Access
from imagesync.registry.catalogs.times import TIMES
from imagesync.registry.catalogs.vendors import Vendor, named, recognised
from imagesync.registry.credential import Credential
from imagesync.registry.listing import list_catalog
from imagesync.store import PushTime

__all__ = ["Access", "RegistryCatalog", "RegistryPushTimes"]

WAY_OUT = "name the repositories, or write {a,b}"


class RegistryCatalog:
    """Implements store.RepositoryLister for one registry."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._catalogs: dict[Credential | None, set[str]] = {}

    def list_repositories(self, prefix: str) -> RepositoryList:
        """Raises UnsupportedError, or how the registry said no, with the way to do without a list."""
        with _showing_the_way_out():
            own = named(self._access)
            names = own.names(self._access, prefix) if own is not None else self._listed(prefix)
        return RepositoryList.of(names, prefix)

    def _listed(self, prefix: str) -> set[str]:
        try:
            names = self._whole_catalog(prefix)
        except REFUSALS as refused:
            return self._otherwise(prefix, refused)
        own = recognised(self._access) if not names else None
        return names if own is None else own.names(self._access, prefix)

    def _whole_catalog(self, prefix: str) -> set[str]:
        """What `_catalog` has, asked for once for each login whatever the prefixes are."""
        login = self._access.find_login(prefix)
        if login not in self._catalogs:
            self._catalogs[login] = list_catalog(self._access.registry, prefix)
        return self._catalogs[login]

    def _otherwise(self, prefix: str, refused: StoreError) -> set[str]:
        """What the vendor's API lists. Raises both errors as one where that does not help either."""
        own = recognised(self._access)
        if own is None:
            refused.message = f"`_catalog` {refused.message}, and no other list of this registry is known"
            raise refused
        try:
            return own.names(self._access, prefix)
        except REFUSALS as error:
            error.message = f"{error.message}; before that `_catalog` {refused.message}"
            raise


class RegistryPushTimes:
    """Implements store.PushTimes for one registry. What it has found out of it is kept, for any number of threads."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._vendor: Vendor | None = None
        self._is_known = False

    def push_times(self, repository: Repository, tags: Collection[Tag]) -> Mapping[Tag, PushTime]:
        """The list is read until it has all of these tags."""
        vendor = self._who()
        if vendor is None or vendor.times is None:
            message = "this registry does not say when tags were pushed"
            raise UnsupportedError(message, operation=TIMES, reference=str(repository))
        found: dict[Tag, PushTime] = {}
        wanted = frozenset(tags)
        for page in vendor.times(self._access, repository.path):
            found.update((one.tag, one) for one in page if one.tag in wanted)
            if len(found) == len(wanted):
                break
        return found

    def _who(self) -> Vendor | None:
        if not self._is_known:
            self._vendor, self._is_known = named(self._access) or recognised(self._access), True
        return self._vendor


@contextmanager
def _showing_the_way_out() -> Iterator[None]:
    try:
        yield
    except REFUSALS as error:
        error.hint = f"{error.hint}; or {WAY_OUT}" if error.hint else WAY_OUT
        raise
