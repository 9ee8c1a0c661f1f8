"""Session: one upload under way at the server, a file that grows request by request, and whose turn it is.

A client whose connection was cut asks how far it has come and goes on, while the server may not have noticed yet
that the other connection is dead: the later request takes over, and the earlier one adds nothing more.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from imagesync.errors import NotFoundError, StoreError
from imagesync.layout.files import copy_pieces, file_errors
from imagesync.lazy import dataclass, field
from imagesync.server.http import Request

SETTLE_SECONDS = 2.0
"""How long a request waits for one before it: of one that was cut there may be bytes still to come."""


@dataclass(slots=True)
class Session:
    """One upload. `size_bytes` is what has come of it, `name` the repository that it belongs to."""

    name: str
    path: Path
    hasher: hashlib._Hash = field(default_factory=hashlib.sha256)
    size_bytes: int = 0
    touched: float = field(default_factory=time.monotonic)
    is_ended: bool = False
    _writer: Request | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def settle(self) -> None:
        """Wait for the request that is adding to this, but not for ever."""
        with self._changed:
            self._changed.wait_for(lambda: self._writer is None, SETTLE_SECONDS)

    @contextmanager
    def turn(self, request: Request) -> Iterator[bool]:
        """The turn of a request to add its bytes; False where they are not the next ones. Raises NotFoundError."""
        self.settle()
        with self._changed:
            if self.is_ended:
                raise no_session()
            is_next = _is_in_order(request, self)
            self._writer = request if is_next else self._writer
        try:
            yield is_next
        finally:
            self._leave(request)

    def append(self, request: Request) -> None:
        """Take over the body of a request in its turn; what came before it was cut stays, and counts."""
        expected, start = request.content_length, self.size_bytes
        with file_errors("upload", self.name), self.path.open("ab") as file:
            for piece in request.pieces():
                self._add(request, file, piece)
        if expected is not None and self.size_bytes - start != expected:
            raise StoreError("the body ended too early", status=400, code="SIZE_INVALID")

    def end(self, request: Request) -> None:
        """Let nobody add any more, so that what is hashed is what is stored."""
        with self._changed:
            self._check_turn(request)
            self.is_ended = True

    def digest(self, algorithm: str) -> str:
        """The digest of all that came."""
        if algorithm == self.hasher.name:
            return f"{algorithm}:{self.hasher.hexdigest()}"
        hasher = hashlib.new(algorithm)
        with file_errors("upload", self.name):
            for piece in copy_pieces(self.path):
                hasher.update(piece)
        return f"{algorithm}:{hasher.hexdigest()}"

    def _add(self, request: Request, file: BinaryIO, piece: bytes) -> None:
        with self._changed:
            self._check_turn(request)
            file.write(piece)
            file.flush()
            self.hasher.update(piece)
            self.size_bytes += len(piece)
            self.touched = time.monotonic()

    def _check_turn(self, request: Request) -> None:
        if self._writer is not request:
            raise StoreError("another request goes on with this upload", status=409, code="BLOB_UPLOAD_INVALID")

    def _leave(self, request: Request) -> None:
        with self._changed:
            if self._writer is request:
                self._writer = None
                self._changed.notify_all()


def no_session() -> NotFoundError:
    return NotFoundError("there is no such upload", status=404, code="BLOB_UPLOAD_UNKNOWN")


def _is_in_order(request: Request, session: Session) -> bool:
    """Whether a piece starts where the last one ended and is as long as it says. Without a place it always does."""
    header = request.header("Content-Range")
    if header is None:
        return True
    match = re.fullmatch(r"(\d{1,19})-(\d{1,19})", header, re.ASCII)
    if match is None:
        raise StoreError("Content-Range is not FIRST-LAST", status=400, code="BLOB_UPLOAD_INVALID")
    first, last = int(match[1]), int(match[2])
    length = request.content_length
    return first == session.size_bytes and (length is None or last - first + 1 == length)
