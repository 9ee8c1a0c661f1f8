"""GitLab refuses its catalog. Its API lists the repositories of a group or a project.

The API is on the host of the token realm, which has the same login already. https://docs.gitlab.com/api/container_registry/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from imagesync.errors import NotFoundError
from imagesync.registry.call import NO_LOGIN, Answer, Call
from imagesync.registry.catalogs.access import OPERATION, Access, Api, texts_of
from imagesync.registry.message import Authorization
from imagesync.registry.pages import Page, next_page

_RIGHT = "check the group or project; the login has to be a token that may read it by the API (read_api)"


def list_gitlab(host: str, access: Access, prefix: str) -> set[str]:
    """The repositories of the nearest group or project at or above a prefix, as far as the login may read them."""
    access.owner(prefix, "group")
    login = access.find_login(prefix)
    authorization = NO_LOGIN if login is None or login.password is None else Authorization.bearer(login.password)
    api = Api(access.api(host), access.reference(prefix), _RIGHT, authorization)
    for place in _places(prefix):
        try:
            return api.read(f"/api/v4/{place}/registry/repositories?per_page=100", _page)
        except NotFoundError:
            continue
    message = f"{host} knows no group and no project of this name"
    raise NotFoundError(message, hint=_RIGHT, operation=OPERATION, reference=access.reference(prefix))


def _places(prefix: str) -> Iterator[str]:
    """A repository's path is that of its project, with more behind it or not: the longest is asked for first."""
    parts = prefix.split("/")
    for length in range(len(parts), 0, -1):
        path = quote("/".join(parts[:length]), safe="")
        yield f"groups/{path}"
        if length > 1:
            yield f"projects/{path}"


def _page(call: Call, answer: Answer, document: Any) -> Page[str]:
    return Page(texts_of(call, document, "path"), next_page(call, answer, what="the list"))
