"""Harbor shows its catalog to administrators. Its API lists a project to its members: https://goharbor.io/docs/"""

from __future__ import annotations

from typing import Any

from imagesync.registry.catalogs.access import ANONYMOUS, Access, Api, texts_of
from imagesync.registry.client import Answer, Call
from imagesync.registry.pages import Page, next_page
from imagesync.registry.token import basic_header

REALM_PATH = "/service/token"
_RIGHT = "check the project; the login needs the right to list its repositories"


def list_harbor(access: Access, prefix: str) -> set[str]:
    """The repositories of the project that a prefix begins with, else of all projects that the login may see."""
    login, project = access.find_login(prefix), prefix.partition("/")[0]
    authorization = ANONYMOUS if login is None else basic_header(login)
    api = Api(access.registry, access.reference(prefix), _RIGHT, authorization)
    below = f"projects/{project}/repositories" if project else "repositories"
    return api.read(f"/api/v2.0/{below}?page=1&page_size=100", _page)


def _page(call: Call, answer: Answer, document: Any) -> Page[str]:
    return Page(texts_of(call, document, "name"), next_page(call, answer, what="the list"))
