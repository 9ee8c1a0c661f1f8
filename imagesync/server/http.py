"""Request and Response of the server, and how an error becomes the JSON body that registries answer with.

Distribution spec, "Error Codes". Nothing here knows about images.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qs

from imagesync.errors import (
    IntegrityError,
    LimitError,
    NotFoundError,
    StoreError,
    UnsupportedError,
)
from imagesync.lazy import dataclass, field
from imagesync.store import CHUNK_BYTES

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
_STATUSES: tuple[tuple[type[StoreError], int, str], ...] = (
    (NotFoundError, 404, "NAME_UNKNOWN"),
    (UnsupportedError, 405, "UNSUPPORTED"),
    (LimitError, 507, "TOOBIG"),
    (IntegrityError, 500, "UNKNOWN"),
)


class WsgiApp(Protocol):
    """A WSGI application (PEP 3333)."""

    def __call__(self, environ: Environ, start_response: StartResponse, /) -> Iterable[bytes]: ...


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `query` holds the first value of each name, `body` the bytes that are still to be read."""

    method: str
    path: str
    query: Mapping[str, str]
    environ: Environ = field(repr=False)

    @classmethod
    def from_environ(cls, environ: Environ) -> Request:
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        firsts = {name: values[0] for name, values in query.items()}
        return cls(environ["REQUEST_METHOD"], environ["PATH_INFO"], firsts, environ)

    def header(self, name: str) -> str | None:
        key = name.upper().replace("-", "_")
        found = self.environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}")
        return found if isinstance(found, str) else None

    @property
    def content_length(self) -> int | None:
        text = self.header("Content-Length")
        return int(text) if text and text.isascii() and text.isdigit() else None

    @property
    def body(self) -> BinaryIO:
        stream: BinaryIO = self.environ["wsgi.input"]
        return stream

    @property
    def origin(self) -> str:
        """Scheme and host as the client wrote them."""
        return f"{self.environ['wsgi.url_scheme']}://{self.environ.get('HTTP_HOST', 'localhost')}"

    def pieces(self) -> Iterator[bytes]:
        """The body, CHUNK_BYTES at a time."""
        while piece := self.body.read(CHUNK_BYTES):
            yield piece


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. A body that is no bytes object needs a Content-Length in `headers`."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""

    @classmethod
    def json(cls, document: object, headers: Mapping[str, str] | None = None, *, status: int = 200) -> Response:
        return cls(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(document).encode())

    def send(self, request: Request, start_response: StartResponse) -> Iterable[bytes]:
        headers = {"Docker-Distribution-API-Version": "registry/2.0", **self.headers}
        if isinstance(self.body, bytes) and self.status != 204:
            headers.setdefault("Content-Length", str(len(self.body)))
        _drain(request)
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", list(headers.items()))
        if request.method == "HEAD" or self.status == 204:
            close = getattr(self.body, "close", None)
            if close is not None:
                close()
            return []
        return [self.body] if isinstance(self.body, bytes) else self.body


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of an error body."""

    code: str
    message: str
    detail: Mapping[str, Any] | None = None


def refusal(status: int, *faults: Fault, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that says what was wrong, as registries say it."""
    errors = [{"code": fault.code, "message": fault.message, "detail": fault.detail} for fault in faults]
    return Response.json({"errors": errors}, headers, status=status)


def refusal_of(error: StoreError) -> Response:
    """The answer for an error; what its raiser did not say is filled in by its class."""
    status, code = next(
        ((status, code) for kind, status, code in _STATUSES if isinstance(error, kind)), (500, "UNKNOWN")
    )
    message = error.message if error.status or status < 500 else "the registry's storage failed"
    return refusal(error.status or status, Fault(error.code or code, message))


def _drain(request: Request) -> None:
    """Read and drop what is left of a body: the server would else read it into memory to reach the next request."""
    for _ in request.pieces():
        pass
