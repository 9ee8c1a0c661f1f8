"""Asked: one request as a liar got it, and the bytes of an answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """`host` is the name that the liar was asked under; `elsewhere` the hosts that it may name instead. `is_last` says
    that the connection is closed after the answer."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    host: str = ""
    scheme: str = "http"
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    is_last: bool = False

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def login(self) -> str:
        return self.headers.get("authorization", "")


def read_asked(stream: BinaryIO) -> Asked | None:
    """The next request of a connection; None where there is none."""
    first = stream.readline(65536).split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := stream.readline(65536).strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Asked(first[0].decode(), first[1].decode(), headers, body)


def reply(asked: Asked, status: str, fields: Fields = (), body: bytes = b"") -> bytes:
    """A whole answer, with its length unless `fields` say another. That the connection ends is no lie: it is announced,
    so that no other request is lost with it."""
    named = {name.lower() for name, _ in fields}
    length = [] if "content-length" in named else [("Content-Length", str(len(body)))]
    closing = [("Connection", "close")] if asked.is_last else []
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (*length, *closing, *fields))]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head if asked.method == "HEAD" else head + body


def head(status: str, *lines: str) -> bytes:
    """An answer up to its body, which may be of any length."""
    return "\r\n".join((f"HTTP/1.1 {status}", *lines)).encode("latin-1") + b"\r\n\r\n"
