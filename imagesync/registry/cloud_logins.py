"""Logins that clouds make, as credentials: by the vendor's library, else by its credential helper.

What a cloud's login is, and who makes it, is the business of clouds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from imagesync.clouds import MintedLogins, Needs, minter_for, needs_of, own_login, rights_of, serves_anybody
from imagesync.errors import AuthenticationError, MissingLoginError, StoreError
from imagesync.lazy import replace
from imagesync.log import log
from imagesync.registry.asked_helpers import AskedHelpers
from imagesync.registry.credential import ContextFor, Credential, trusted_as_usual
from imagesync.settings import Acr, CloudLogin, Ecr, Gar

_AS_FOUND: tuple[CloudLogin, ...] = (Ecr(), Gar(), Acr())


class CloudLogins:
    """The logins of a run, each made once and renewed before it ends. `context_for` says how a host is trusted."""

    def __init__(
        self,
        helpers: AskedHelpers,
        clock: Callable[[], float] = time.monotonic,
        context_for: ContextFor = trusted_as_usual,
    ) -> None:
        self._helpers = helpers
        self._context_for = context_for
        self._minted = MintedLogins(clock)
        self._warned: set[str] = set()

    def wanted(self, host: str, login: CloudLogin) -> Credential:
        """The login that a spec asks for. Raises AuthenticationError where it cannot be made."""
        needs = needs_of(login)
        if needs is None or needs.is_installed:
            return self._mint(host, login)
        # A helper makes the login that it finds: it cannot be told whose.
        found = self._from_helper(host, login, needs) if login in _AS_FOUND else None
        if found is None:
            message = f"`auth: {needs.extra}` needs {needs.library}, which is not installed"
            raise AuthenticationError(message, hint=needs.installation)
        return found

    def found(self, host: str) -> Credential | None:
        """The login of a host of which nothing is said; None where there is none, or where no cloud makes it."""
        login = own_login(host)
        if login is None:
            return None
        try:
            return self._found(host, login)
        except StoreError as error:
            if not serves_anybody(host):
                raise
            self._warn(host, error)
            return None

    def _found(self, host: str, login: CloudLogin) -> Credential | None:
        needs = needs_of(login)
        if needs is None or needs.is_installed:
            try:
                return self._mint(host, login)
            except MissingLoginError as error:
                log.debug("no login from the cloud", registry=host, reason=error.message)
        return None if needs is None else self._from_unnamed_helper(host, login, needs)

    def _from_unnamed_helper(self, host: str, login: CloudLogin, needs: Needs) -> Credential | None:
        """A helper that is on PATH and that nobody has named: gcloud brings its own, logged in or not."""
        try:
            return self._from_helper(host, login, needs)
        except AuthenticationError as error:
            self._warn(host, error)
            return None

    def _from_helper(self, host: str, login: CloudLogin, needs: Needs) -> Credential | None:
        name = next((name for name in needs.helpers if self._helpers.has(name)), None)
        found = None if name is None else self._helpers.ask(name, host)
        return None if found is None else replace(found, rights=rights_of(login))

    def _mint(self, host: str, login: CloudLogin) -> Credential:
        minter = minter_for(host, login, partial(self._context_for, host))
        kept = self._minted.get(minter)
        minted = kept.minted
        return Credential(
            minted.username,
            None if minted.is_identity_token else minted.password,
            minted.password if minted.is_identity_token else None,
            minted.origin,
            usable_until=kept.until,
            reject=partial(self._minted.reject, minter, minted),
            rights=rights_of(login),
        )

    def _warn(self, host: str, error: StoreError) -> None:
        if host not in self._warned:
            self._warned.add(host)
            log.warning("goes on without a login", registry=host, reason=error.message)
