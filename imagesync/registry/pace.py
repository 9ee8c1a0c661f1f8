"""How slowly a server may answer, and take what it is sent: a head has a time to be there, a body a least rate, and
one that is kept in memory a time as well.

A socket's timeout starts anew with every byte, so that one line after the other, `100 Continue` for ever, or a body
that trickles would never end. What is timed is the waiting alone: a body may be large, and its reader slow.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from math import inf
from typing import TYPE_CHECKING, cast

from imagesync.registry.framing import FramedAnswer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Receive = Callable[[memoryview], int]
"""Fills a buffer with what comes, as far as it comes at once; returns how many bytes that were, 0 at the end."""
LEAST_RATE = 1024
"""Bytes a second, on average over as long as the socket's timeout."""
SENT_BYTES = 256 * 1024
"""The most that is handed to a socket at once: between two of them is looked how long they took."""


class TooSlow(TimeoutError):
    """A server that sends, and not so that it would ever come to an end."""


class PacedAnswer(FramedAnswer):
    """An answer whose head has to be there within the socket's timeout, and whose body keeps up LEAST_RATE, and
    is there after `body_seconds` of waiting.

    Raises TimeoutError, TooSlow among them, where that is not so.
    """

    def __init__(self, opened: socket.socket, method: str, body_seconds: float = inf) -> None:
        self._arriving = _Arriving(_receiver_of(opened), _seconds_of(opened))
        self._body_seconds = body_seconds
        super().__init__(io.BufferedReader(self._arriving), method)

    def begin(self) -> None:
        super().begin()
        self._arriving.begin_body(self._body_seconds)


def send_paced(opened: socket.socket, pieces: Iterable[bytes]) -> None:
    """Send all pieces. Raises TimeoutError, TooSlow too, where they are not taken at LEAST_RATE."""
    pace = _Pace(_seconds_of(opened), "were taken")
    for piece in pieces:
        left = memoryview(piece)
        while left:
            began = time.monotonic()
            sent = opened.send(left[:SENT_BYTES])
            pace.moved(sent, time.monotonic() - began)
            left = left[sent:]


def _seconds_of(opened: socket.socket) -> float:
    seconds = opened.gettimeout()
    return inf if seconds is None else seconds


def _receiver_of(opened: socket.socket) -> Receive:
    """What fills a buffer, with as few calls in between as can be: TLS gives 16 KiB at a time, so that a large blob
    comes in tens of thousands of them."""
    if isinstance(opened, ssl.SSLSocket):
        read = opened.read
        return lambda buffer: cast("int", read(len(buffer), buffer))
    return opened.recv_into


class _Arriving(io.RawIOBase):
    """What arrives in a socket: a head within `seconds`, and then a body."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._pace = _Pace(seconds, "came")
        self._until = time.monotonic() + seconds
        self._body_seconds: float | None = None
        """What is left of the time that a body has; None before it begins."""

    def begin_body(self, seconds: float) -> None:
        """The head is there."""
        self._body_seconds = seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        began = time.monotonic()
        if self._body_seconds is None:
            if began > self._until:
                raise TooSlow("the head of the answer did not come to an end")
            return self._receive(memoryview(buffer))
        if self._body_seconds < 0:
            raise TooSlow("the answer did not come to an end")
        came = self._receive(memoryview(buffer))
        waited = time.monotonic() - began
        self._body_seconds -= waited
        self._pace.moved(came, waited)
        return came


class _Pace:
    """Whether bytes keep up LEAST_RATE over each stretch of `seconds` that was waited for them."""

    def __init__(self, seconds: float, verb: str) -> None:
        self._seconds = seconds
        self._verb = verb
        self._waited = 0.0
        self._moved = 0

    def moved(self, size_bytes: int, waited_seconds: float) -> None:
        """So many bytes more, after so long. Raises TooSlow."""
        self._waited += waited_seconds
        self._moved += size_bytes
        if self._waited <= self._seconds:
            return
        if self._moved < self._waited * LEAST_RATE:
            raise TooSlow(f"{self._moved} bytes {self._verb} in {self._waited:.0f} s")
        self._waited, self._moved = 0.0, 0
