"""Who may do what: basic logins, or bearer tokens that this server itself gives out at `/token`.

Distribution project, "Token Authentication Specification". A token is its claims and an HMAC over them; the key is
made at the start and never leaves the process. Users are name and password; all of them may do everything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

from imagesync.server.http import Fault, Request, Response, refusal

TOKEN_SECONDS = 300
MAX_FORM_BYTES = 64 * 1024
_SCOPE = re.compile(r"(?P<kind>[a-z]+):(?P<name>.+):(?P<actions>[a-z*,]+)")
_REPOSITORY = re.compile(
    r"/v2/(?P<name>.+)/(?:tags/list|manifests/[^/]+|blobs/[^/]+|blobs/uploads/[^/]*|referrers/[^/]+)"
)
Access = dict[str, set[str]]
"""Actions by resource: `{"repository:a/b": {"pull", "push"}}`."""


class Auth(Protocol):
    def answer(self, request: Request) -> Response | None:
        """None where the request may go on; else what it is answered: a refusal, or a token."""
        ...


class BasicAuth:
    """A user name and password with every request."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = dict(users)

    def answer(self, request: Request) -> Response | None:
        if user_of(request, self._users):
            return None
        return _unauthorized('Basic realm="imagesync registry"', "this registry needs a login")


class TokenAuth:
    """Bearer tokens, each for some actions on some repositories, given to users for their password.

    With `anonymous_pull`, tokens to read are given to everyone. `seconds` is how long a token lasts.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        anonymous_pull: bool = False,
        seconds: int = TOKEN_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._users = dict(users)
        self._anonymous_pull = anonymous_pull
        self._seconds = seconds
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def answer(self, request: Request) -> Response | None:
        if request.path == "/token":
            return self._token(request)
        needed = needed_access(request)
        text = _credentials(request, "bearer")
        claims = self._claims(text) if text else None
        if claims is None:
            return self._challenge(request, needed, "invalid_token" if text else "")
        held = parse_scopes(claims["scopes"])
        if all(actions <= held.get(resource, set()) for resource, actions in needed.items()):
            return None
        return self._challenge(request, needed, "insufficient_scope")

    def _token(self, request: Request) -> Response:
        """GET with a basic login or none; POST with a form (OAuth2), for a password or a refresh token."""
        form = _form(request) if request.method == "POST" else {}
        user = self._form_user(form) if form else user_of(request, self._users)
        if user is None and (form or request.header("Authorization")):
            return _unauthorized('Basic realm="imagesync registry"', "wrong user name or password")
        scopes = self._granted(form.get("scope", []) or _query_scopes(request), user)
        token = self._sign({"user": user or "", "scopes": scopes, "until": self._clock() + self._seconds})
        document: dict[str, Any] = {"token": token, "access_token": token, "expires_in": self._seconds}
        if user and (form.get("access_type") == ["offline"] or request.query.get("offline_token") == "true"):
            document["refresh_token"] = self._sign({"user": user, "refresh": True})
        return Response.json(document)

    def _form_user(self, form: Mapping[str, list[str]]) -> str | None:
        if form.get("grant_type") == ["refresh_token"]:
            claims = self._verified(form.get("refresh_token", [""])[0])
            return claims["user"] if claims and claims.get("refresh") else None
        user, password = form.get("username", [""])[0], form.get("password", [""])[0]
        return user if _is_password(self._users, user, password) else None

    def _granted(self, asked: Iterable[str], user: str | None) -> list[str]:
        if user is not None:
            return list(asked)
        if not self._anonymous_pull:
            return []
        found = parse_scopes(asked)
        return [f"{resource}:pull" for resource, actions in found.items() if "pull" in actions]

    def _challenge(self, request: Request, needed: Access, error: str) -> Response:
        scope = " ".join(f"{resource}:{','.join(sorted(actions))}" for resource, actions in needed.items())
        parts = {"realm": f"{request.origin}/token", "service": "imagesync registry", "scope": scope, "error": error}
        challenge = ",".join(f'{key}="{text}"' for key, text in parts.items() if text)
        return _unauthorized(f"Bearer {challenge}", "this needs a token")

    def _claims(self, text: str) -> dict[str, Any] | None:
        claims = self._verified(text)
        return claims if claims and claims.get("until", 0) > self._clock() else None

    def _sign(self, claims: Mapping[str, Any]) -> str:
        body = base64.urlsafe_b64encode(json.dumps({**claims, "id": secrets.token_hex(4)}).encode()).decode()
        return f"{body}.{self._mac(body)}"

    def _verified(self, text: str) -> dict[str, Any] | None:
        body, _, mac = text.partition(".")
        if not hmac.compare_digest(self._mac(body).encode(), mac.encode()):
            return None
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body))
        return claims

    def _mac(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()


def needed_access(request: Request) -> Access:
    """The actions that a request needs, by resource."""
    if request.path == "/v2/_catalog":
        return {"registry:catalog": {"*"}}
    match = _REPOSITORY.fullmatch(request.path)
    if match is None:
        return {}
    actions = {"GET": {"pull"}, "HEAD": {"pull"}, "DELETE": {"delete"}}.get(request.method, {"pull", "push"})
    if "/blobs/uploads/" in request.path:
        actions = {"pull", "push"}
    needed = {f"repository:{match['name']}": set(actions)}
    source = request.query.get("from")
    if source and "mount" in request.query:
        needed.setdefault(f"repository:{source}", set()).add("pull")
    return needed


def parse_scopes(scopes: Iterable[str]) -> Access:
    """Read `type:name:action,action`, several in one text parted by blanks; what is no scope is left out."""
    access: Access = {}
    for scope in (part for text in scopes for part in text.split()):
        match = _SCOPE.fullmatch(scope)
        if match:
            access.setdefault(f"{match['kind']}:{match['name']}", set()).update(match["actions"].split(","))
    return access


def user_of(request: Request, users: Mapping[str, str]) -> str | None:
    """The user that a basic login names, if the password is right."""
    try:
        text = base64.b64decode(_credentials(request, "basic") or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, _, password = text.partition(":")
    return user if _is_password(users, user, password) else None


def _is_password(users: Mapping[str, str], user: str, password: str) -> bool:
    expected = users.get(user, "")
    return hmac.compare_digest(expected.encode(), password.encode()) and user in users


def _credentials(request: Request, scheme: str) -> str | None:
    found, _, text = (request.header("Authorization") or "").partition(" ")
    return text.strip() if found.lower() == scheme else None


def _query_scopes(request: Request) -> list[str]:
    return parse_qs(request.environ.get("QUERY_STRING", "")).get("scope", [])


def _form(request: Request) -> dict[str, list[str]]:
    raw = request.body.read(min(request.content_length or 0, MAX_FORM_BYTES))
    return parse_qs(raw.decode("utf-8", "replace"))


def _unauthorized(challenge: str, message: str) -> Response:
    return refusal(401, Fault("UNAUTHORIZED", message), headers={"WWW-Authenticate": challenge})
