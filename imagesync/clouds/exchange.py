"""One token exchange: a single request over TLS to a single host, and the JSON object that it answers with.

Nothing is followed and no login is left behind: what is sent goes to the host of the address, or nowhere. With the
standard library, since the clouds' libraries are extras and the registry's transport is the registry's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from imagesync import __version__
from imagesync.errors import AuthenticationError, NetworkError, ProtocolError, StoreError, TlsError
from imagesync.lazy import dataclass, field
from imagesync.settings import Secret

if TYPE_CHECKING:
    from ssl import SSLContext
    from urllib.request import Request

Trust = Callable[[], "SSLContext | None"]
"""How a server is trusted: its TLS context, or None for the environment's and the system's authorities."""

TIMEOUT_SECONDS = 30.0
MAX_ANSWER_BYTES = 1024 * 1024
MAX_TOKEN_LENGTH = 64 * 1024
_VISIBLE = re.compile(r"[!-~]+")
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


def usual_trust() -> SSLContext | None:
    """That of a server of which the spec says nothing."""
    return None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is asked of whom. `form` is posted; without one it is a GET. Its repr shows none of it.

    `server` is what to call the other end in messages, `hint` what to do where it refuses.
    """

    server: str
    url: str = field(repr=False)
    hint: str
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    trust: Trust = field(default=usual_trust, repr=False)

    def token(self, name: str) -> Secret:
        """The token that the answer holds under this name. Raises StoreError: AuthenticationError where it is
        refused, NetworkError where trying again may help."""
        found = self.answer().get(name)
        if not isinstance(found, str) or len(found) > MAX_TOKEN_LENGTH or not _VISIBLE.fullmatch(found):
            raise ProtocolError(f"the answer of {self.server} has no usable {name}")
        return Secret.literal(found, self.server)

    def answer(self) -> dict[str, Any]:
        """All of it; empty where it is no JSON object. Raises StoreError."""
        try:
            answer = json.loads(_read(self._request(), self))
        except (ValueError, RecursionError):
            raise ProtocolError(f"the answer of {self.server} is not JSON") from None
        return answer if isinstance(answer, dict) else {}

    def _request(self) -> Request:
        from urllib.request import Request  # noqa: PLC0415 - few runs ask a cloud

        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
            raise AuthenticationError(f"the address of {self.server} is refused: no login goes there but over https")
        headers = {"Accept": "application/json", "User-Agent": f"imagesync/{__version__}", **self.headers}
        body = None if self.form is None else urlencode(self.form).encode()
        return Request(self.url, body, headers)  # noqa: S310 - https, as checked above


def _read(request: Request, exchange: Exchange) -> bytes:
    from http.client import HTTPException  # noqa: PLC0415 - few runs ask a cloud
    from urllib.error import HTTPError  # noqa: PLC0415
    from urllib.request import HTTPRedirectHandler, HTTPSHandler, build_opener  # noqa: PLC0415

    class NoRedirects(HTTPRedirectHandler):
        def redirect_request(self, *_arguments: object, **_keywords: object) -> None:
            """Answered as the refusal that it is here."""

    try:
        opener = build_opener(NoRedirects, HTTPSHandler(context=exchange.trust()))
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            body: bytes = response.read(MAX_ANSWER_BYTES + 1)
    except HTTPError as error:
        with error:
            raise _refusal(error.code, exchange) from None
    except (OSError, HTTPException) as error:
        raise _unreachable(error, exchange) from None
    if len(body) > MAX_ANSWER_BYTES:
        raise ProtocolError(f"the answer of {exchange.server} has over {MAX_ANSWER_BYTES} bytes")
    return body


def _refusal(status: int, exchange: Exchange) -> StoreError:
    message = f"{exchange.server} answered {status}"
    if status in _PASSING:
        return NetworkError(message, status=status)
    if 300 <= status < 400:
        return ProtocolError(f"{message}: a redirect, which a login does not follow", status=status)
    return AuthenticationError(message, hint=exchange.hint, status=status)


def _unreachable(error: Exception, exchange: Exchange) -> StoreError:
    """The kind of error alone: its text may hold what a server, or a proxy's address, said."""
    from ssl import SSLCertVerificationError  # noqa: PLC0415 - few runs ask a cloud

    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, Exception) else error
    if isinstance(cause, SSLCertVerificationError):
        hint = "SSL_CERT_FILE names the authorities to trust, where a proxy has its own; `tls: {ca: FILE}` a registry's"
        return TlsError(f"the certificate of {exchange.server} is not trusted", hint=hint)
    hint = "HTTPS_PROXY says how to get out of here, where that is the reason"
    return NetworkError(f"{exchange.server} cannot be reached: {type(cause).__name__}", hint=hint)
