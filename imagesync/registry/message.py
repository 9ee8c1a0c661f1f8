"""One HTTP exchange as values: what is asked, and what was answered. Nothing is sent from here.

Targets are kept letter by letter and bodies as they are: no value here decodes, encodes or follows anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from imagesync.registry.headers import Headers
from imagesync.registry.origin import Address

MAX_DRAINED_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out. `operation` is its kind, to count it by. Its repr shows no secret: addresses may be signed.

    A body in pieces can be sent a single time, and its length must stand in the headers.
    """

    method: str
    address: Address = field(repr=False)
    operation: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | Iterator[bytes] = field(default=b"", repr=False)

    @property
    def has_body(self) -> bool:
        """Whether anything follows the head."""
        return bool(self.body) if isinstance(self.body, bytes) else self.headers.get("Content-Length") != "0"

    def with_header(self, name: str, value: str) -> Request:
        """The same request with one header set."""
        return Request(self.method, self.address, self.operation, {**self.headers, name: value}, self.body)


class Body(Protocol):
    """The pieces of an answer's body, as they arrive. A generator is one."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. The body is not read yet; whoever has the response closes it."""

    status: int
    headers: Headers
    body: Body = field(repr=False)

    def close(self) -> None:
        """Let go of the connection: it is kept if the body was read to its end."""
        self.body.close()

    def drain(self) -> None:
        """Read a little of what nobody needs, so that the connection can be kept, and close."""
        size = 0
        with closing(self):
            for piece in self.body:
                size += len(piece)
                if size > MAX_DRAINED_BYTES:
                    break


Send = Callable[[Request], Response]
