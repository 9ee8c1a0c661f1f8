"""Quay's catalog is empty for most. Its API lists a namespace: https://docs.quay.io/api/

Robot accounts may not ask it: they are shown what everybody is. An OAuth token is a login with the user $oauthtoken.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from imagesync.registry.catalogs.access import ANONYMOUS, Access, Api, texts_of
from imagesync.registry.client import Answer, Call
from imagesync.registry.pages import Page, following

HOST = "quay.io"
REALM_PATH = "/v2/auth"
OAUTH_USER = "$oauthtoken"
_RIGHT = f"check the namespace; private repositories are listed to an OAuth token alone, with the user {OAUTH_USER}"


def list_quay(access: Access, prefix: str) -> set[str]:
    """The repositories of a namespace: the public ones, and those that an OAuth token may see."""
    namespace, login = access.owner(prefix, "namespace"), access.find_login(prefix)
    authorization = f"Bearer {login.password}" if login is not None and login.username == OAUTH_USER else ANONYMOUS
    api = Api(access.api(access.host), access.reference(prefix), _RIGHT, authorization)
    target = f"/api/v1/repository?namespace={namespace}&public=true"
    return {f"{namespace}/{name}" for name in api.read(target, partial(_page, target))}


def _page(target: str, call: Call, answer: Answer, document: Any) -> Page[str]:
    found = document if isinstance(document, dict) else {}
    token = found.get("next_page")
    link = f"{target}&next_page={quote(token, safe='')}" if isinstance(token, str) and token else None
    following_page = following(call, answer, link, what="the list") if link is not None else None
    return Page(texts_of(call, found.get("repositories"), "name"), following_page)
