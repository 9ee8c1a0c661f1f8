"""Lists in pages: read to their end, or not at all. A server may name any next page, and as many as it likes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Hashable, Iterator
from itertools import chain
from typing import Any, Generic, TypeVar

from imagesync.errors import LimitError, NetworkError, ProtocolError
from imagesync.lazy import dataclass, replace
from imagesync.manifest import has_too_many_values
from imagesync.registry.call import Answer, Call
from imagesync.registry.origin import Address, next_link, resolve_address

T = TypeVar("T", bound=Hashable)
MAX_PAGES = 10_000
MAX_ENTRIES = 100_000
MAX_PAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What one page lists, and where the next one is; None after the last."""

    entries: frozenset[T]
    following: Address | None
    listed: frozenset[Hashable] | None = None
    """What shows that a page is another one, where not all that it lists becomes an entry."""


def read_pages(call: Call, read: Callable[[Call], Page[T]], *, what: str, seconds: float) -> set[T]:
    """All entries of a list. One that does not end, or takes longer than so many seconds, is an error, never cut
    short."""
    return set(chain.from_iterable(walk_pages(call, read, what=what, seconds=seconds)))


def walk_pages(call: Call, read: Callable[[Call], Page[T]], *, what: str, seconds: float) -> Iterator[frozenset[T]]:
    """The entries of one page after the other, for who may know enough before the last."""
    until = time.monotonic() + seconds
    found: set[Hashable] = set()
    asked: set[Address] = set()
    for _ in range(MAX_PAGES):
        page = read(call)
        listed = page.entries if page.listed is None else page.listed
        is_growing = not found.issuperset(listed)
        found |= listed
        if len(found) > MAX_ENTRIES:
            raise call.fail(LimitError, f"{what} has more than {MAX_ENTRIES} entries")
        yield page.entries
        if page.following is None:
            return
        if page.following in asked or not is_growing:
            raise call.fail(ProtocolError, f"{what} does not end: a page leads back, or adds nothing")
        if time.monotonic() >= until:
            raise call.fail(NetworkError, f"{what} did not come to its end within {seconds:.0f} s")
        asked.add(page.following)
        call = replace(call, target=page.following)
    raise call.fail(LimitError, f"{what} has more than {MAX_PAGES} pages")


def next_page(call: Call, answer: Answer, *, what: str) -> Address | None:
    """Where a list goes on by its Link, on the same host; None where this was its last page."""
    link = next_link(answer.headers.values_of("Link"))
    return None if link is None else following(call, answer, link, what=what)


def following(call: Call, answer: Answer, link: str, *, what: str) -> Address:
    """The address that an answer names for its next page. Raises ProtocolError for one on another host."""
    try:
        address = resolve_address(answer.address, link)
    except ProtocolError as error:
        raise call.fail(ProtocolError, f"the next page: {error.message}") from error
    if address.origin != answer.address.origin:
        raise call.fail(ProtocolError, f"{what} goes on at {address.origin}, which is another host: refused")
    return address


def parse_json(answer: Answer) -> Any:
    """The document of an answer; None stands for what is no JSON, or holds too many values to be read."""
    if has_too_many_values(answer.body):
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
