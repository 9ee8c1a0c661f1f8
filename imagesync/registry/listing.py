"""Tag lists, page after page (distribution spec end-8a, end-8b). What is selected from them is not decided here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from imagesync.errors import LimitError, ProtocolError, UnsupportedError
from imagesync.reference import Repository, TagList
from imagesync.registry.client import Answer, Call, RegistryClient
from imagesync.registry.origin import Address, next_link, resolve_address
from imagesync.registry.token import Scope

PAGE_SIZE = 1000
MAX_PAGES = 10_000
MAX_TAGS = 1_000_000
MAX_PAGE_BYTES = 16 * 1024 * 1024


def list_tags(client: RegistryClient, repository: Repository) -> TagList:
    """All legal tags, sorted, each once. A list that does not end, or leads elsewhere, is an error, never cut short.

    NotFoundError where the registry does not know the repository.
    """
    call = Call(
        method="GET",
        target=f"/v2/{repository.path}/tags/list?n={PAGE_SIZE}",
        operation="list tags",
        reference=str(repository),
        scopes=(Scope(repository.path, ("pull",)),),
        max_bytes=MAX_PAGE_BYTES,
    )
    found: set[str] = set()
    asked: set[Address] = set()
    answer = _first_page(client, call)
    for _ in range(MAX_PAGES):
        names = _names(call, answer)
        is_growing = not found.issuperset(names)
        found.update(names)
        address = next_page(call, answer, what="the tag list")
        if address is None:
            return TagList.of(found)
        if address in asked or not is_growing:
            raise call.fail(ProtocolError, "the tag list does not end: a page leads back, or adds nothing")
        if len(found) > MAX_TAGS:
            raise call.fail(LimitError, f"more than {MAX_TAGS} tags")
        asked.add(address)
        answer = client.send(replace(call, target=address))
    raise call.fail(LimitError, f"more than {MAX_PAGES} pages of tags")


def _first_page(client: RegistryClient, call: Call) -> Answer:
    """Ask for large pages; a registry that has a smaller limit, and refuses, may choose."""
    try:
        return client.send(call)
    except (ProtocolError, UnsupportedError) as error:
        if error.status not in (400, 405):
            raise
    return client.send(replace(call, target=urlsplit(str(call.target)).path))


def _names(call: Call, answer: Answer) -> Iterable[str]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise call.fail(ProtocolError, "the answer is not a tag list: is this a registry?")
    tags = document.get("tags")
    if tags is None:
        return ()
    if not isinstance(tags, list):
        raise call.fail(ProtocolError, "the answer's tags are not a list")
    return {tag for tag in tags if isinstance(tag, str)}


def next_page(call: Call, answer: Answer, *, what: str) -> Address | None:
    """Where a list goes on, on the same host; None where this was its last page."""
    link = next_link(answer.headers.values_of("Link"))
    if link is None:
        return None
    try:
        address = resolve_address(answer.address, link)
    except ProtocolError as error:
        raise call.fail(ProtocolError, f"Link: {error.message}") from error
    if address.origin != answer.address.origin:
        raise call.fail(ProtocolError, f"{what} goes on at {address.origin}, which is another host: refused")
    return address
