"""Referrers: what a registry lists as speaking of a digest, page after page (distribution spec end-12a).

Not every registry makes such a list. Whatever is not one, a redirect to a web page as well as a 404, says so.
"""

from __future__ import annotations

import time
from functools import partial
from typing import NamedTuple

from imagesync.behaviour import Referrers
from imagesync.errors import (
    AuthenticationError,
    InvalidManifest,
    LimitError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    UnsupportedError,
)
from imagesync.lazy import replace
from imagesync.manifest import MAX_ENTRIES, MAX_MANIFEST_BYTES, OCI_INDEX, Descriptor, Index, parse_manifest
from imagesync.reference import Digest, Repository
from imagesync.registry.allowance import USUAL_MANIFEST_BYTES
from imagesync.registry.call import Answer, Call
from imagesync.registry.client import RegistryClient
from imagesync.registry.origin import Address
from imagesync.registry.pages import next_page
from imagesync.registry.token import Scope

MAX_BYTES = 16 * 1024 * 1024
"""Of all pages together: each entry may have annotations of any length."""
_WEB_PAGES = frozenset({301, 302, 303})
"""Redirects that GHCR answers with: they lead to a page for people, and are not followed."""


class _Page(NamedTuple):
    """What one page lists, where the next one is, and how long it was."""

    entries: tuple[Descriptor, ...]
    following: Address | None
    size_bytes: int


def list_referrers(client: RegistryClient, repository: Repository, digest: Digest) -> tuple[Descriptor, ...] | None:
    """Every referrer of a digest, each once; None where the registry does not list them, or is known not to."""
    if client.behaviour.referrers is Referrers.TAG:
        return None
    call = Call(
        method="GET",
        target=f"/v2/{repository.path}/referrers/{digest}",
        operation="list referrers",
        reference=f"{repository}@{digest}",
        scopes=(Scope(repository.path, ("pull",)),),
        headers={"Accept": OCI_INDEX},
        accepted=frozenset({200}) | _WEB_PAGES,
        max_bytes=MAX_MANIFEST_BYTES,
    )
    client.allowance.ask(USUAL_MANIFEST_BYTES)
    page = _first_page(client, call)
    return None if page is None else _read_on(client, call, page)


def _read_on(client: RegistryClient, call: Call, page: _Page) -> tuple[Descriptor, ...]:
    """What this page lists, and all that follow it."""
    found: dict[Digest, Descriptor] = {}
    asked: set[Address] = set()
    size_bytes, until = 0, time.monotonic() + client.timeouts.list_seconds
    while True:
        size_bytes += page.size_bytes
        client.allowance.take(call, page.size_bytes)
        is_growing = not found.keys() >= {entry.digest for entry in page.entries}
        found.update((entry.digest, entry) for entry in page.entries)
        if page.following is None:
            return tuple(found.values())
        if page.following in asked or not is_growing:
            raise call.fail(ProtocolError, "the list of referrers does not end: a page leads back, or adds nothing")
        if len(found) > MAX_ENTRIES or size_bytes > MAX_BYTES:
            raise call.fail(LimitError, f"more than {MAX_ENTRIES} referrers, or {MAX_BYTES} bytes of them")
        if time.monotonic() >= until:
            raise call.fail(NetworkError, "the list of referrers did not come to its end in time")
        asked.add(page.following)
        page = client.read(replace(call, target=page.following), partial(_page, call))


def _first_page(client: RegistryClient, call: Call) -> _Page | None:
    """What it lists, where it is a list at all."""
    try:
        page = client.read(call, partial(_page_or_error, call))
    except (NotFoundError, UnsupportedError):
        return None
    except (AuthenticationError, ProtocolError) as error:
        if isinstance(error, AuthenticationError) and not error.is_refusal:
            raise
        return None
    if isinstance(page, ProtocolError):
        raise page
    return page


def _page_or_error(call: Call, answer: Answer) -> _Page | ProtocolError | None:
    """A list that is wrong is another thing than none at all."""
    if answer.status != 200 or _content_type(answer) != OCI_INDEX:
        return None
    try:
        return _page(call, answer)
    except ProtocolError as error:
        return error


def _page(call: Call, answer: Answer) -> _Page:
    return _Page(_entries(call, answer), next_page(call, answer, what="the list of referrers"), len(answer.body))


def _content_type(answer: Answer) -> str:
    return str(answer.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def _entries(call: Call, answer: Answer) -> tuple[Descriptor, ...]:
    try:
        index = parse_manifest(answer.body, OCI_INDEX)
    except InvalidManifest as error:
        raise call.fail(ProtocolError, f"the answer is not a list of referrers: {error.message}") from error
    return tuple(entry for entry in index.successors() if entry.is_manifest) if isinstance(index, Index) else ()
