"""Connections: opened straight or through a proxy, and kept by origin while idle.

How many connections there are at once is the caller's business. Requests are sent in transport, not here.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from math import inf
from threading import Lock
from typing import NamedTuple

from imagesync.lazy import dataclass
from imagesync.registry.addresses import LookUp, look_up
from imagesync.registry.channel import Channel, LiveSockets
from imagesync.registry.faults import has_no_tls
from imagesync.registry.guard import UNGUARDED, Watch
from imagesync.registry.message import Authorization
from imagesync.registry.origin import Origin
from imagesync.registry.proxies import Proxy, proxy_for
from imagesync.registry.tls import TlsContexts
from imagesync.settings import Tls, TlsMode

IDLE_SECONDS = 30.0
"""An idle connection that is older is not used again: load balancers forget them without a word."""
PROBE_SECONDS = 2.0


class Waits(NamedTuple):
    """Seconds to connect, for one piece to be sent, for one piece to arrive, and for the body of an answer."""

    connect_seconds: float
    write_seconds: float
    read_seconds: float
    body_seconds: float = inf
    is_cleanup: bool = False
    """A connection that may be made even after the shutdown: to take back what a woken thread had begun."""


@dataclass(eq=False, slots=True)
class Connection:
    """One connection. `prefix` and `proxy_login` are what a forwarding proxy wants on each request line and request."""

    origin: Origin
    channel: Channel
    prefix: str = ""
    proxy_login: Authorization | None = None
    ips: tuple[str, ...] = ()
    """Every address that its server's name had, the one that it leads to first; none where a proxy looked it up."""
    is_reused: bool = False
    idle_since: float = 0.0

    @property
    def is_usable(self) -> bool:
        return time.monotonic() - self.idle_since < IDLE_SECONDS and not self.channel.has_news

    def close(self) -> None:
        self.channel.close()


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a new connection goes, how the server there is trusted, and who looks at its addresses."""

    origin: Origin
    tls_for: Callable[[Origin], Tls]
    watch: Watch


class Connections:
    """Opens connections and keeps idle ones. `tls_for` says how the server at an origin is trusted.

    `find` is asked for the addresses of each name, once a connection: those that were looked at are connected to.
    """

    def __init__(
        self, environment: Mapping[str, str], tls_for: Callable[[Origin], Tls], *, find: LookUp = look_up
    ) -> None:
        self._environment = environment
        self._tls_for = tls_for
        self._find = find
        self._contexts = TlsContexts(environment)
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        self._live = LiveSockets()
        self._lock = Lock()

    def acquire(self, origin: Origin, waits: Waits, watch: Watch = UNGUARDED) -> Connection:
        """An idle connection to this origin, the last used first, or a new one. One that was opened for another
        registry is looked at as a new one is."""
        while True:
            with self._lock:
                idle = self._idle[origin]
                connection = idle.pop() if idle else None
            if connection is None:
                return self.open(origin, waits, watch)
            if connection.is_usable:
                return _reused(connection, watch)
            connection.close()

    def open(self, origin: Origin, waits: Waits, watch: Watch = UNGUARDED) -> Connection:
        """A new connection. Raises what socket and ssl raise, and what `watch` raises before anything is sent."""
        return self._open(_Way(origin, self._tls_for, watch), waits)

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
            self._open(_Way(origin, lambda _origin: Tls(TlsMode.INSECURE), UNGUARDED), waits).close()
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

    def _open(self, way: _Way, waits: Waits) -> Connection:
        channel = Channel(self._live, waits.connect_seconds, is_cleanup=waits.is_cleanup)
        try:
            proxy = proxy_for(way.origin, self._environment)
            if proxy is None:
                return Connection(way.origin, channel, ips=self._reach(channel, way))
            way.watch.check(())
            return self._behind(proxy, channel, way)
        except BaseException:
            channel.close()
            raise

    def _behind(self, proxy: Proxy, channel: Channel, way: _Way) -> Connection:
        """A connection through a proxy, which looks the server's name up itself."""
        origin = way.origin
        if origin.scheme == "http":
            self._reach(channel, _Way(proxy.origin, way.tls_for, UNGUARDED))
            return Connection(origin, channel, prefix=str(origin), proxy_login=proxy.authorization)
        context = self._contexts.context_for(way.tls_for(origin))
        self._reach(channel, _Way(proxy.origin, lambda _origin: Tls(), UNGUARDED))
        channel.tunnel(origin, proxy.authorization)
        channel.secure(origin, context)
        return Connection(origin, channel)

    def _reach(self, channel: Channel, way: _Way) -> tuple[str, ...]:
        """Connect to an address that was looked at, and say which the name has, that one first. A certificate file
        that cannot be read is an error before that."""
        peer = way.origin
        context = self._contexts.context_for(way.tls_for(peer)) if peer.scheme == "https" else None
        addresses = self._find(peer.host, peer.port)
        ips = [address.ip for address in addresses]
        way.watch.check(ips)
        reached = channel.connect(addresses)
        if context is not None:
            channel.secure(peer, context)
        way.watch.reached(reached)
        return (reached, *ips)


def _reused(connection: Connection, watch: Watch) -> Connection:
    try:
        watch.check(connection.ips)
    except BaseException:
        connection.close()
        raise
    for ip in connection.ips[:1]:
        watch.reached(ip)
    connection.is_reused = True
    return connection
