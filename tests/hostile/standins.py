"""Standins: the hosts that lies name. They write down all they get, and answer as a thief would."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import Self

from tests.hostile.asked import Asked, read_asked, reply

LOOPBACK, METADATA = "inside.example", "169.254.169.254"
PUBLIC = "thief.example"
TLS_HELLO = b"\x16"
_BODY = b'{"token": "stolen-token", "tags": ["stolen"], "manifests": []}'


class Standin:
    """One host. `connections` counts those that were opened, be they used or not. Whoever speaks TLS is answered so
    where there is a certificate, and else not at all."""

    def __init__(self, name: str, tls: ssl.SSLContext | None = None) -> None:
        self.name = name
        self._tls = tls
        self.asked: list[Asked] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    @property
    def host(self) -> str:
        return f"{self.name}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start_accepting()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for opened in self._open:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start_accepting(self) -> None:
        self._threads.append(threading.Thread(target=self._accept, daemon=True))
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                opened, _ = self._listener.accept()
                self.connections += 1
                self._open.append(opened)
                thread = threading.Thread(target=self._serve, args=(opened,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, opened: socket.socket) -> None:
        with opened, suppress(OSError):
            is_tls = opened.recv(1, socket.MSG_PEEK) == TLS_HELLO
            if not is_tls:
                self._listen(opened)
            elif self._tls is not None:
                self._listen(self._tls.wrap_socket(opened, server_side=True))

    def _listen(self, opened: socket.socket) -> None:
        with opened, opened.makefile("rb") as stream:
            while (asked := read_asked(stream)) is not None:
                self.asked.append(asked)
                opened.sendall(reply(asked, "200 OK", [("Content-Type", "application/json")], _BODY))
