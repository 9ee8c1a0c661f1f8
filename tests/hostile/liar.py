"""Liar: a registry on a socket of its own that is honest everywhere but at one endpoint, where it tells one lie."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Self

from tests.hostile.asked import Asked, Fields, read_asked, reply
from tests.hostile.endpoints import Endpoint
from tests.hostile.standins import TLS_HELLO

Tell = Callable[["Asked", "Truth"], Iterator[bytes]]
"""The bytes of an answer, however many; after the last of them the connection is closed."""
PASSWORD = "liars-own-password"
BASIC = "Basic bGlhcjpsaWFycy1vd24tcGFzc3dvcmQ="
TOKEN = "liars-own-token"


class Truth:
    """The registry behind a liar: what an honest answer would have been, and whether the liar is still there."""

    def __init__(self, target: str, stopping: threading.Event) -> None:
        self._target = target
        self.stopping = stopping

    def answer(self, asked: Asked) -> tuple[str, Fields, bytes]:
        """Status, headers and body of the honest registry."""
        headers = {name: text for name, text in asked.headers.items() if name not in ("authorization", "connection")}
        target = asked.target.replace("/stored/", f"/v2/{Endpoint.STORAGE.value}/blobs/")
        with closing(HTTPConnection(self._target, timeout=30)) as connection:
            connection.request(asked.method, target, asked.body, headers)
            response = connection.getresponse()
            fields = [(name, text) for name, text in response.getheaders() if name.lower() != "transfer-encoding"]
            return f"{response.status} {response.reason}", fields, response.read()


@dataclass(frozen=True)
class Lie:
    """`tell` makes the answer. What is `told_at_once` is told to a request without a login, too; before any other lie
    the liar asks for its login, so that there is one to be stolen."""

    tell: Tell
    told_at_once: bool = False


class Liar:
    """`endpoint` is where it tells its lie. `asked` keeps what it got. With `tls` it speaks that, and never says that
    it ends. Use it in a `with`."""

    def __init__(
        self,
        endpoint: Endpoint,
        lie: Lie,
        target: str,
        elsewhere: Mapping[str, str],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.asked: list[Asked] = []
        self.told = 0
        self._lie = lie
        self._elsewhere = elsewhere
        self._tls = tls
        self._stopping = threading.Event()
        self._truth = Truth(target, self._stopping)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def host(self) -> str:
        """Its name and port, as they stand in a spec."""
        return f"{self.endpoint.value}.liar.example:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            opened = list(self._open)
        for one in opened:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                opened, _ = self._listener.accept()
            except OSError:
                return
            self._start(lambda opened=opened: self._greet(opened))  # type: ignore[misc]

    def _greet(self, opened: socket.socket) -> None:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._known(opened), suppress(OSError):
            if self._tls is not None:
                self._serve(self._tls.wrap_socket(opened, server_side=True))
            elif opened.recv(1, socket.MSG_PEEK) == TLS_HELLO:
                opened.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            else:
                self._serve(opened)

    def _serve(self, opened: socket.socket) -> None:
        with self._known(opened), suppress(OSError, ValueError), opened.makefile("rb") as stream:
            while (found := read_asked(stream)) is not None and not self._stopping.is_set():
                scheme = "http" if self._tls is None else "https"
                asked = replace(found, host=self.host, scheme=scheme, elsewhere=self._elsewhere)
                self.asked.append(asked)
                if not self._answer(opened, asked):
                    break

    @contextmanager
    def _known(self, opened: socket.socket) -> Iterator[None]:
        """While it is open it is shut down with the liar."""
        with self._lock:
            self._open.add(opened)
        with opened:
            yield
        with self._lock:
            self._open.discard(opened)

    def _answer(self, opened: socket.socket, asked: Asked) -> bool:
        """Whether the connection is good for another request."""
        is_known = self._lie.told_at_once or asked.login in (BASIC, f"Bearer {TOKEN}")
        lure = self.endpoint.lure(asked, is_known=is_known)
        if lure is not None:
            opened.sendall(lure)
            return True
        if not self.endpoint.takes(asked):
            opened.sendall(reply(asked, *self._truth.answer(asked)))
            return True
        self.told += 1
        for piece in self._lie.tell(replace(asked, is_last=True), self._truth):
            opened.sendall(piece)
        return False
