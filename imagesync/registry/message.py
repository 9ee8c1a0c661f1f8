"""One HTTP exchange as values: what is asked, and what was answered. Nothing is sent from here.

Targets are kept letter by letter and bodies as they are: no value here decodes, encodes or follows anything.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Protocol

from imagesync.lazy import dataclass, field, replace
from imagesync.registry.headers import Headers
from imagesync.registry.origin import Address
from imagesync.settings import Secret

MAX_DRAINED_BYTES = 64 * 1024
PROXY_HEADER = "Proxy-Authorization"


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a request logs in with: a scheme, and what follows it in the header (RFC 9110, 11.4)."""

    scheme: str
    credentials: Secret

    @classmethod
    def basic(cls, username: str, password: Secret) -> Authorization:
        pair = f"{username}:{password.reveal()}".encode("utf-8", "surrogatepass")
        return cls("Basic", Secret.literal(b64encode(pair).decode("ascii"), password.origin))

    @classmethod
    def bearer(cls, token: Secret) -> Authorization:
        return cls("Bearer", token)

    def reveal(self) -> str:
        """The value of the header. Call it only to send that."""
        return f"{self.scheme} {self.credentials.reveal()}"


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out. `operation` is its kind, to count it by. Its repr shows no secret: addresses may be signed.

    A body in pieces can be sent a single time, and its length must stand in the headers.
    """

    method: str
    address: Address = field(repr=False)
    operation: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | Iterator[bytes] = field(default=b"", repr=False)
    authorization: Authorization | None = None

    @property
    def has_body(self) -> bool:
        """Whether anything follows the head."""
        return bool(self.body) if isinstance(self.body, bytes) else self.headers.get("Content-Length") != "0"

    def with_header(self, name: str, value: str) -> Request:
        """The same request with one header set."""
        return replace(self, headers={**self.headers, name: value})

    def with_login(self, authorization: Authorization | None) -> Request:
        """The same request, logged in like this."""
        return replace(self, authorization=authorization)


class Body(Protocol):
    """The pieces of an answer's body, as they arrive. A generator is one."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. The body is not read yet; whoever has the response closes it."""

    status: int
    headers: Headers
    body: Body = field(repr=False)

    def close(self) -> None:
        """Let go of the connection: it is kept if the body was read to its end."""
        self.body.close()

    def drain(self) -> None:
        """Read a little of what nobody needs, so that the connection can be kept, and close."""
        size = 0
        with closing(self):
            for piece in self.body:
                size += len(piece)
                if size > MAX_DRAINED_BYTES:
                    break


Send = Callable[[Request], Response]
