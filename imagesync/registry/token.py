"""Access tokens: what is asked of a token server, and what of its answer is believed.

Distribution's token authentication: GET with scopes, or a form where an identity token is exchanged. Who needs
a token and how long it is kept is auth's business.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from contextlib import closing
from typing import Any
from urllib.parse import urlencode, urlsplit

from imagesync.errors import AuthenticationError, LimitError, NetworkError, ProtocolError, StoreError
from imagesync.lazy import dataclass
from imagesync.manifest import has_too_many_values
from imagesync.registry.challenge import Challenge
from imagesync.registry.credential import TOKEN_USER, Credential
from imagesync.registry.message import Authorization, Request, Send
from imagesync.registry.origin import Origin, parse_address
from imagesync.registry.refused_logins import needs_right
from imagesync.settings import NOTHING, Secret

MAX_ANSWER_BYTES = 1024 * 1024
MAX_TOKEN_LENGTH = 64 * 1024
MAX_REALM_LENGTH = 2048
MIN_LIFETIME_SECONDS = 60.0
MAX_LIFETIME_SECONDS = 24 * 3600.0
MAX_CHALLENGE_SCOPES = 16
CLIENT_ID = "imagesync"
OPERATION = "GET token"

_VISIBLE = re.compile(r"[!-~]+")
_ACCEPT = {"Accept": "application/json"}
_EXCHANGE_REFUSED = frozenset({400, 401, 404, 405})
"""Token servers without the form: GCR, Artifactory, ACR, Harbor, GHCR and old Gitea answer one of these."""


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """What a token is to allow in one repository: `pull`, or `pull` and `push`, or `delete` too."""

    path: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"repository:{self.path}:{','.join(self.actions)}"


@dataclass(frozen=True, slots=True, order=True)
class CatalogScope(Scope):
    """What a token is to allow that lists repositories: `path` is only whose login is used."""

    def __str__(self) -> str:
        return "registry:catalog:*"


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; `lifetime_seconds` counts from when it was received, whatever the server's clock says."""

    text: Secret
    lifetime_seconds: float = MIN_LIFETIME_SECONDS

    @property
    def usable_seconds(self) -> float:
        """How long it is sent: it is renewed 10 % or 10 seconds early, whichever is more."""
        return self.lifetime_seconds - max(10.0, self.lifetime_seconds / 10)


@dataclass(frozen=True, slots=True)
class TokenAsk:
    """One token to fetch: from where, for which scopes (the one that is needed first), as whom."""

    host: str
    reference: str
    realm: str
    service: str
    scopes: tuple[str, ...]
    credential: Credential | None

    @property
    def realm_host(self) -> str:
        return ascii(urlsplit(self.realm).netloc)[1:-1]

    @property
    def subject(self) -> str:
        """What to call it in messages: who asks whom for what."""
        who = self.credential.origin if self.credential else "no login"
        what = " ".join(self.scopes) or "no scope"
        return f"{what}, with {who}, at {self.realm_host}"


def check_realm(challenge: Challenge, origin: Origin) -> None:
    """Raise ProtocolError unless a Bearer challenge's realm may be sent a login.

    It is http or https, https if the registry is, names a plain host, and holds no user name and no fragment.
    """
    realm = challenge.parameters.get("realm", "")
    try:
        if len(realm) > MAX_REALM_LENGTH or not _VISIBLE.fullmatch(realm) or "#" in realm or "\\" in realm:
            raise ProtocolError("it is not a plain address")
        parts = urlsplit(realm)
        found = Origin.of(parts.scheme, parts.netloc)
    except (ValueError, ProtocolError) as error:
        raise ProtocolError(f"the registry's token realm is refused: {error}", operation=OPERATION) from None
    if origin.scheme == "https" and found.scheme != "https":
        raise ProtocolError(
            f"the registry's token realm is refused: {found} is plain http and {origin} is https", operation=OPERATION
        )


def merged_scopes(*groups: Iterable[str]) -> tuple[str, ...]:
    """Scopes in the order they first come, each resource once with the actions of all."""
    merged: dict[str, dict[str, None]] = {}
    for text in (text for group in groups for text in group):
        resource, _, actions = text.rpartition(":")
        merged.setdefault(resource, {}).update(dict.fromkeys(actions.split(",")))
    return tuple(f"{resource}:{','.join(actions)}" for resource, actions in merged.items())


def challenge_scopes(challenge: Challenge) -> tuple[str, ...]:
    """The scopes that a challenge asks for; what is no `type:name:actions` is left out."""
    found = challenge.parameters.get("scope", "").split()[:MAX_CHALLENGE_SCOPES]
    return tuple(text for text in found if text.count(":") >= 2 and _VISIBLE.fullmatch(text))


def basic_login(credential: Credential) -> Authorization:
    """User and password, or an identity token where there is no password."""
    username, password = credential.username, credential.password
    if password is None and credential.identity_token is not None:
        username, password = username or TOKEN_USER, credential.identity_token
    return Authorization.basic(username, NOTHING if password is None else password)


def fetch_token(ask: TokenAsk, send: Send) -> Token:
    """Get one token. Raises AuthenticationError where the login is refused, never trying without it instead."""
    if ask.credential is not None and ask.credential.identity_token is not None:
        status, body = _exchange(_form_request(ask, ask.credential.identity_token), ask, send)
        if status not in _EXCHANGE_REFUSED:
            return _believed(status, body, ask)
    return _believed(*_exchange(_query_request(ask), ask, send), ask)


def parse_token(body: bytes) -> Token:
    """A token server's answer: `token` or `access_token`, and `expires_in` in seconds. Raises ProtocolError."""
    try:
        data = {} if has_too_many_values(body) else json.loads(body)
    except (ValueError, RecursionError):
        raise ProtocolError("the token server's answer is not JSON") from None
    found = (data.get("token") or data.get("access_token")) if isinstance(data, dict) else None
    if not isinstance(found, str) or len(found) > MAX_TOKEN_LENGTH or not _VISIBLE.fullmatch(found):
        raise ProtocolError("the token server's answer has no usable token")
    return Token(Secret.literal(found, "the token server"), _lifetime_seconds(data.get("expires_in")))


def _lifetime_seconds(found: Any) -> float:
    """Less than 60 counts as 60, as the specification says; so does what is no number."""
    if (
        isinstance(found, bool)
        or not isinstance(found, int | float)
        or (isinstance(found, float) and math.isnan(found))
    ):
        return MIN_LIFETIME_SECONDS
    return float(min(max(found, MIN_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS))


def _query_request(ask: TokenAsk) -> Request:
    """Keep whatever query the realm has; one `scope` for each resource."""
    pairs = [("service", ask.service)] if ask.service else []
    query = urlencode(pairs + [("scope", scope) for scope in ask.scopes])
    separator = "" if not query or ask.realm.endswith(("?", "&")) else "&" if "?" in ask.realm else "?"
    login = None if ask.credential is None else basic_login(ask.credential)
    return Request("GET", parse_address(f"{ask.realm}{separator}{query}"), OPERATION, _ACCEPT, authorization=login)


def _form_request(ask: TokenAsk, identity_token: Secret) -> Request:
    form = {
        "grant_type": "refresh_token",
        "service": ask.service,
        "client_id": CLIENT_ID,
        "scope": " ".join(ask.scopes),
        "refresh_token": identity_token.reveal(),
    }
    headers = {**_ACCEPT, "Content-Type": "application/x-www-form-urlencoded"}
    return Request("POST", parse_address(ask.realm), OPERATION, headers, urlencode(form).encode())


def _exchange(request: Request, ask: TokenAsk, send: Send) -> tuple[int, bytes]:
    with closing(send(request)) as response:
        if response.status != 200:
            return response.status, b""
        body = bytearray()
        for piece in response.body:
            body += piece
            if len(body) > MAX_ANSWER_BYTES:
                raise _protocol_error(f"the token server's answer has over {MAX_ANSWER_BYTES} bytes", ask)
        return response.status, bytes(body)


def _believed(status: int, body: bytes, ask: TokenAsk) -> Token:
    if status != 200:
        raise _refusal(status, ask)
    try:
        return parse_token(body)
    except ProtocolError as error:
        raise _protocol_error(error.message, ask) from None


def _refusal(status: int, ask: TokenAsk) -> StoreError:
    message = f"the token server answered {status} for {ask.subject}"
    if status in {400, 401, 403}:
        return AuthenticationError(
            message, hint=_login_hint(ask, status), operation=OPERATION, reference=ask.reference, status=status
        )
    if 300 <= status < 400:
        return _protocol_error(f"{message}: a redirect, which a login does not follow", ask, status)
    kinds: dict[int, type[StoreError]] = {408: NetworkError, 429: LimitError}
    kind = kinds.get(status, NetworkError if status >= 500 else ProtocolError)
    return kind(message, operation=OPERATION, reference=ask.reference, status=status)


def _login_hint(ask: TokenAsk, status: int) -> str:
    if ask.credential is None:
        return f"log in with `imagesync login {ask.host}`"
    if status == 400 and any(scope.count("/") > 1 for scope in ask.scopes):
        return "check the login, and the name: old versions of Quay take none with more than one '/'"
    if ask.credential.rights is None or not ask.scopes:
        return "check the login, and what it has a right to"
    return needs_right(ask.credential.rights.needed_for(ask.scopes[:1]))


def _protocol_error(message: str, ask: TokenAsk, status: int | None = None) -> ProtocolError:
    return ProtocolError(message, operation=OPERATION, reference=ask.reference, status=status)
