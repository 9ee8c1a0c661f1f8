"""Connections: urllib3's, kept by origin while idle; every open socket is known, so that all can be woken.

urllib3's own pool rewrites request targets, which breaks signed addresses; its connections do not. How many
connections there are at once is the caller's business. Requests are sent in transport, not here.
"""

from __future__ import annotations

import socket
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection, ProxyConfig

from imagesync.errors import NetworkError
from imagesync.registry.faults import has_no_tls
from imagesync.registry.origin import Origin
from imagesync.registry.pace import PacedAnswer
from imagesync.registry.proxies import Proxy, proxy_for
from imagesync.registry.tls import TlsContexts
from imagesync.settings import Tls

IDLE_SECONDS = 30.0
"""An idle connection that is older is not used again: load balancers forget them without a word."""
PROBE_SECONDS = 2.0


class Waits(NamedTuple):
    """Seconds to connect, for one piece to be sent, and for one piece to arrive."""

    connect_seconds: float
    write_seconds: float
    read_seconds: float
    is_cleanup: bool = False
    """A connection that may be made even after the shutdown: to take back what a woken thread had begun."""


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


class _Known(HTTPConnection):
    """A connection whose socket is known from before it connects."""

    response_class = PacedAnswer
    live: LiveSockets
    handle: socket.socket | None = None
    auto_open = 0
    is_cleanup = False

    def _new_conn(self) -> socket.socket:
        addresses = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        failure: OSError = OSError("the name has no address")
        for family, kind, protocol, _, address in addresses:
            opened = socket.socket(family, kind, protocol)
            try:
                return self._connected(opened, address)
            except OSError as error:
                self.forget()
                opened.close()
                failure = error
            except BaseException:
                self.forget()
                opened.close()
                raise
        raise failure

    def _connected(self, opened: socket.socket, address: object) -> socket.socket:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.settimeout(self.timeout)
        self.handle = self.live.add(opened, is_cleanup=self.is_cleanup)
        opened.connect(address)  # type: ignore[arg-type]
        return opened

    def forget(self) -> None:
        if self.handle is not None:
            self.live.discard(self.handle)
            self.handle = None


class _Plain(_Known):
    pass


class _Secure(_Known, HTTPSConnection):
    pass


@dataclass(eq=False, slots=True)
class Connection:
    """One connection. `prefix` and `headers` are what a forwarding proxy wants on each request line and request."""

    origin: Origin
    http: _Known
    prefix: str = ""
    headers: Mapping[str, str] | None = None
    is_reused: bool = False
    idle_since: float = 0.0

    @property
    def is_usable(self) -> bool:
        return time.monotonic() - self.idle_since < IDLE_SECONDS and self.http.is_connected

    def close(self) -> None:
        try:
            self.http.close()
        except OSError:
            pass  # what is thrown away may fail as it goes
        finally:
            self.http.forget()


class Connections:
    """Opens connections and keeps idle ones. `tls_for` says how the server at an origin is trusted."""

    def __init__(self, environment: Mapping[str, str], tls_for: Callable[[Origin], Tls]) -> None:
        self._environment = environment
        self._tls_for = tls_for
        self._contexts = TlsContexts(environment)
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        self._live = LiveSockets()
        self._lock = Lock()

    def acquire(self, origin: Origin, waits: Waits) -> Connection:
        """An idle connection to this origin, the last used first, or a new one."""
        while True:
            with self._lock:
                idle = self._idle[origin]
                connection = idle.pop() if idle else None
            if connection is None:
                return self.open(origin, waits)
            if connection.is_usable:
                connection.is_reused = True
                return connection
            connection.close()

    def open(self, origin: Origin, waits: Waits) -> Connection:
        """A new connection. Raises what socket and ssl raise."""
        connection = self._prepare(origin, proxy_for(origin, self._environment))
        connection.http.live = self._live
        connection.http.is_cleanup = waits.is_cleanup
        connection.http.timeout = waits.connect_seconds
        try:
            connection.http.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    def release(self, connection: Connection) -> None:
        """Keep a connection whose answer was read to its end."""
        connection.idle_since = time.monotonic()
        with self._lock:
            self._idle[connection.origin].append(connection)

    def speaks_tls(self, origin: Origin) -> bool:
        """Whether a server speaks TLS: False for a plain answer, and for none within PROBE_SECONDS.

        A certificate that is not trusted is TLS too. Raises OSError where nothing listens.
        """
        try:
            self.open(origin, Waits(PROBE_SECONDS, PROBE_SECONDS, PROBE_SECONDS)).close()
        except ConnectionRefusedError:
            raise
        except OSError as error:
            return not has_no_tls(error)
        return True

    def shutdown(self) -> None:
        """Wake every thread that waits for a server; nothing can be opened any more."""
        self._live.shutdown()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _prepare(self, origin: Origin, proxy: Proxy | None) -> Connection:
        if proxy is None:
            return Connection(origin, self._socket_to(origin, origin))
        if origin.scheme == "http":
            to_proxy = self._socket_to(proxy.origin, proxy.origin)
            return Connection(origin, to_proxy, prefix=str(origin), headers=proxy.headers)
        tunnel = self._socket_to(proxy.origin, origin)
        tunnel.set_tunnel(origin.host, origin.port, proxy.headers, scheme=proxy.origin.scheme)
        return Connection(origin, tunnel)

    def _socket_to(self, peer: Origin, server: Origin) -> _Known:
        """A connection that will be made to `peer` and speaks as `server` wants it."""
        if server.scheme == "http":
            return _Plain(peer.host, peer.port)
        own = self._contexts.context_for(self._tls_for(server))
        if peer is server or peer.scheme == "http":
            return _Secure(peer.host, peer.port, ssl_context=own)
        to_proxy = ProxyConfig(self._contexts.context_for(Tls()), False, None, None)
        return _Secure(peer.host, peer.port, ssl_context=own, proxy_config=to_proxy)
