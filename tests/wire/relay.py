"""Relay: an HTTP proxy in front of one registry that breaks the request a test names, by its method and path.

It stands in front of a fake registry and of a real one alike. What is broken by bytes and connections is fakes.wire's.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends RST in place of FIN."""


class Break(Enum):
    """What happens to one request."""

    ANSWER = "another answer than the registry's; it never hears of the request"
    RESET = "the connection is reset when half of the request's body has come"
    LOSE = "the registry does what it is asked, and its answer is lost"
    CUT = "half of the answer's body comes, and no more"
    CORRUPT_ANSWER = "one byte of the answer's body is another"
    CORRUPT_REQUEST = "one byte of the request's body is another"
    WITHOUT_RANGE = "the registry is not told which range is wanted"
    WITHOUT_QUERY = "the registry is not told what stands behind the question mark: no mount"


@dataclass
class Rule:
    """Holds for `times` requests that fit, after the first `skip`; `broken` counts them."""

    method: str
    path: re.Pattern[str]
    kind: Break
    times: int
    skip: int
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seen: int = 0

    @property
    def broken(self) -> int:
        return min(max(0, self.seen - self.skip), self.times)

    def takes(self, method: str, path: str) -> bool:
        if self.method != method or not self.path.search(path):
            return False
        self.seen += 1
        return self.skip < self.seen <= self.skip + self.times


class Relay:
    """On a free loopback port in front of `target` (`address:port`). Use it in a `with`."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, to be used in the target's place."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def breaks(self, method: str, path: str, kind: Break, *, times: int = 1, skip: int = 0) -> Rule:
        """Break the requests with this method and a path that the regular expression is found in."""
        return self._add(Rule(method, re.compile(path), kind, times, skip))

    def answers(
        self,
        method: str,
        path: str,
        status: int,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        times: int = 1,
        skip: int = 0,
    ) -> Rule:
        """Answer them in the registry's place."""
        return self._add(Rule(method, re.compile(path), Break.ANSWER, times, skip, status, headers or {}, body))

    def rule_for(self, method: str, path: str) -> Rule | None:
        with self._lock:
            return next((rule for rule in self._rules if rule.takes(method, path)), None)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.to_reset: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def shutdown_request(self, request: Any) -> None:
        """Without the FIN that the base class sends first, where a connection is to be reset."""
        if request not in self.to_reset:
            super().shutdown_request(request)
            return
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def relay(self) -> None:
        rule = self.server.relay.rule_for(self.command, self.path)
        kind = rule.kind if rule else None
        length = int(self.headers.get("Content-Length", 0))
        if kind is Break.RESET:
            self.rfile.read(length // 2)
            self._reset()
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        if rule is not None and kind is Break.ANSWER:
            self._send(rule.status, {"Content-Length": str(len(rule.body)), **rule.headers}, rule.body)
            return
        self._pass_on(_corrupted(body) if kind is Break.CORRUPT_REQUEST else body, kind)

    def _pass_on(self, body: bytes, kind: Break | None) -> None:
        left_out = {"connection"} | ({"range"} if kind is Break.WITHOUT_RANGE else set())
        headers = {name: text for name, text in self.headers.items() if name.lower() not in left_out}
        path = self.path.partition("?")[0] if kind is Break.WITHOUT_QUERY else self.path
        upstream = HTTPConnection(self.server.relay.target, timeout=30)
        try:
            upstream.request(self.command, path, body, headers)
            with upstream.getresponse() as response:
                self._answer(response, response.read(), kind)
        finally:
            upstream.close()

    def _answer(self, response: HTTPResponse, body: bytes, kind: Break | None) -> None:
        if kind is Break.LOSE:
            self._reset()
            return
        headers = {name: text for name, text in response.headers.items() if name.lower() != "transfer-encoding"}
        if self.command != "HEAD" and response.status != 204:
            headers["Content-Length"] = str(len(body))
        if kind is Break.CUT:
            body = body[: len(body) // 2]
            self.close_connection = True
        self._send(response.status, headers, _corrupted(body) if kind is Break.CORRUPT_ANSWER else body)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            with suppress(OSError):
                self.wfile.write(body)

    def _reset(self) -> None:
        self.server.to_reset.add(self.connection)
        self.close_connection = True

    def log_message(self, *_arguments: object) -> None:
        """Nothing goes to stderr."""

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = relay  # noqa: N815 - named by the base class


def _corrupted(body: bytes) -> bytes:
    """The same but for one byte in the middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :] if body else body
