"""Access: how a lister reaches a registry and its vendor's API, and what logins go where. None leaves TLS.

An API is asked by the same client as a registry, with limits and retries of its own; its redirects are not followed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any, TypeAlias, TypeVar

from imagesync.errors import AuthenticationError, NotFoundError, ProtocolError, UnsupportedError
from imagesync.lazy import dataclass, field
from imagesync.registry.call import NO_LOGIN, Answer, Call
from imagesync.registry.client import RegistryClient
from imagesync.registry.credential import Credential
from imagesync.registry.message import Authorization
from imagesync.registry.pages import MAX_PAGE_BYTES, Page, parse_json, walk_pages

T = TypeVar("T", bound=Hashable)
ReadPage: TypeAlias = Callable[[Call, Answer, Any], Page[T]]
"""What a page lists, of the call, its answer and the JSON in that."""
OPERATION = "list repositories"
EXCHANGED_SECONDS = 300.0
"""Docker Hub's tokens last for ten minutes."""
REFUSALS = (AuthenticationError, NotFoundError, UnsupportedError, ProtocolError)
"""What a registry answers that has no such list, or not for this login; others say that it could not be asked."""
_ANSWERS = frozenset({200, 301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Api:
    """One API of a vendor, with the login that it takes; `right` is what a login needs, for a hint."""

    client: RegistryClient
    reference: str
    right: str
    authorization: Authorization = NO_LOGIN
    headers: Mapping[str, str] = field(default_factory=dict)
    operation: str = OPERATION

    def read(self, target: str, read: ReadPage[T]) -> set[T]:
        """All that a list has."""
        return set(chain.from_iterable(self.walk(target, read)))

    def walk(self, target: str, read: ReadPage[T]) -> Iterator[frozenset[T]]:
        """What a list has, page after page."""
        call = Call(
            method="GET",
            target=target,
            operation=self.operation,
            reference=self.reference,
            scopes=(),
            headers={"Accept": "application/json", **self.headers},
            accepted=_ANSWERS,
            max_bytes=MAX_PAGE_BYTES,
            authorization=self.authorization,
        )
        seconds = self.client.timeouts.list_seconds
        return walk_pages(call, partial(self._page, read), what=f"the list of {self.client.host}", seconds=seconds)

    def _page(self, read: ReadPage[T], call: Call) -> Page[T]:
        try:
            answer = self.client.send(call)
        except (AuthenticationError, NotFoundError) as error:
            error.hint = self.right
            raise
        if answer.status != 200:
            message = f"{self.client.host} answered {answer.status}, a redirect, which is not followed"
            raise call.fail(ProtocolError, message)
        return read(call, answer, parse_json(answer))


@dataclass(frozen=True, slots=True)
class Access:
    """One registry: `open_client` is for it and for the host of its API, `find_login` for what is below a prefix."""

    host: str
    open_client: Callable[[str], RegistryClient]
    find_login: Callable[[str], Credential | None]
    _exchanged: dict[Credential, tuple[Authorization, float]] = field(default_factory=dict, repr=False, compare=False)

    def exchanged(self, login: Credential, log_in: Callable[[], Authorization]) -> Authorization:
        """What `log_in` got for a login, kept for EXCHANGED_SECONDS."""
        got, until = self._exchanged.get(login, (NO_LOGIN, 0.0))
        if time.monotonic() >= until:
            got = log_in()
            self._exchanged[login] = (got, time.monotonic() + EXCHANGED_SECONDS)
        return got

    @property
    def registry(self) -> RegistryClient:
        return self.open_client(self.host)

    def api(self, host: str) -> RegistryClient:
        """The client for an API. Raises ProtocolError for one that would weaken how the registry is spoken to."""
        client = self.open_client(host)
        if client.origin.scheme != "https" and self.registry.origin.scheme == "https":
            message = f"{host} is spoken to in plain HTTP, and {self.host} is not: no login goes there"
            raise ProtocolError(message, operation=OPERATION, reference=self.host)
        return client

    def owner(self, prefix: str, called: str) -> str:
        """The first component of a prefix, for an API that lists what is below that alone."""
        if not prefix:
            message = f"{self.host} lists the repositories of one {called} at a time"
            hint = f"let the glob begin with the {called}: {called.upper()}/*"
            raise UnsupportedError(message, hint=hint, operation=OPERATION, reference=self.host)
        return prefix.partition("/")[0]

    def reference(self, prefix: str) -> str:
        """What is listed, for messages."""
        return f"{self.host}/{prefix}/*" if prefix else self.host


def texts_of(call: Call, entries: object, key: str) -> frozenset[str]:
    """What stands under a key of each entry of a list. Raises ProtocolError where it is no list of entries."""
    found = (entry.get(key) for entry in entries_of(call, entries))
    return frozenset(text for text in found if isinstance(text, str))


def entries_of(call: Call, entries: object) -> list[Mapping[str, Any]]:
    """The objects of a list. Raises ProtocolError where it is none."""
    if not isinstance(entries, list):
        raise call.fail(ProtocolError, "the answer is not a list")
    return [entry for entry in entries if isinstance(entry, dict)]
