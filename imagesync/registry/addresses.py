"""What a host's name stands for: looked up once a connection, so that what was checked is what is connected to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from imagesync.errors import NetworkError
from imagesync.registry.origin import Origin

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
    """Ask the system. A name of a server is ASCII; of text Python would load its tables of all of Unicode."""
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return tuple(SocketAddress(str(address[0]), family, address) for family, _, _, _, address in found)


def look_up_within(seconds: float, find: LookUp, origin: Origin) -> Sequence[SocketAddress]:
    """Look a name up; a name server that does not answer is waited for so long and no longer. Raises
    NetworkError."""
    answer: SimpleQueue[Sequence[SocketAddress] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            answer.put(find(origin.host, origin.port))
        except (OSError, UnicodeError) as error:
            answer.put(error if isinstance(error, OSError) else OSError("this is no name that can be looked up"))

    # The system's resolver cannot be told to stop: its thread is left to itself.
    threading.Thread(target=ask, daemon=True, name="imagesync-look-up").start()
    try:
        found = answer.get(timeout=seconds)
    except Empty:
        raise NetworkError(
            f"no answer from the name server within {seconds:g} s for {origin.host}",
            hint="check the name server in /etc/resolv.conf",
        ) from None
    if isinstance(found, OSError):
        raise NetworkError(f"the name {origin.host} has no address: {found.strerror or found}") from found
    return found
