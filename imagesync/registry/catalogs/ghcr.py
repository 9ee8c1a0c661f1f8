"""ghcr.io has no catalog. GitHub lists the packages of an organisation or a user, to those who are logged in.

https://docs.github.com/en/rest/packages/packages
"""

from __future__ import annotations

from typing import Any

from imagesync.errors import AuthenticationError, NotFoundError
from imagesync.registry.catalogs.access import OPERATION, Access, Api, texts_of
from imagesync.registry.client import Answer, Call
from imagesync.registry.pages import Page, next_page

HOST = "ghcr.io"
API_HOST = "api.github.com"
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_RIGHT = "check the owner; the login for ghcr.io has to be a token that may read packages (read:packages)"
_QUERY = "package_type=container&per_page=100"


def list_ghcr(access: Access, prefix: str) -> set[str]:
    """The container packages of an owner, as far as the token for ghcr.io may read them."""
    owner, login = access.owner(prefix, "owner"), access.find_login(prefix)
    if login is None or not login.password:
        message = "GitHub lists packages only to those who are logged in"
        raise AuthenticationError(message, hint=_RIGHT, operation=OPERATION, reference=access.reference(prefix))
    api = Api(access.api(API_HOST), access.reference(prefix), _RIGHT, f"Bearer {login.password}", _HEADERS)
    try:
        names = api.read(f"/orgs/{owner}/packages?{_QUERY}", _page)
    except NotFoundError:  # no organisation, or one that this token does not see
        names = api.read(f"/users/{owner}/packages?{_QUERY}", _page)
    return {f"{owner}/{name}" for name in names}


def _page(call: Call, answer: Answer, document: Any) -> Page[str]:
    return Page(texts_of(call, document, "name"), next_page(call, answer, what="the list"))
