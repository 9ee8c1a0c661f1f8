"""Origins, and the addresses that a server names: Location and Link, taken letter by letter.

A signed query may not change by one letter, so nothing here decodes, encodes or sorts. Pure: no request is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from imagesync.errors import ProtocolError
from imagesync.redaction import redacted

MAX_ADDRESS_LENGTH = 16 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)")
_VISIBLE = re.compile(r"[!-~]+")
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5})?)?")
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s;,=\"]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]*))", re.IGNORECASE)


class Origin(NamedTuple):
    """Who is spoken to: what credentials are bound to, and connections are kept for."""

    scheme: str
    host: str
    """Lower case; an IPv6 address without its brackets."""
    port: int

    @classmethod
    def of(cls, scheme: str, authority: str) -> Origin:
        """From `host[:port]`. Raises ProtocolError for user names, other schemes and ports that do not exist."""
        scheme = scheme.lower()
        match = _HOST_AND_PORT.fullmatch(authority)
        if scheme not in _DEFAULT_PORTS or match is None:
            raise ProtocolError(f"address {_shown(f'{scheme}://{authority}')} is not http or https to a plain host")
        port = int(match[2] or _DEFAULT_PORTS[scheme])
        if not 1 <= port <= 65535:
            raise ProtocolError(f"port {port} is not between 1 and 65535")
        return cls(scheme, match[1].strip("[]").lower(), port)

    @property
    def bare_host(self) -> str:
        """The host as it is written before a port."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def authority(self) -> str:
        """`host[:port]`, the port only where it is not the usual one."""
        return self.bare_host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.bare_host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Address(NamedTuple):
    """Where a request goes: `target` is the path and query as they stand on the request line."""

    origin: Origin
    target: str

    @property
    def path(self) -> str:
        """Without the query, which may hold a signature: what messages may show."""
        return self.target.partition("?")[0]

    def __repr__(self) -> str:
        return f"Address({self.origin}{self.path})"

    def with_parameter(self, name: str, value: str) -> Address:
        """The same address with one more query parameter behind what is there; the value must need no escaping."""
        separator = "" if self.target.endswith(("?", "&")) else "&" if "?" in self.target else "?"
        return self._replace(target=f"{self.target}{separator}{name}={value}")


def resolve_address(base: Address, text: str) -> Address:
    """Where a Location or Link points to, seen from the request that was answered with it.

    A plain-http address of the very host that was asked by https stays https: a registry behind a proxy that
    ends TLS does not know better. Raises ProtocolError for what is no address, or has a user name in it.
    """
    text = text.strip(" \t").partition("#")[0]
    if len(text) > MAX_ADDRESS_LENGTH or not _VISIBLE.fullmatch(text):
        raise ProtocolError(f"{_shown(text)} is not an address")
    if text.startswith("//"):
        text = f"{base.origin.scheme}:{text}"
    if not _ABSOLUTE.fullmatch(text):
        return Address(base.origin, _relative_target(base, text))
    origin, target = parse_address(text)
    return Address(base.origin if _is_same_behind_tls(base.origin, origin) else origin, target)


def redirected(asked: Address, status: int, location: str | None) -> Address:
    """Where a redirect leads, seen from what was asked. Raises ProtocolError, also for one that leaves TLS."""
    if not location:
        raise ProtocolError(f"a redirect ({status}) without a Location")
    found = resolve_address(asked, location)
    if asked.origin.scheme == "https" and found.origin.scheme != "https":
        raise ProtocolError(f"a redirect from https to plain http at {found.origin.authority} is refused")
    return found


def parse_address(text: str) -> Address:
    """An address with scheme and host. Raises ProtocolError for any other."""
    absolute = _ABSOLUTE.fullmatch(text)
    if absolute is None:
        raise ProtocolError(f"address {_shown(text)} is not http or https to a plain host")
    target = absolute[3] if absolute[3].startswith("/") else f"/{absolute[3]}"
    return Address(Origin.of(absolute[1], absolute[2]), target)


def next_link(values: Sequence[str]) -> str | None:
    """The address of the first `rel=next` in Link headers (RFC 8288), or None where there is no further page."""
    for value in values:
        for link in _LINK.finditer(value[:MAX_ADDRESS_LENGTH]):
            relation = _RELATION.search(link[2])
            if relation and "next" in (relation[1] or relation[2] or "").lower().split():
                return link[1]
    return None


def _relative_target(base: Address, text: str) -> str:
    if text.startswith("/"):
        return text
    if text.startswith("?"):
        return base.path + text
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
        raise ProtocolError(f"address {_shown(text)} is not http or https to a plain host")
    return f"{base.path.rpartition('/')[0]}/{text}"


def _is_same_behind_tls(asked: Origin, named: Origin) -> bool:
    if (asked.scheme, named.scheme) != ("https", "http") or asked.host != named.host:
        return False
    return named.port == asked.port or (named.port, asked.port) == (80, 443)


def _shown(text: str) -> str:
    """For messages: escaped, short, and without the query, which may hold a signature, or a user's password."""
    return ascii(redacted(text.partition("?")[0])[:120])
