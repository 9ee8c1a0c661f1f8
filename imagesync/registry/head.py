"""How long a server may take for the head of an answer: status line, headers, and whatever comes before them.

A socket's timeout starts anew with every byte, so that one line after the other, or `100 Continue` for ever, would
never end. The body is not timed here: it may be large.
"""

from __future__ import annotations

import io
import socket
import time
from typing import TYPE_CHECKING, Any

from imagesync.registry.framing import FramedAnswer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class TimedAnswer(FramedAnswer):
    """An answer whose head has to be there within the socket's timeout. Raises TimeoutError where it is not."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self._arriving = _Arriving(self.fp.detach(), sock.gettimeout())
        self.fp = io.BufferedReader(self._arriving)

    def begin(self) -> None:
        super().begin()
        self._arriving.until = None


class _Arriving(io.RawIOBase):
    """What arrives in a socket, `until` a moment of the monotonic clock, or for ever where that is None."""

    def __init__(self, raw: io.RawIOBase, seconds: float | None) -> None:
        self._raw = raw
        self.until = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self.until is not None and time.monotonic() > self.until:
            raise TimeoutError("the head of the answer did not come to an end")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
