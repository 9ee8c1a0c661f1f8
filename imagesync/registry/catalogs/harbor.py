"""Harbor shows its catalog to administrators. Its API lists a project to its members: https://goharbor.io/docs/"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from imagesync.registry.call import NO_LOGIN, Answer, Call
from imagesync.registry.catalogs.access import Access, Api, entries_of, texts_of
from imagesync.registry.catalogs.times import TIMES, known, push_time
from imagesync.registry.message import Authorization
from imagesync.registry.pages import Page, next_page
from imagesync.registry.token import basic_login
from imagesync.store import PushTime

_RIGHT = "check the project; the login needs the right to list its repositories"


def list_harbor(access: Access, prefix: str) -> set[str]:
    """The repositories of the project that a prefix begins with, else of all projects that the login may see."""
    project = prefix.partition("/")[0]
    api = Api(access.registry, access.reference(prefix), _RIGHT, _authorization(access, prefix))
    below = f"projects/{project}/repositories" if project else "repositories"
    return api.read(f"/api/v2.0/{below}?page=1&page_size=100", _page)


def walk_harbor_times(access: Access, path: str) -> Iterator[frozenset[PushTime]]:
    """When the tags of a repository were given to what they point to. What stands below a project is escaped twice."""
    project, _, name = path.partition("/")
    api = Api(access.registry, f"{access.host}/{path}", _RIGHT, _authorization(access, path), operation=TIMES)
    below = f"projects/{project}/repositories/{quote(quote(name, safe=''), safe='')}"
    return api.walk(f"/api/v2.0/{below}/artifacts?page=1&page_size=100&with_tag=true", _page_of_artifacts)


def _page_of_artifacts(call: Call, answer: Answer, document: Any) -> Page[PushTime]:
    times = (
        push_time(tag.get("name"), artifact.get("digest"), tag.get("push_time"))
        for artifact in entries_of(call, document)
        for tag in entries_of(call, artifact.get("tags") or [])
    )
    return Page(known(times), next_page(call, answer, what="the list"), texts_of(call, document, "digest"))


def _authorization(access: Access, path: str) -> Authorization:
    login = access.find_login(path)
    return NO_LOGIN if login is None else basic_login(login)


def _page(call: Call, answer: Answer, document: Any) -> Page[str]:
    return Page(texts_of(call, document, "name"), next_page(call, answer, what="the list"))
