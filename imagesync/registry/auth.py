"""Authorizer: answers a registry's 401, and then logs in ahead of every request. One for each host.

Distribution's authentication, Basic and Bearer. A login goes to the registry's own origin and to its token
server, nowhere else. Requests to token servers are built and their answers read in token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy

from imagesync.errors import AuthenticationError, StoreError
from imagesync.lazy import dataclass, field, replace
from imagesync.log import log
from imagesync.registry.auth_use import AuthUse
from imagesync.registry.challenge import Challenge, choose_challenge, parse_challenges
from imagesync.registry.credential import Credential
from imagesync.registry.found_logins import FoundLogins, Identity
from imagesync.registry.grants import granted_actions
from imagesync.registry.message import Authorization, Request, Response, Send
from imagesync.registry.origin import Address, Origin, parse_address
from imagesync.registry.retry import Transient
from imagesync.registry.token import (
    OPERATION,
    Scope,
    Token,
    TokenAsk,
    basic_login,
    challenge_scopes,
    check_realm,
    fetch_token,
    merged_scopes,
)
from imagesync.registry.unproven import UnprovenLogins
from imagesync.settings import Secret

__all__ = ["AuthUse", "Authorizer", "Scope"]

REFUSED_SECONDS = 60.0
"""How long a login that was refused is not tried again: many tags with a wrong password must not lock an account."""
FIRST_SECONDS = 2.0
"""How long other requests wait for the answer to the first one."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Access:
    """What one request is for. Reading and writing are apart: they may have identities of their own."""

    scopes: tuple[Scope, ...]
    push: bool

    @property
    def identity(self) -> Identity:
        return (self.scopes[0].path if self.scopes else "", self.push)


@dataclass(frozen=True, slots=True)
class _Demand:
    """What the registry asks for: a challenge, and the scopes in it that the request did not name itself."""

    challenge: Challenge
    scopes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Slot:
    """One token, or why there is none, until when that holds, and how often it was fetched."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    outcome: Token | StoreError | Transient | None = None
    until: float = 0.0
    attempts: int = 0


class _TokenCache:
    """Tokens by key. Whoever comes while one is being fetched waits for it and shares it, or its error."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[object, _Slot] = {}

    def get(self, key: object, fetch: Callable[[], Token]) -> Secret:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            seen = slot.attempts
        with slot.lock:
            if slot.attempts == seen and self._clock() >= slot.until:
                self._fill(slot, fetch)
            outcome = slot.outcome
        if isinstance(outcome, Token):
            return outcome.text
        if outcome is None:  # the token that was waited for has been rejected since
            return self.get(key, fetch)
        raise copy(outcome)

    def discard(self, key: object, text: Secret) -> None:
        """Forget a token that the registry rejected, unless another one has taken its place."""
        with self._lock:
            slot = self._slots.get(key)
        if slot is None:
            return
        with slot.lock:
            if isinstance(slot.outcome, Token) and slot.outcome.text == text:
                slot.outcome, slot.until = None, 0.0

    def _fill(self, slot: _Slot, fetch: Callable[[], Token]) -> None:
        try:
            token = fetch()
        except (StoreError, Transient) as error:
            slot.outcome = error
            slot.until = self._clock() + REFUSED_SECONDS if isinstance(error, AuthenticationError) else 0.0
        else:
            slot.outcome, slot.until = token, self._clock() + token.usable_seconds
        slot.attempts += 1


class Authorizer:
    """Logs in to one registry, for any number of threads.

    `host` is the registry as references spell it, `origin` where it is spoken to (`https://host[:port]`).
    `credentials(path, push)` finds the login for a repository. `send` performs a request of this class over
    the same transport, adds no login and follows no redirect.
    """

    def __init__(
        self,
        host: str,
        *,
        origin: str,
        credentials: Callable[[str, bool], Credential | None],
        send: Send,
        clock: Clock = time.monotonic,
    ) -> None:
        scheme, _, authority = origin.partition("://")
        self._host = host
        self._origin = Origin.of(scheme, authority)
        self._logins = FoundLogins(credentials, clock)
        self._send = send
        self._clock = clock
        self._tokens = _TokenCache(clock)
        self._unproven = UnprovenLogins(clock, REFUSED_SECONDS)
        self._lock = threading.Lock()
        self._ping_lock = threading.Lock()
        self._first = threading.Lock()
        self.has_answered = False
        """Whether the registry has answered a request: from then on it is known how to log in."""
        self._challenge: Challenge | None = None
        self._demands: dict[_Access, _Demand] = {}
        self._refused: dict[Identity, tuple[Authorization, float]] = {}
        self._told: set[str] = set()

    @contextmanager
    def alone_at_first(self) -> Iterator[None]:
        """Let the first request go ahead of the others: what it learns of the login saves each of them a 401. None
        waits for longer than FIRST_SECONDS: the host may be down."""
        is_first = not self.has_answered and self._first.acquire(timeout=FIRST_SECONDS)
        try:
            if is_first and self.has_answered:
                self._first.release()
                is_first = False
            yield
        finally:
            if is_first:
                self._first.release()

    def logged_in(self, request: Request, send: Send, *, scopes: tuple[Scope, ...], push: bool) -> Response:
        """Send a request with its login; the scope that it cannot do without comes first.

        A 401 is answered once, by a fresh login and the request again. Where the body was streamed, the login is
        renewed and the 401 handed back: it cannot be sent again. Raises AuthenticationError when the token server
        refuses the login.
        """
        if request.address.origin != self._origin:  # wherever it sends us, no other origin sees a login
            return send(request)
        access = _Access(scopes, push)
        with self.alone_at_first():
            used = self.ahead(access)
            response = self._sent(request, send, access, used)
            self.has_answered = True
            if response.status != 401:
                return response
            return self._after_refusal(request, send, access=access, used=used, refusal=response)

    def _after_refusal(
        self, request: Request, send: Send, *, access: _Access, used: Authorization | None, refusal: Response
    ) -> Response:
        try:
            login = self.renew(access, refusal, used)
        except BaseException:
            refusal.close()
            raise
        if login is None or not isinstance(request.body, bytes):
            return refusal
        refusal.drain()
        response = self._sent(request, send, access, login)
        if response.status == 401:
            self.refused(access, login)
        return response

    def _sent(self, request: Request, send: Send, access: _Access, login: Authorization | None) -> Response:
        credential = self._logins.last(access.identity)
        if login is None or login.scheme != "Basic" or credential is None or credential.rights is not None:
            return send(request.with_login(login))
        return self._unproven.send(login, lambda left: send(request.with_login(left)))

    def describe(self, scopes: tuple[Scope, ...] = (), push: bool = False) -> AuthUse:
        """What requests for these scopes are logged in with; asks nobody."""
        access = _Access(scopes, push)
        demand = self._demand(access)
        credential = self._logins.last(access.identity)
        origin = credential.origin if credential else None
        left = None if credential is None else credential.seconds_left(self._clock())
        known = AuthUse(
            origin, None, None, tuple(map(str, scopes)), needed=_needed(credential, scopes), seconds_left=left
        )
        if demand is None:
            return known
        ask = self._ask(access, demand, credential)
        known = replace(known, scheme=demand.challenge.scheme, scopes=ask.scopes)
        return known if known.scheme != "bearer" else replace(known, realm_host=ask.realm_host, realm=ask.realm)

    def learn(self, challenge: Challenge) -> None:
        """Know what the registry asks for before a request of ours meets it. Raises ProtocolError as a 401 would."""
        if challenge.scheme == "bearer":
            check_realm(challenge, self._origin)
        with self._lock:
            self._challenge = self._challenge or challenge
        self.has_answered = True

    def granted(self, scopes: tuple[Scope, ...], push: bool = False) -> frozenset[str] | None:
        """The actions in the first scope's repository that the token for these says it allows; None where nobody says.
        A token that is not there yet is fetched. Raises as a login does."""
        login = self.ahead(_Access(scopes, push))
        is_token = login is not None and login.scheme == "Bearer" and scopes
        return granted_actions(login.credentials, scopes[0].path) if login is not None and is_token else None

    def ahead(self, access: _Access) -> Authorization | None:
        """The login to send before being asked; None where nothing is known of the registry yet."""
        demand = self._demand(access)
        return None if demand is None else self._authorization(access, demand)

    def renew(self, access: _Access, response: Response, used: Authorization | None) -> Authorization | None:
        """The login that answers a 401; None where there is no better one than that which was `used`."""
        demand = self._learn(access, response)
        if demand is None:
            return None
        if used is not None:
            self._forget(access, used)
        login = self._authorization(access, demand)
        return None if login == used else login

    def refused(self, access: _Access, login: Authorization) -> None:
        """The registry said 401 to a fresh login: keep it from trying a password again and again."""
        if not _is_minted(login, self._logins.last(access.identity)):
            self._forget(access, login)

    def _demand(self, access: _Access) -> _Demand | None:
        with self._lock:
            known = self._demands.get(access)
            if known is None and self._challenge is not None:
                known = _Demand(self._challenge)
            return known

    def _learn(self, access: _Access, response: Response) -> _Demand | None:
        challenge = self._challenge_of(response) or self._ping_challenge()
        if challenge is None:
            return None
        demand = _Demand(challenge, challenge_scopes(challenge))
        self._tell_of(challenge)
        with self._lock:
            self._demands[access] = demand
            self._challenge = self._challenge or challenge
        return demand

    def _tell_of(self, challenge: Challenge) -> None:
        """A login that leaves the registry's own host is worth a line, once for each token server."""
        realm = challenge.parameters.get("realm", "") if challenge.scheme == "bearer" else ""
        host = realm and parse_address(realm).origin.host
        with self._lock:
            is_news = host not in (self._origin.host, "", *self._told)
            self._told.add(host)
        if is_news:
            log.info("tokens come from another host", registry=self._host, server=host)

    def _challenge_of(self, response: Response) -> Challenge | None:
        """The challenge to answer. Raises ProtocolError for a realm that may not be sent a login."""
        challenge = choose_challenge(parse_challenges(response.headers.values_of("WWW-Authenticate")))
        if challenge is not None and challenge.scheme == "bearer":
            check_realm(challenge, self._origin)
        return challenge

    def _ping_challenge(self) -> Challenge | None:
        """Ask `/v2/`: some registries say nothing with a 401 elsewhere."""
        with self._ping_lock:
            if self._challenge is None:
                response = self._send(Request("GET", Address(self._origin, "/v2/"), OPERATION))
                response.close()
                self._challenge = self._challenge_of(response) if response.status == 401 else None
            return self._challenge

    def _authorization(self, access: _Access, demand: _Demand) -> Authorization | None:
        credential = self._logins.get(access.identity)
        if credential is not None and credential.registry_token is not None:
            return self._unless_refused(access, Authorization.bearer(credential.registry_token))
        if demand.challenge.scheme == "basic":
            return self._unless_refused(access, basic_login(credential)) if credential else None
        ask = self._ask(access, demand, credential)
        try:
            return Authorization.bearer(self._tokens.get(_key(ask), lambda: self._fetched(ask)))
        except AuthenticationError:
            if credential is not None and credential.reject():
                self._logins.refused(access.identity)
            raise

    def _fetched(self, ask: TokenAsk) -> Token:
        return self._unproven.fetch(ask, lambda: fetch_token(ask, self._send))

    def _ask(self, access: _Access, demand: _Demand, credential: Credential | None) -> TokenAsk:
        parameters = demand.challenge.parameters
        return TokenAsk(
            host=self._host,
            reference=f"{self._host}/{access.identity[0]}".rstrip("/"),
            realm=parameters.get("realm", ""),
            service=parameters.get("service", ""),
            scopes=merged_scopes(map(str, access.scopes), demand.scopes),
            credential=credential,
        )

    def _forget(self, access: _Access, used: Authorization) -> None:
        """A login was rejected: look up again what it was made of, so that a login that changed meanwhile is found."""
        demand = self._demand(access)
        credential = self._logins.last(access.identity)
        self._logins.refused(access.identity)
        if demand is not None and _is_minted(used, credential):
            self._tokens.discard(_key(self._ask(access, demand, credential)), used.credentials)
            return
        if credential is not None and used == basic_login(credential):
            credential.reject()
        self._refused[access.identity] = (used, self._clock() + REFUSED_SECONDS)

    def _unless_refused(self, access: _Access, login: Authorization) -> Authorization | None:
        refused, until = self._refused.get(access.identity, (None, 0.0))
        return None if login == refused and self._clock() < until else login


def _needed(credential: Credential | None, scopes: tuple[Scope, ...]) -> str | None:
    rights = credential.rights if credential is not None else None
    return rights.needed_for(map(str, scopes[:1])) if rights is not None and scopes else None


def _is_minted(login: Authorization, credential: Credential | None) -> bool:
    """Whether this is a token that a token server gave us, and could give again."""
    return login.scheme == "Bearer" and (credential is None or credential.registry_token is None)


def _key(ask: TokenAsk) -> object:
    return (ask.realm, ask.service, tuple(sorted(ask.scopes)), ask.credential)
