"""A server of a few lines that plays one connection after another, byte by byte as a test says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Self

Play = Callable[[socket.socket], object]


class WireServer:
    """Hands each connection to the next of `plays`, the last one to all that follow. `received` keeps what came."""

    def __init__(self, *plays: Play) -> None:
        self._plays = list(plays)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.connections = 0
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for opened in self._open:
            try:
                opened.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                opened, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(opened)
            play = self._plays[min(self.connections, len(self._plays) - 1)]
            self.connections += 1
            self._start(lambda opened=opened, play=play: self._run(play, opened))  # type: ignore[misc]

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target)
        self._threads.append(thread)
        thread.start()

    @staticmethod
    def _run(play: Play, opened: socket.socket) -> None:
        with opened:
            try:
                play(opened)
            except OSError:
                return


def read_head(opened: socket.socket) -> bytes:
    """The request line and headers, and whatever of the body came along."""
    data = b""
    while b"\r\n\r\n" not in data and (piece := opened.recv(65536)):
        data += piece
    return data


def read_all(opened: socket.socket, body_bytes: int) -> bytes:
    """The request with a body of this many bytes."""
    data = read_head(opened)
    while len(data.partition(b"\r\n\r\n")[2]) < body_bytes and (piece := opened.recv(65536)):
        data += piece
    return data


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
