"""Sounding: how far one gets towards a server before the first request. Name, connection, TLS; for `doctor`.

Nothing is sent but the handshake. A certificate that is not trusted is read all the same, over a connection that is
closed at once, so that it can be said whose it is.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from enum import Enum
from typing import cast

from imagesync.errors import StoreError, UnsupportedError
from imagesync.lazy import dataclass, replace
from imagesync.registry.addresses import MAX_TRIED, LookUp, SocketAddress, look_up_within
from imagesync.registry.certificate import Certificate, read_certificate
from imagesync.registry.channel import Channel, LiveSockets
from imagesync.registry.faults import is_plain_http, translate, translated
from imagesync.registry.origin import Origin
from imagesync.registry.proxies import Proxy, is_left_out, proxy_for
from imagesync.registry.tls import TlsContexts
from imagesync.settings import Tls, TlsMode

LEAST_SECONDS = 1.0
"""However many addresses a name has, each is given this long."""


class Step(Enum):
    """The steps towards a server, in their order."""

    PROXY = "proxy"
    NAME = "name"
    CONNECTION = "connection"
    TLS = "tls"


class Distrust(Enum):
    """Why a handshake failed."""

    ISSUER = "issuer"
    ENDED = "ended"
    NOT_YET = "not yet"
    OTHER_NAME = "other name"
    PLAIN = "plain"
    OTHER = "other"


_BY_VERIFY_CODE = {9: Distrust.NOT_YET, 10: Distrust.ENDED, 62: Distrust.OTHER_NAME, 64: Distrust.OTHER_NAME}
_BY_VERIFY_CODE |= dict.fromkeys((18, 19, 20, 21), Distrust.ISSUER)
"""X509_V_ERR_… of OpenSSL."""


@dataclass(frozen=True, slots=True)
class Sounding:
    """What was learnt on the way. `failed_at` is where it ended, with the `error` that ended it; None: nowhere."""

    origin: Origin
    proxy: Proxy | None = None
    is_left_out: bool = False
    """Whether NO_PROXY, or that it is on loopback, keeps it from a proxy that there is."""
    ips: tuple[str, ...] = ()
    """What the name stands for: the server's, or the proxy's where there is one."""
    reached: str = ""
    """Which of them was connected to."""
    tls_version: str = ""
    certificate: Certificate | None = None
    failed_at: Step | None = None
    error: StoreError | None = None
    distrust: Distrust | None = None


class Sounder:
    """Sounds servers. `tls_for` says how the one at an origin is trusted; no step takes longer than `step_seconds`."""

    def __init__(
        self,
        environment: Mapping[str, str],
        tls_for: Callable[[Origin], Tls],
        *,
        find: LookUp,
        step_seconds: float,
    ) -> None:
        self._environment = environment
        self._tls_for = tls_for
        self._find = find
        self._step_seconds = step_seconds
        self._contexts = TlsContexts(environment)
        self._live = LiveSockets()

    def sound(self, origin: Origin) -> Sounding:
        """Go as far as one gets. Raises nothing of what may go wrong there."""
        begun = Sounding(origin)
        try:
            proxy = proxy_for(origin, self._environment)
        except UnsupportedError as error:
            return replace(begun, failed_at=Step.PROXY, error=error)
        begun = replace(begun, proxy=proxy, is_left_out=is_left_out(origin, self._environment))
        peer = proxy.origin if proxy else origin
        try:
            addresses = look_up_within(self._step_seconds, self._find, peer)
        except StoreError as error:
            return replace(begun, failed_at=Step.NAME, error=error)
        return self._connected(replace(begun, ips=tuple(dict.fromkeys(one.ip for one in addresses))), addresses)

    def _connected(self, begun: Sounding, addresses: Sequence[SocketAddress]) -> Sounding:
        peer = begun.proxy.origin if begun.proxy else begun.origin
        with closing(self._channel(addresses)) as channel:
            try:
                with translated(peer.authority):
                    reached = self._reach(channel, begun, addresses)
            except StoreError as error:
                return replace(begun, failed_at=Step.CONNECTION, error=error)
            begun = replace(begun, reached=reached)
            return self._secured(begun, channel, addresses) if begun.origin.scheme == "https" else begun

    def _secured(self, begun: Sounding, channel: Channel, addresses: Sequence[SocketAddress]) -> Sounding:
        host = begun.origin.authority
        try:
            with translated(host):
                context = self._contexts.context_for(self._tls_for(begun.origin))
            channel.secure(begun.origin, context)
        except StoreError as error:
            return replace(begun, failed_at=Step.TLS, error=error, distrust=Distrust.OTHER)
        except OSError as error:
            failed = replace(begun, failed_at=Step.TLS, error=translate(error, host), distrust=_distrust(error))
            is_distrusted = isinstance(error, ssl.SSLCertVerificationError)
            return replace(failed, certificate=self._unverified(begun, addresses)) if is_distrusted else failed
        return replace(begun, tls_version=_secured(channel).version() or "", certificate=_certificate(channel))

    def _unverified(self, begun: Sounding, addresses: Sequence[SocketAddress]) -> Certificate | None:
        """The certificate that was not trusted, to say of whom it is; nothing is sent to who has it."""
        with closing(self._channel(addresses)) as channel:
            try:
                self._reach(channel, begun, addresses)
                channel.secure(begun.origin, self._contexts.context_for(Tls(TlsMode.INSECURE)))
                return _certificate(channel)
            except (OSError, StoreError):
                return None

    def _channel(self, addresses: Sequence[SocketAddress]) -> Channel:
        return Channel(self._live, max(LEAST_SECONDS, self._step_seconds / max(1, min(len(addresses), MAX_TRIED))))

    def _reach(self, channel: Channel, begun: Sounding, addresses: Sequence[SocketAddress]) -> str:
        reached = channel.connect(addresses)
        if begun.proxy is not None:
            if begun.proxy.origin.scheme == "https":
                channel.secure(begun.proxy.origin, self._contexts.context_for(Tls()))
            if begun.origin.scheme == "https":
                channel.tunnel(begun.origin, begun.proxy.authorization)
        return reached


def _secured(channel: Channel) -> ssl.SSLSocket:
    """What TLS inside TLS is made of has the same methods."""
    return cast("ssl.SSLSocket", channel.socket)


def _certificate(channel: Channel) -> Certificate | None:
    return read_certificate(_secured(channel).getpeercert(binary_form=True))


def _distrust(error: OSError) -> Distrust:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFY_CODE.get(error.verify_code, Distrust.OTHER)
    return Distrust.PLAIN if is_plain_http(error) else Distrust.OTHER
