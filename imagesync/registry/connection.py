"""Connections: opened straight or through a proxy, and kept by origin while idle.

How many connections there are at once is the caller's business. Requests are sent in transport, not here.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from imagesync.registry.channel import Channel, LiveSockets
from imagesync.registry.faults import has_no_tls
from imagesync.registry.message import Authorization
from imagesync.registry.origin import Origin
from imagesync.registry.proxies import proxy_for
from imagesync.registry.tls import TlsContexts
from imagesync.settings import Tls, TlsMode

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


@dataclass(eq=False, slots=True)
class Connection:
    """One connection. `prefix` and `proxy_login` are what a forwarding proxy wants on each request line and request."""

    origin: Origin
    channel: Channel
    prefix: str = ""
    proxy_login: Authorization | None = None
    is_reused: bool = False
    idle_since: float = 0.0

    @property
    def is_usable(self) -> bool:
        return time.monotonic() - self.idle_since < IDLE_SECONDS and not self.channel.has_news

    def close(self) -> None:
        self.channel.close()


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
        return self._open(origin, waits, self._tls_for)

    def release(self, connection: Connection) -> None:
        """Keep a connection whose answer was read to its end."""
        connection.idle_since = time.monotonic()
        with self._lock:
            self._idle[connection.origin].append(connection)

    def speaks_tls(self, origin: Origin) -> bool:
        """Whether a server speaks TLS: False for a plain answer, and for none within PROBE_SECONDS.

        A certificate that is not trusted is TLS too, so that no authorities are read for this. Raises OSError where
        nothing listens.
        """
        waits = Waits(PROBE_SECONDS, PROBE_SECONDS, PROBE_SECONDS)
        try:
            self._open(origin, waits, lambda _origin: Tls(TlsMode.INSECURE)).close()
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

    def _open(self, origin: Origin, waits: Waits, tls_for: Callable[[Origin], Tls]) -> Connection:
        channel = Channel(self._live, waits.connect_seconds, is_cleanup=waits.is_cleanup)
        try:
            return self._connected(channel, origin, tls_for)
        except BaseException:
            channel.close()
            raise

    def _connected(self, channel: Channel, origin: Origin, tls_for: Callable[[Origin], Tls]) -> Connection:
        proxy = proxy_for(origin, self._environment)
        if proxy is None:
            self._reach(channel, origin, tls_for)
            return Connection(origin, channel)
        if origin.scheme == "http":
            self._reach(channel, proxy.origin, tls_for)
            return Connection(origin, channel, prefix=str(origin), proxy_login=proxy.authorization)
        context = self._contexts.context_for(tls_for(origin))
        self._reach(channel, proxy.origin, lambda _origin: Tls())
        channel.tunnel(origin, proxy.authorization)
        channel.secure(origin, context)
        return Connection(origin, channel)

    def _reach(self, channel: Channel, peer: Origin, tls_for: Callable[[Origin], Tls]) -> None:
        """Connect; a certificate file that cannot be read is an error before that."""
        context = self._contexts.context_for(tls_for(peer)) if peer.scheme == "https" else None
        channel.connect(peer)
        if context is not None:
            channel.secure(peer, context)
