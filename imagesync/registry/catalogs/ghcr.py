"""ghcr.io has no catalog. GitHub lists the packages of an organisation or a user, to those who are logged in.

https://docs.github.com/en/rest/packages/packages
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from imagesync.errors import AuthenticationError, NotFoundError
from imagesync.registry.call import Answer, Call
from imagesync.registry.catalogs.access import OPERATION, Access, Api, entries_of, texts_of
from imagesync.registry.catalogs.times import TIMES, known, push_time
from imagesync.registry.message import Authorization
from imagesync.registry.pages import Page, next_page
from imagesync.store import PushTime

HOST = "ghcr.io"
API_HOST = "api.github.com"
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_RIGHT = "check the owner; the login for ghcr.io has to be a token that may read packages (read:packages)"
_QUERY = "package_type=container&per_page=100"


def list_ghcr(access: Access, prefix: str) -> set[str]:
    """The container packages of an owner, as far as the token for ghcr.io may read them."""
    owner = access.owner(prefix, "owner")
    api = _api(access, prefix, OPERATION)
    try:
        names = api.read(f"/orgs/{owner}/packages?{_QUERY}", _page)
    except NotFoundError:  # no organisation, or one that this token does not see
        names = api.read(f"/users/{owner}/packages?{_QUERY}", _page)
    return {f"{owner}/{name}" for name in names}


def walk_ghcr_times(access: Access, path: str) -> Iterator[frozenset[PushTime]]:
    """When what the tags of a package point to was pushed: a version of it is a digest."""
    owner, _, name = path.partition("/")
    api, package = _api(access, path, TIMES), f"packages/container/{quote(name, safe='')}/versions?per_page=100"
    try:
        yield from api.walk(f"/orgs/{owner}/{package}", _page_of_versions)
    except NotFoundError:
        yield from api.walk(f"/users/{owner}/{package}", _page_of_versions)


def _page_of_versions(call: Call, answer: Answer, document: Any) -> Page[PushTime]:
    times = (
        push_time(tag, version.get("name"), version.get("created_at"))
        for version in entries_of(call, document)
        for tag in _tags_of(version)
    )
    return Page(known(times), next_page(call, answer, what="the list"), texts_of(call, document, "name"))


def _tags_of(version: Mapping[str, Any]) -> list[Any]:
    metadata = version.get("metadata")
    container = metadata.get("container") if isinstance(metadata, dict) else None
    tags = container.get("tags") if isinstance(container, dict) else None
    return tags if isinstance(tags, list) else []


def _api(access: Access, path: str, operation: str) -> Api:
    """The API as the login for ghcr.io: there is none for anybody else."""
    login = access.find_login(path)
    if login is None or login.password is None:
        message = "GitHub tells of packages only to those who are logged in"
        raise AuthenticationError(message, hint=_RIGHT, operation=operation, reference=f"{HOST}/{path}")
    token = Authorization.bearer(login.password)
    return Api(access.api(API_HOST), f"{HOST}/{path}", _RIGHT, token, _HEADERS, operation)


def _page(call: Call, answer: Answer, document: Any) -> Page[str]:
    return Page(texts_of(call, document, "name"), next_page(call, answer, what="the list"))
