"""The transport below httpx: sends one request over one connection, and yields its answer in large pieces.

Targets go out letter by letter, bodies with a Content-Length, answers come in undecoded. No retries but one,
for a kept connection that the server had closed meanwhile. No credentials, no redirects.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator

from urllib3.response import HTTPResponse

from imagesync.errors import ProtocolError
from imagesync.registry.connection import Connection, Connections, Waits
from imagesync.registry.faults import translated
from imagesync.registry.http import httpx
from imagesync.registry.origin import Origin
from imagesync.store import CHUNK_BYTES

MAX_ERROR_BYTES = 64 * 1024
"""How much is read of an answer that is no success."""
CLEANUP = "cleanup"
"""Key of `Request.extensions`: True for a request that may go out even after the shutdown."""
TARGET = "target"
"""Key of `Request.extensions`: the bytes of the request line's target, sent as they are."""

_DEFAULT_SECONDS = 60.0
_CLOSED_BY_SERVER = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_RESENDABLE = frozenset({"GET", "HEAD", "DELETE"})
"""What is harmless when the server had done it before it hung up. A PUT commits an upload, and that only once."""
_UNSENDABLE = re.compile(r"[^\t -~\x80-\xff]")


class UrllibTransport(httpx.BaseTransport):
    """httpx over urllib3's connections. Raises StoreError for all that goes wrong on the wire."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        origin = Origin.of(request.url.scheme, request.url.netloc.decode("ascii"))
        waits = _waits(request)
        with translated(origin.authority):
            connection = self._connections.acquire(origin, waits)
            try:
                answer = _exchange(connection, request, waits)
            except _CLOSED_BY_SERVER:
                connection.close()
                if not connection.is_reused or request.method not in _RESENDABLE:
                    raise
                connection = self._connections.open(origin, waits)
                answer = self._first_exchange(connection, request, waits)
            except BaseException:
                connection.close()
                raise
        return _response(answer, AnswerBody(answer, connection, self._connections))

    def shutdown(self) -> None:
        """Wake every thread that waits for a server; no connection can be opened after it."""
        self._connections.shutdown()

    def close(self) -> None:
        self._connections.close()

    @staticmethod
    def _first_exchange(connection: Connection, request: httpx.Request, waits: Waits) -> HTTPResponse:
        try:
            return _exchange(connection, request, waits)
        except BaseException:
            connection.close()
            raise


class AnswerBody(httpx.SyncByteStream):
    """The body of an answer, at most CHUNK_BYTES at a time; of an error no more than MAX_ERROR_BYTES.

    Closing it keeps the connection if the body was read to its end, and closes the connection otherwise.
    """

    def __init__(self, answer: HTTPResponse, connection: Connection, connections: Connections) -> None:
        self._answer = answer
        self._connection = connection
        self._connections = connections
        self._is_open = True
        self._is_broken = False

    def __iter__(self) -> Iterator[bytes]:
        left = MAX_ERROR_BYTES if self._answer.status >= 300 else None
        while left is None or left > 0:
            piece = self._read(CHUNK_BYTES if left is None else left)
            if not piece:
                return
            left = None if left is None else left - len(piece)
            yield piece

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        # urllib3 closes an answer that failed, so that it looks like one that was read to its end.
        is_finished = self._answer.isclosed() and not self._is_broken and self._connection.http.sock is not None
        if is_finished:
            self._connections.release(self._connection)
        else:
            self._answer.close()
            self._connection.close()

    def _read(self, size_bytes: int) -> bytes:
        try:
            with translated(self._connection.origin.authority):
                return self._answer.read(size_bytes, decode_content=False)
        except BaseException:
            self._is_broken = True
            raise


def _exchange(connection: Connection, request: httpx.Request, waits: Waits) -> HTTPResponse:
    """Send the request and wait for the head of its answer."""
    http, body = connection.http, iter(request.stream) if _has_body(request) else None  # type: ignore[arg-type]
    http.timeout = waits.write_seconds
    try:
        http.request(
            request.method,
            connection.prefix + _target(request),
            body=body,
            headers={**_headers(request), **(connection.headers or {})},
            preload_content=False,
            decode_content=False,
        )
    except _CLOSED_BY_SERVER:
        if body is None:
            raise
        # A server that refuses a body may answer before it has read it all; the answer says why.
    http.timeout = waits.read_seconds
    return http.getresponse()


def _has_body(request: httpx.Request) -> bool:
    if "Transfer-Encoding" in request.headers:
        raise ProtocolError("a body is sent with its length, or not at all")
    return bool(request.headers.get("Content-Length", "0") != "0")


def _target(request: httpx.Request) -> str:
    target: bytes = request.extensions.get(TARGET) or request.url.raw_path
    return target.decode("ascii")


def _headers(request: httpx.Request) -> dict[str, str]:
    headers = dict(request.headers.items())
    for name, value in headers.items():
        if _UNSENDABLE.search(value):
            raise ProtocolError(f"header {name} would hold a control character")
    return headers


def _waits(request: httpx.Request) -> Waits:
    timeouts = request.extensions.get("timeout", {})
    connect, write, read = (timeouts.get(key) or _DEFAULT_SECONDS for key in ("connect", "write", "read"))
    return Waits(connect, write, read, is_cleanup=bool(request.extensions.get(CLEANUP)))


def _response(answer: HTTPResponse, body: AnswerBody) -> httpx.Response:
    # httpx decodes whatever Content-Encoding names; what came is what is hashed, and no error is worth a bomb.
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in answer.headers.iteritems()
        if name.lower() != "content-encoding"
    ]
    return httpx.Response(answer.status, headers=headers, stream=body)
