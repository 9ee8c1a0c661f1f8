"""The transport: sends one request over one connection, and yields its answer in large pieces.

Targets go out letter by letter, bodies with a Content-Length, answers come in undecoded. No retries but one,
for a kept connection that the server had closed meanwhile. No credentials, no redirects, no cookies.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from socket import socket

from imagesync.errors import ProtocolError
from imagesync.registry.connection import Connection, Connections, Waits
from imagesync.registry.faults import translated
from imagesync.registry.guard import UNGUARDED, Watch
from imagesync.registry.message import PROXY_HEADER, Request, Response
from imagesync.registry.pace import PacedAnswer, send_paced
from imagesync.store import CHUNK_BYTES

MAX_ERROR_BYTES = 64 * 1024
"""How much is read of an answer that is no success."""

_CLOSED_BY_SERVER = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_RESENDABLE = frozenset({"GET", "HEAD", "DELETE"})
"""What is harmless when the server had done it before it hung up. A PUT commits an upload, and that only once."""
_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})
"""Methods that say so when their body is empty."""
_VISIBLE = re.compile(r"[!-~]+")
_UNSENDABLE = re.compile(r"[^\t -~\x80-\xff]")


class Transport:
    """One way for all requests: content, logins and tokens. Raises StoreError for all that goes wrong on the wire."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def send(self, request: Request, waits: Waits, watch: Watch = UNGUARDED) -> Response:
        """Send a request and wait for the head of its answer. `watch` looks at whom it goes to before anything does."""
        origin = request.address.origin
        with translated(origin.authority):
            connection = self._connections.acquire(origin, waits, watch)
            try:
                answer = _exchange(connection, request, waits)
            except _CLOSED_BY_SERVER:
                if not connection.is_reused or request.method not in _RESENDABLE:
                    raise
                connection = self._connections.open(origin, waits, watch)
                answer = _exchange(connection, request, waits)
        return Response(answer.status, answer.fields, AnswerBody(answer, connection, self._connections))


class AnswerBody:
    """The body of an answer, at most CHUNK_BYTES at a time; of an error no more than MAX_ERROR_BYTES.

    Closing it keeps the connection if the body was read to its end, and closes the connection otherwise.
    """

    def __init__(self, answer: PacedAnswer, connection: Connection, connections: Connections) -> None:
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
        # An answer that failed may look like one that was read to its end.
        if self._answer.is_ended and not self._answer.will_close and not self._is_broken:
            self._connections.release(self._connection)
        else:
            self._answer.close()
            self._connection.close()

    def _read(self, size_bytes: int) -> bytes:
        try:
            with translated(self._connection.origin.authority):
                return self._answer.read(size_bytes)
        except BaseException:
            self._is_broken = True
            raise


def _exchange(connection: Connection, request: Request, waits: Waits) -> PacedAnswer:
    """Send the request and read the head of its answer; where that fails, the connection is closed."""
    try:
        opened = connection.channel.socket
        _allow(opened, waits.write_seconds)
        _send(opened, request, _head(connection, request))
        _allow(opened, waits.read_seconds)
        return _begun(PacedAnswer(opened, request.method, waits.body_seconds))
    except BaseException:
        connection.close()
        raise


def _begun(answer: PacedAnswer) -> PacedAnswer:
    try:
        answer.begin()
    except BaseException:
        answer.close()
        raise
    return answer


def _allow(opened: socket, seconds: float) -> None:
    if opened.gettimeout() != seconds:  # to set it is a call of the system
        opened.settimeout(seconds)


def _send(opened: socket, request: Request, head: bytes) -> None:
    try:
        if isinstance(request.body, bytes):
            send_paced(opened, [head + request.body])
        else:
            opened.sendall(head)
            if request.has_body:
                send_paced(opened, request.body)
    except _CLOSED_BY_SERVER:
        if not request.has_body:
            raise
        # A server that refuses a body may answer before it has read it all; the answer says why.


def _head(connection: Connection, request: Request) -> bytes:
    """The request line and the headers, up to the empty line."""
    target = request.address.target
    if not _VISIBLE.fullmatch(target):
        raise ProtocolError("the address holds what is not ASCII, or a space")
    lines = [f"{request.method} {connection.prefix}{target} HTTP/1.1"]
    for name, value in _headers(connection, request).items():
        if _UNSENDABLE.search(value):
            raise ProtocolError(f"header {name} would hold a control character")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _headers(connection: Connection, request: Request) -> dict[str, str]:
    headers = {"Host": request.address.origin.authority, "Accept-Encoding": "identity", **request.headers}
    if isinstance(request.body, bytes):
        if request.body or request.method in _WITH_BODY:
            headers["Content-Length"] = str(len(request.body))
    elif "Content-Length" not in headers:
        raise ProtocolError("a body is sent with its length, or not at all")
    if request.authorization is not None:
        headers["Authorization"] = request.authorization.reveal()
    if connection.proxy_login is not None:
        headers[PROXY_HEADER] = connection.proxy_login.reveal()
    return headers
