"""What a host's name stands for: looked up once a connection, so that what was checked is what is connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

MAX_TRIED = 8
"""Addresses of one name that are tried: each may take the whole time that a connection has."""


class SocketAddress(NamedTuple):
    """One address of a server: `ip` is what it is judged by, the rest what a socket connects with."""

    ip: str
    family: int
    address: Any


LookUp = Callable[[str, int], Sequence[SocketAddress]]
"""Host and port to every address that they have. Raises OSError."""


def look_up(host: str, port: int) -> Sequence[SocketAddress]:
    """Ask the system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(SocketAddress(str(address[0]), family, address) for family, _, _, _, address in found)
