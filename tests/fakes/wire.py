"""Wire: a TCP proxy that breaks what HTTP cannot be scripted to break. Tests and the benchmark share it.

It cuts, resets, stalls, slows down, delays and corrupts, by the number of a connection or for all that follow.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Self

_PIECE_BYTES = 64 * 1024
_LOOK_SECONDS = 0.05
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends RST in place of FIN."""


class Ending(Enum):
    """What happens once `after_bytes` have passed."""

    CUT = "cut"
    RESET = "reset"
    STALL = "stall"


@dataclass(frozen=True)
class Fault:
    """What is done to one connection; counts are of bytes from the server to the client, from its start.

    `is_upload` turns the direction of `ending`, `after_bytes` and `corrupt_at` round. `bytes_per_second` holds
    in both directions. `connect_seconds` passes before the server is reached, `response_seconds` before each
    first piece of an answer. `round_trip_seconds` is distance: half of it passes before each first piece of a
    request, half before each first piece of an answer, and all of it before a connection is there.
    """

    ending: Ending | None = None
    after_bytes: int = 0
    corrupt_at: int | None = None
    bytes_per_second: float | None = None
    connect_seconds: float = 0.0
    response_seconds: float = 0.0
    round_trip_seconds: float = 0.0
    is_upload: bool = False


CLEAN = Fault()


class Wire:
    """A proxy on a free loopback port in front of `target` (`address:port`). Use it in a `with`.

    `fault` holds for every connection opened from when it is set; `faults` maps the number of a connection, from
    1, to the fault of that one alone.
    """

    def __init__(self, target: str) -> None:
        address, _, port = target.rpartition(":")
        self._target = (address.strip("[]"), int(port))
        self.fault = CLEAN
        self.faults: dict[int, Fault] = {}
        self.connections = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(_LOOK_SECONDS)

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, to be used in the target's place."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> Self:
        self._spawn(self._accept)
        return self

    def stop(self) -> None:
        """Close every connection and wait for the threads."""
        self._stopping.set()
        self.cut_all()
        while self._threads:
            self._threads.pop().join()
        self._listener.close()

    def cut_all(self, *, is_reset: bool = False) -> None:
        """End every open connection now."""
        with self._lock:
            sockets = list(self._sockets)
        for found in sockets:
            _end(found, is_reset=is_reset)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _spawn(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                client, _ = self._listener.accept()
                self.connections += 1
                self._spawn(self._connect, client, self.faults.get(self.connections, self.fault))

    def _connect(self, client: socket.socket, fault: Fault) -> None:
        with client:
            self._stopping.wait(fault.connect_seconds + fault.round_trip_seconds)
            try:
                server = socket.create_connection(self._target, timeout=10)
            except OSError:
                return
            with server:
                self._relay(client, server, fault)

    def _relay(self, client: socket.socket, server: socket.socket, fault: Fault) -> None:
        for found in (client, server):
            found.settimeout(None)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._sockets |= {client, server}
        up = _Direction(client, server, fault if fault.is_upload else _only_pace(fault), self._stopping)
        down = _Direction(server, client, _only_pace(fault) if fault.is_upload else fault, self._stopping)
        up.delay_seconds = fault.round_trip_seconds / 2
        down.delay_seconds = fault.response_seconds + fault.round_trip_seconds / 2
        up.before_piece, down.before_piece = down.rearm, up.rearm
        other = self._spawn(up.run)
        down.run()
        other.join()
        with self._lock:
            self._sockets -= {client, server}


class _Direction:
    """The bytes that go one way through one connection."""

    def __init__(self, source: socket.socket, target: socket.socket, fault: Fault, stopping: threading.Event) -> None:
        self._source, self._target, self._fault, self._stopping = source, target, fault, stopping
        self._passed = 0
        self._is_armed = True
        self.delay_seconds = 0.0
        self.before_piece: Callable[[], None] = lambda: None

    def rearm(self) -> None:
        """The other direction has spoken: what comes next is a new request or answer, and is delayed again."""
        self._is_armed = True

    def run(self) -> None:
        """Pass pieces on until one side closes or the fault ends it. Both sides are closed for writing then."""
        with suppress(OSError):
            while piece := self._source.recv(_PIECE_BYTES):
                self.before_piece()
                if not self._pass_on(piece):
                    return
        with suppress(OSError):
            self._target.shutdown(socket.SHUT_WR)

    def _pass_on(self, piece: bytes) -> bool:
        if self._is_armed and self.delay_seconds:
            self._is_armed = False
            self._stopping.wait(self.delay_seconds)
        ending = self._fault.ending
        room = len(piece) if ending is None else max(0, self._fault.after_bytes - self._passed)
        self._send(self._corrupted(piece[:room]))
        if ending is None or room >= len(piece):
            return True
        self._finish(ending)
        return False

    def _send(self, piece: bytes) -> None:
        rate = self._fault.bytes_per_second
        step = len(piece) if rate is None else max(1, int(rate * _LOOK_SECONDS))
        for start in range(0, len(piece), max(1, step)):
            part = piece[start : start + step]
            self._target.sendall(part)
            self._passed += len(part)
            if rate is not None:
                self._stopping.wait(len(part) / rate)

    def _corrupted(self, piece: bytes) -> bytes:
        place = self._fault.corrupt_at
        if place is None or not self._passed <= place < self._passed + len(piece):
            return piece
        position = place - self._passed
        return piece[:position] + bytes([piece[position] ^ 0xFF]) + piece[position + 1 :]

    def _finish(self, ending: Ending) -> None:
        if ending is Ending.STALL:
            while not self._stopping.is_set() and _is_open(self._target):
                time.sleep(_LOOK_SECONDS)
        for found in (self._source, self._target):
            _end(found, is_reset=ending is Ending.RESET)


def _only_pace(fault: Fault) -> Fault:
    return Fault(bytes_per_second=fault.bytes_per_second)


def _end(found: socket.socket, *, is_reset: bool) -> None:
    """End a connection from another thread than the one that reads it."""
    with suppress(OSError):
        if is_reset:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        found.shutdown(socket.SHUT_RD if is_reset else socket.SHUT_RDWR)


def _is_open(found: socket.socket) -> bool:
    """Whether the other side is still there: nothing is taken from what it sent."""
    try:
        return found.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
