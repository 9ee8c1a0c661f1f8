"""Tag lists (distribution spec end-8a, end-8b) and catalogs. What is selected from them is not decided here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from imagesync.errors import ProtocolError, UnsupportedError
from imagesync.lazy import replace
from imagesync.reference import Repository, TagList
from imagesync.registry.allowance import USUAL_LIST_BYTES, bytes_of_names
from imagesync.registry.call import Answer, Call
from imagesync.registry.client import RegistryClient
from imagesync.registry.pages import MAX_PAGE_BYTES, Page, next_page, parse_json, read_pages
from imagesync.registry.token import CatalogScope, Scope

MAX_NAME_LENGTH = 320
"""A longer name is no tag and no path; that much of it is kept to say so."""


def list_tags(client: RegistryClient, repository: Repository) -> TagList:
    """All legal tags, sorted, each once. A list that does not end, or leads elsewhere, is an error, never cut short.

    NotFoundError where the registry does not know the repository.
    """
    call = Call(
        method="GET",
        target=f"/v2/{repository.path}/tags/list{_sized(client)}",
        operation="list tags",
        reference=str(repository),
        scopes=(Scope(repository.path, ("pull",)),),
        max_bytes=MAX_PAGE_BYTES,
    )
    client.allowance.ask(USUAL_LIST_BYTES)
    return TagList.of(
        read_pages(call, partial(_tags, client), what="the tag list", seconds=client.timeouts.list_seconds)
    )


def list_catalog(client: RegistryClient, prefix: str) -> set[str]:
    """All names that `_catalog` has: it is no part of the distribution spec, and many registries refuse it.

    `prefix` is whose login is used; no registry can be asked for a part of its catalog.
    """
    call = Call(
        method="GET",
        target=f"/v2/_catalog{_sized(client)}",
        operation="list repositories",
        reference=client.host,
        scopes=(CatalogScope(prefix, ("*",)),),
        max_bytes=MAX_PAGE_BYTES,
    )
    client.allowance.ask(USUAL_LIST_BYTES)
    return read_pages(call, partial(_repositories, client), what="the catalog", seconds=client.timeouts.list_seconds)


def _tags(client: RegistryClient, call: Call) -> Page[str]:
    return _sized_page(client, call, partial(_page, "tags", "the tag list"))


def _repositories(client: RegistryClient, call: Call) -> Page[str]:
    return _sized_page(client, call, partial(_page, "repositories", "the catalog"))


def _page(key: str, what: str, call: Call, answer: Answer) -> Page[str]:
    return Page(names_in(call, answer, key), next_page(call, answer, what=what))


def _sized_page(client: RegistryClient, call: Call, take: Callable[[Call, Answer], Page[str]]) -> Page[str]:
    """Ask for large pages; a registry that has a smaller limit, and refuses, may choose from then on."""
    try:
        page = client.read(call, partial(take, call))
    except (ProtocolError, UnsupportedError) as error:
        if error.status not in (400, 405) or not isinstance(call.target, str) or "?" not in call.target:
            raise
        page = client.read(replace(call, target=urlsplit(call.target).path), partial(take, call))
        client.page_size = None
    client.allowance.take(call, bytes_of_names(page.entries))
    return page


def _sized(client: RegistryClient) -> str:
    return "" if client.page_size is None else f"?n={client.page_size}"


def names_in(call: Call, answer: Answer, key: str) -> frozenset[str]:
    """The texts of a list that stands under this key of an answer."""
    document = parse_json(answer)
    if not isinstance(document, dict):
        raise call.fail(ProtocolError, f"the answer is not a list of {key}: is this a registry?")
    names = document.get(key)
    if names is None:
        return frozenset()
    if not isinstance(names, list):
        raise call.fail(ProtocolError, f"the answer's {key} are not a list")
    return frozenset(name[:MAX_NAME_LENGTH] for name in names if isinstance(name, str))
