"""Where the body of an answer ends (RFC 9112, 6.3): http.client's answer, its head read strictly by head_lines."""

from __future__ import annotations

import http.client
from socket import socket

from imagesync.registry.head_lines import read_headers, read_status
from imagesync.registry.headers import Headers

_SWITCHING_PROTOCOLS = 101


class FramedAnswer(http.client.HTTPResponse):
    """An answer that knows how long it is. `fields` are its headers."""

    fields: Headers

    def __init__(self, sock: socket, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._asked_by = method

    def begin(self) -> None:
        """Read the head; interim answers before it are passed over."""
        minor, self.status = read_status(self.fp)
        while self._is_interim:
            read_headers(self.fp)
            minor, self.status = read_status(self.fp)
        self.version = 11 if minor else 10
        self.fields = read_headers(self.fp)
        self.chunked = self.fields.get("Transfer-Encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = self._body_length()
        self.will_close = self._is_last()

    def read(self, amt: int | None = None) -> bytes:
        """At most `amt` bytes. Raises IncompleteRead where fewer come than were announced."""
        piece = super().read(amt)
        if not piece and amt and self.length:
            raise http.client.IncompleteRead(b"", self.length)
        return piece

    def _read_next_chunk_size(self) -> int:
        size_bytes: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size_bytes < 0:  # -1 would be read as: all that comes, at once
            raise ValueError("a chunk of less than nothing")
        return size_bytes

    @property
    def _is_interim(self) -> bool:
        return self.status < 200 and self.status != _SWITCHING_PROTOCOLS

    def _body_length(self) -> int | None:
        """None where the chunks say it, or the end of the connection."""
        announced = None if self.chunked else _content_length(self.fields)
        has_none = self._asked_by == "HEAD" or self.status < 200 or self.status in (204, 304)
        return 0 if has_none else announced

    def _is_last(self) -> bool:
        """Whether no further answer will come on this connection."""
        connection = self.fields.get("Connection", "").lower()
        if "close" in connection or (self.version == 10 and "keep-alive" not in connection):
            return True
        return self.length is None and not self.chunked


def _content_length(fields: Headers) -> int | None:
    """What Content-Length says; None where that is no number. Two that differ are an attack, or a broken proxy."""
    values = {value.strip() for value in fields.get("Content-Length", "").split(",")}
    if len(values) > 1:
        raise http.client.HTTPException("more than one Content-Length")
    value = values.pop()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 20 else None
