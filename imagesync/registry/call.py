"""One request to a registry as a value, and its answer: what is asked, for what, and which statuses are answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from imagesync.errors import StoreError
from imagesync.lazy import dataclass, field
from imagesync.registry.answers import Refusal
from imagesync.registry.headers import Headers
from imagesync.registry.message import Authorization
from imagesync.registry.origin import Address
from imagesync.registry.token import Scope
from imagesync.registry.transport import MAX_ERROR_BYTES
from imagesync.settings import NOTHING

E = TypeVar("E", bound=StoreError)
NO_LOGIN = Authorization("", NOTHING)
"""For a Call that is to be anonymous, whatever login there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: where to, for what, and which statuses are answers rather than refusals.

    `target` is a path on the registry, or an Address that it gave; it goes out as it stands. `operation` and
    `reference` are for messages. `max_bytes` is how much of an answer is read before it is an error.
    """

    method: str
    target: str | Address
    operation: str
    reference: str
    scopes: tuple[Scope, ...]
    push: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)
    accepted: frozenset[int] = frozenset({200})
    max_bytes: int = MAX_ERROR_BYTES
    read_seconds: float | None = None
    is_streamed: bool = False
    """The answer's body is none to be kept in memory, and may take as long as it keeps coming."""
    is_cleanup: bool = False
    """Sent even after the work was cancelled, within CLEANUP_SECONDS."""
    authorization: Authorization | None = None
    """What is sent in place of the registry's login, to this very origin alone; NO_LOGIN: nothing is."""

    @property
    def is_manifest_put(self) -> bool:
        """Whether this writes a manifest: nothing else is PUT from memory."""
        return self.method == "PUT" and bool(self.content)

    def fail(self, own: type[E], message: str, *, hint: str | None = None, refusal: Refusal | None = None) -> E:
        """An error about this call."""
        status, code = (refusal.status, refusal.code) if refusal else (None, "")
        return own(message, hint=hint, operation=self.operation, reference=self.reference, status=status, code=code)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read to its end, and the address that gave it, after redirects."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)
    address: Address


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is still to be read."""

    status: int
    headers: Headers
    pieces: Iterator[bytes]
