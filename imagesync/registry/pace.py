"""How slowly a server may answer: its head has a time to be there, its body a least rate.

A socket's timeout starts anew with every byte, so that one line after the other, `100 Continue` for ever, or a body
that trickles would never end. What is timed is the waiting alone: a body may be large, and its reader slow.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from imagesync.registry.framing import FramedAnswer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Receive = Callable[[memoryview], int]
"""Fills a buffer with what comes, as far as it comes at once; returns how many bytes that were, 0 at the end."""
LEAST_RATE = 1024
"""Bytes a second, on average over as long as the socket's timeout."""


class TooSlow(TimeoutError):
    """A server that sends, and not so that it would ever come to an end."""


class PacedAnswer(FramedAnswer):
    """An answer whose head has to be there within the socket's timeout, and whose body keeps up LEAST_RATE.

    Raises TimeoutError, TooSlow among them, where that is not so.
    """

    def __init__(self, opened: socket.socket, method: str) -> None:
        self._arriving = _Arriving(_receiver_of(opened), opened.gettimeout())
        super().__init__(io.BufferedReader(self._arriving), method)

    def begin(self) -> None:
        super().begin()
        self._arriving.is_body = True


def _receiver_of(opened: socket.socket) -> Receive:
    """What fills a buffer, with as few calls in between as can be: TLS gives 16 KiB at a time, so that a large blob
    comes in tens of thousands of them."""
    if isinstance(opened, ssl.SSLSocket):
        read = opened.read
        return lambda buffer: cast("int", read(len(buffer), buffer))
    return opened.recv_into


class _Arriving(io.RawIOBase):
    """What arrives in a socket: a head within `seconds`, and then a body; None of them is for ever."""

    def __init__(self, receive: Receive, seconds: float | None) -> None:
        self._receive = receive
        self._seconds = float("inf") if seconds is None else seconds
        self._until = time.monotonic() + self._seconds
        self._waited = 0.0
        self._came = 0
        self.is_body = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        began = time.monotonic()
        if not self.is_body:
            if began > self._until:
                raise TooSlow("the head of the answer did not come to an end")
            return self._receive(memoryview(buffer))
        came = self._receive(memoryview(buffer))
        self._waited += time.monotonic() - began
        self._came += came
        if self._waited > self._seconds:
            self._check_rate()
        return came

    def _check_rate(self) -> None:
        if self._came < self._waited * LEAST_RATE:
            raise TooSlow(f"{self._came} bytes came in {self._waited:.0f} s")
        self._waited, self._came = 0.0, 0
