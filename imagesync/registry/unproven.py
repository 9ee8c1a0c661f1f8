"""Passwords that nobody has let in yet: they are tried one at a time, and few times, whatever they are for.

One that is wrong is wrong for every repository of a spec, and each try may lock the account. What a registry says of
one repository alone (Artifactory answers 401 to who has no right to it) keeps no login from the others: it is let in
at one of them, or at the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from imagesync.errors import AuthenticationError
from imagesync.registry.message import Authorization, Response
from imagesync.registry.token import OPERATION, Token, TokenAsk, basic_login

MOST_TRIES = 3
TURN_SECONDS = 2.0
"""How long others wait for what becomes of a login: the host may be down."""
_UNAUTHORIZED = 401
_LET_IN = frozenset(range(200, 400)) | {403, 404}


class UnprovenLogins:
    """Those of one registry, for any number of threads. A refused one is left alone for `held_seconds`."""

    def __init__(self, clock: Callable[[], float], held_seconds: float) -> None:
        self._clock = clock
        self._held_seconds = held_seconds
        self._turn = Lock()
        self._lock = Lock()
        self._proven: set[Authorization] = set()
        self._refusals: dict[Authorization, tuple[int, float]] = {}

    def send(self, login: Authorization | None, send: Callable[[Authorization | None], Response]) -> Response:
        """Send a request with a login that is a password, or without it where that is given up."""
        with self._alone(login):
            login = None if self._is_given_up(login) else login
            response = send(login)
            self._heard(login, response.status)
        return response

    def fetch(self, ask: TokenAsk, fetch: Callable[[], Token]) -> Token:
        """Get a token by a login. Raises AuthenticationError where that is given up, besides what `fetch` raises."""
        login = _password(ask)
        with self._alone(login):
            if self._is_given_up(login):
                raise _given_up(ask)
            try:
                token = fetch()
            except AuthenticationError as error:
                self._heard(login, error.status)
                raise
            self._heard(login, 200)
        return token

    @contextmanager
    def _alone(self, login: Authorization | None) -> Iterator[None]:
        """Wait for the turn of a login that may be wrong; once it is let in none waits any more."""
        has_turn = self._is_unproven(login) and self._turn.acquire(timeout=TURN_SECONDS)
        try:
            if has_turn and not self._is_unproven(login):
                self._turn.release()
                has_turn = False
            yield
        finally:
            if has_turn:
                self._turn.release()

    def _is_unproven(self, login: Authorization | None) -> bool:
        with self._lock:
            return login is not None and login not in self._proven

    def _is_given_up(self, login: Authorization | None) -> bool:
        with self._lock:
            count, until = self._refusals.get(login, (0, 0.0)) if login is not None else (0, 0.0)
        return count >= MOST_TRIES and self._clock() < until

    def _heard(self, login: Authorization | None, status: int | None) -> None:
        """An answer that is neither a refusal nor a welcome, as of a server that is ill, says nothing."""
        with self._lock:
            if login is None or login in self._proven:
                return
            if status in _LET_IN:
                self._proven.add(login)
                self._refusals.pop(login, None)
            elif status == _UNAUTHORIZED:
                count, _ = self._refusals.get(login, (0, 0.0))
                self._refusals[login] = (count + 1, self._clock() + self._held_seconds)


def _password(ask: TokenAsk) -> Authorization | None:
    """What a cloud has made, or is exchanged, is none that could be guessed, and locks nothing."""
    credential = ask.credential
    if credential is None or credential.rights is not None or credential.identity_token is not None:
        return None
    return basic_login(credential)


def _given_up(ask: TokenAsk) -> AuthenticationError:
    whose = ask.credential.origin if ask.credential else "no login"
    return AuthenticationError(
        f"the token server refused {whose} {MOST_TRIES} times, and is not asked again for a while",
        hint="check user and password",
        operation=OPERATION,
        reference=ask.reference,
        status=_UNAUTHORIZED,
    )
