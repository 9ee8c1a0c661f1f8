"""Reach: from how far away an IP address can be spoken to. Names are looked up elsewhere.

An address that carries another one inside (IPv4-mapped, NAT64, 6to4, Teredo) is as near as the one it carries.
"""

from __future__ import annotations

import re
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Ip = IPv4Address | IPv6Address


class Reach(IntEnum):
    """The nearer, the less. What is NOWHERE is no server's address: unspecified, multicast, reserved.

    Nothing lifts a refusal of NOWHERE and of LINK_LOCAL: no token server and no storage is there.
    """

    NOWHERE = 0
    LOOPBACK = 1
    LINK_LOCAL = 2
    """Metadata services of clouds too, wherever their address lies: they give out logins to whoever asks."""
    PRIVATE = 3
    """Carrier-grade NAT, documentation and all else that is not routed everywhere."""
    PUBLIC = 4

    @property
    def may_be_named(self) -> bool:
        """Whether a server may send us there at all."""
        return self not in (Reach.NOWHERE, Reach.LINK_LOCAL)

    def __str__(self) -> str:
        return _WORDS[self]


_WORDS = {
    Reach.NOWHERE: "reserved",
    Reach.LOOPBACK: "loopback",
    Reach.LINK_LOCAL: "link-local",
    Reach.PRIVATE: "private",
    Reach.PUBLIC: "public",
}
_HEXADECIMAL = re.compile(r"0[xX][0-9A-Fa-f]{1,16}")
_DIGITS = re.compile(r"0[0-7]{0,24}|[1-9][0-9]{0,18}")
_METADATA = frozenset(
    map(
        ip_address,
        ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    )
)
"""AWS and Google over IPv6, Alibaba, Azure, Oracle. The usual one, 169.254.169.254, is link-local by itself."""
_THIS_NETWORK = ip_network("0.0.0.0/8")
_GLOBAL_UNICAST = ip_network("2000::/3")
"""What is assigned of IPv6 to be routed everywhere (RFC 4291, 2.4)."""
_LAST_32_BITS = tuple(map(ip_network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
"""IPv4-compatible, IPv4-mapped, IPv4-translated (RFC 6145), NAT64 (RFC 6052)."""
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")


def reach_of(address: str) -> Reach:
    """How far an IP address, as `getaddrinfo` writes it, can be reached from. What is none is NOWHERE."""
    try:
        return _reach(ip_address(address.partition("%")[0]))  # behind it stands an interface
    except ValueError:
        return Reach.NOWHERE


def literal_address(host: str) -> str | None:
    """The IP address that a host is by itself, in whatever spelling systems take (`0x7f.1`, `2130706433`, `127.1`,
    a dot at the end); None for a name. `localhost` and all below it are loopback (RFC 6761)."""
    bare = host.removesuffix(".")
    if bare == "localhost" or bare.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ip_address(bare.strip("[]")))
    except ValueError:
        return _odd_literal(bare)


def _odd_literal(host: str) -> str | None:
    """As `inet_aton` reads it: one to four numbers, the last one for all bytes that are left."""
    *first, last = [_number(part) for part in host.split(".")[:5]]
    width = 8 * (4 - len(first))
    if width <= 0 or last is None or last >= 2**width or any(part is None or part > 255 for part in first):
        return None
    high = sum((part or 0) << (24 - 8 * place) for place, part in enumerate(first))
    return str(IPv4Address(high + last))


def _number(text: str) -> int | None:
    """Decimal, octal behind a 0, hexadecimal behind 0x."""
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    return int(text, 8 if text.startswith("0") else 10) if _DIGITS.fullmatch(text) else None


def _reach(ip: Ip) -> Reach:
    if ip in _METADATA:
        return Reach.LINK_LOCAL
    if isinstance(ip, IPv6Address) and (inner := _carried(ip)) is not None:
        return min(_reach(inner), Reach.PRIVATE) if ip in _LOCAL_NAT64 else _reach(inner)
    if ip.is_loopback:
        return Reach.LOOPBACK
    if ip.is_link_local:
        return Reach.LINK_LOCAL
    if ip.is_unspecified or ip.is_multicast or ip in _THIS_NETWORK or (ip.version == 4 and ip.is_reserved):
        return Reach.NOWHERE
    is_routed = ip.is_global and (ip.version == 4 or ip in _GLOBAL_UNICAST)
    return Reach.PUBLIC if is_routed else Reach.PRIVATE


def _carried(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this one end at."""
    if ip.is_loopback or ip.is_unspecified:
        return None
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if ip in _LOCAL_NAT64 or any(ip in network for network in _LAST_32_BITS):
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return None
