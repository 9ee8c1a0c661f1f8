"""Quay's catalog is empty for most. Its API lists a namespace: https://docs.quay.io/api/

Robot accounts may not ask it: they are shown what everybody is. An OAuth token is a login with the user $oauthtoken.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from imagesync.registry.call import NO_LOGIN, Answer, Call
from imagesync.registry.catalogs.access import Access, Api, entries_of, texts_of
from imagesync.registry.catalogs.times import TIMES, known, push_time
from imagesync.registry.message import Authorization
from imagesync.registry.pages import MAX_PAGES, Page, following
from imagesync.store import PushTime

OAUTH_USER = "$oauthtoken"
_RIGHT = f"check the namespace; private repositories are listed to an OAuth token alone, with the user {OAUTH_USER}"


def list_quay(access: Access, prefix: str) -> set[str]:
    """The repositories of a namespace: the public ones, and those that an OAuth token may see."""
    namespace = access.owner(prefix, "namespace")
    api = Api(access.api(access.host), access.reference(prefix), _RIGHT, _authorization(access, prefix))
    target = f"/api/v1/repository?namespace={namespace}&public=true"
    return {f"{namespace}/{name}" for name in api.read(target, partial(_page, target))}


def walk_quay_times(access: Access, path: str) -> Iterator[frozenset[PushTime]]:
    """When the tags of a repository were given to what they point to."""
    client, authorization = access.api(access.host), _authorization(access, path)
    api = Api(client, f"{access.host}/{path}", _RIGHT, authorization, operation=TIMES)
    target = f"/api/v1/repository/{path}/tag/?onlyActiveTags=true&limit=100"
    return api.walk(f"{target}&page=1", partial(_page_of_tags, target))


def _page_of_tags(target: str, call: Call, answer: Answer, document: Any) -> Page[PushTime]:
    found = document if isinstance(document, dict) else {}
    entries, number = entries_of(call, found.get("tags")), found.get("page")
    times = (push_time(one.get("name"), one.get("manifest_digest"), one.get("start_ts")) for one in entries)
    address = None
    if found.get("has_additional") is True and isinstance(number, int) and 0 < number < MAX_PAGES:
        address = following(call, answer, f"{target}&page={number + 1}", what="the list")
    return Page(known(times), address, texts_of(call, entries, "name"))


def _authorization(access: Access, path: str) -> Authorization:
    login = access.find_login(path)
    if login is None or login.username != OAUTH_USER or login.password is None:
        return NO_LOGIN
    return Authorization.bearer(login.password)


def _page(target: str, call: Call, answer: Answer, document: Any) -> Page[str]:
    found = document if isinstance(document, dict) else {}
    token = found.get("next_page")
    address = None
    if isinstance(token, str) and token:
        link = f"{target}&next_page={quote(token, safe='', errors='replace')}"
        address = following(call, answer, link, what="the list")
    return Page(texts_of(call, found.get("repositories"), "name"), address)
