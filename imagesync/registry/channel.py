"""Channels: a socket to a server, straight or through a proxy's tunnel, plain or in TLS. Each is known from before
it connects, so that all can be woken.

All of it is the standard library's, but for TLS inside TLS, which urllib3 can do.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Sequence
from contextlib import closing, suppress
from threading import Lock

from imagesync.errors import NetworkError
from imagesync.registry.addresses import MAX_TRIED, SocketAddress
from imagesync.registry.message import PROXY_HEADER, Authorization
from imagesync.registry.origin import Origin
from imagesync.registry.pace import PacedAnswer


class LiveSockets:
    """A second handle on every open socket: shutting that down wakes a thread that waits in the first (an event
    does not), whatever TLS objects are wrapped around it."""

    def __init__(self) -> None:
        self._handles: set[socket.socket] = set()
        self._is_shut = False
        self._lock = Lock()

    def add(self, opened: socket.socket, *, is_cleanup: bool = False) -> socket.socket:
        handle = opened.dup()
        with self._lock:
            is_shut = self._is_shut and not is_cleanup
            if not is_shut:
                self._handles.add(handle)
        if is_shut:
            handle.close()
            raise NetworkError("connections are shut down")
        return handle

    def discard(self, handle: socket.socket) -> None:
        with self._lock:
            self._handles.discard(handle)
        handle.close()

    def shutdown(self) -> None:
        """Wake every thread that waits in a socket; it sees its connection closed. New ones are refused, but for
        those of cleanups."""
        with self._lock:
            self._is_shut = True
            for handle in self._handles:
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)


class Channel:
    """A socket, and what is wrapped around it. Its methods raise what socket and ssl raise."""

    socket: socket.socket

    def __init__(self, live: LiveSockets, seconds: float, *, is_cleanup: bool = False) -> None:
        self._live = live
        self._seconds = seconds
        self._is_cleanup = is_cleanup
        self._handle: socket.socket | None = None

    def connect(self, addresses: Sequence[SocketAddress]) -> str:
        """Connect to the first of these addresses that can be reached, and say which that is."""
        failure = OSError("the name has no address")
        for ip, family, address in addresses[:MAX_TRIED]:
            self.socket = socket.socket(family, socket.SOCK_STREAM)
            try:
                self._connect(address)
            except OSError as error:
                self.close()
                failure = error
            else:
                return ip
        raise failure

    def _connect(self, address: object) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(self._seconds)
        self._handle = self._live.add(self.socket, is_cleanup=self._is_cleanup)
        self.socket.connect(address)  # type: ignore[arg-type]

    def tunnel(self, server: Origin, login: Authorization | None) -> None:
        """Have the proxy at the other end pass everything on to a server."""
        target = f"[{server.host}]:{server.port}" if ":" in server.host else f"{server.host}:{server.port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if login is not None:
            lines.append(f"{PROXY_HEADER}: {login.reveal()}")
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        with closing(PacedAnswer(self.socket, "CONNECT")) as answer:
            answer.begin()
        if answer.status // 100 != 2:
            raise OSError(f"the proxy answered {answer.status} to CONNECT")

    def secure(self, server: Origin, context: ssl.SSLContext) -> None:
        """Speak TLS from here on, with whom the certificate must be for. An absolute name has no dot there."""
        name = server.host.rstrip(".")
        if isinstance(self.socket, ssl.SSLSocket):
            from urllib3.util.ssltransport import SSLTransport  # noqa: PLC0415 - slow, and seldom needed

            self.socket = SSLTransport(self.socket, context, name)  # type: ignore[assignment]
        else:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)

    @property
    def has_news(self) -> bool:
        """Whether something has come that nobody asked for; mostly that is the other end closing."""
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        return bool(waiting.poll(0))

    def close(self) -> None:
        """Close the socket, if there is one; once is enough."""
        try:
            if hasattr(self, "socket"):
                self.socket.close()
        except OSError:
            pass  # what is thrown away may fail as it goes
        finally:
            if self._handle is not None:
                self._live.discard(self._handle)
                self._handle = None
