"""Docker Hub has no catalog. Its own API lists a namespace: https://docs.docker.com/reference/api/hub/latest/"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from imagesync.errors import AuthenticationError, ProtocolError
from imagesync.registry.call import NO_LOGIN, Answer, Call
from imagesync.registry.catalogs.access import OPERATION, Access, Api, entries_of, texts_of
from imagesync.registry.catalogs.times import TIMES, known, push_time
from imagesync.registry.client import RegistryClient
from imagesync.registry.credential import Credential
from imagesync.registry.message import Authorization
from imagesync.registry.origin import Address
from imagesync.registry.pages import Page, following, parse_json
from imagesync.settings import Secret
from imagesync.store import PushTime

API_HOST = "hub.docker.com"
_RIGHT = "check the namespace; a private one needs a login for docker.io that sees it"
_TOKEN = re.compile(r"[!-~]{1,65536}")


def list_hub(access: Access, prefix: str) -> set[str]:
    """The repositories of a namespace, private ones too where the login for docker.io may see them."""
    namespace, client = access.owner(prefix, "namespace"), access.api(API_HOST)
    api = Api(client, access.reference(prefix), _RIGHT, _authorization(access, client, prefix))
    names = api.read(f"/v2/namespaces/{namespace}/repositories?page_size=100", _page)
    return {f"{namespace}/{name}" for name in names}


def walk_hub_times(access: Access, path: str) -> Iterator[frozenset[PushTime]]:
    """When the tags of a repository were pushed; what was pushed last comes first."""
    client = access.api(API_HOST)
    reference, authorization = f"{access.host}/{path}", _authorization(access, client, path)
    api = Api(client, reference, _RIGHT, authorization, operation=TIMES)
    namespace, _, name = path.partition("/")
    return api.walk(f"/v2/namespaces/{namespace}/repositories/{name}/tags?page_size=100", _page_of_tags)


def _page_of_tags(call: Call, answer: Answer, document: Any) -> Page[PushTime]:
    found = document if isinstance(document, dict) else {}
    entries = entries_of(call, found.get("results"))
    times = (push_time(one.get("name"), one.get("digest"), one.get("tag_last_pushed")) for one in entries)
    return Page(known(times), _following(call, answer, found), texts_of(call, entries, "name"))


def _page(call: Call, answer: Answer, document: Any) -> Page[str]:
    found = document if isinstance(document, dict) else {}
    return Page(texts_of(call, found.get("results"), "name"), _following(call, answer, found))


def _following(call: Call, answer: Answer, document: Mapping[str, Any]) -> Address | None:
    link = document.get("next")
    return following(call, answer, link, what="the list") if isinstance(link, str) and link else None


def _authorization(access: Access, client: RegistryClient, path: str) -> Authorization:
    login = access.find_login(path)
    if login is None or login.password is None:
        return NO_LOGIN
    return access.exchanged(login, partial(_log_in, client, login, login.password))


def _log_in(client: RegistryClient, login: Credential, password: Secret) -> Authorization:
    """The token for a login: the API takes no password, but gives a token for one."""
    call = Call(
        method="POST",
        target="/v2/auth/token",
        operation=OPERATION,
        reference=f"{API_HOST}, logging in with {login.origin}",
        scopes=(),
        headers={"Content-Type": "application/json"},
        content=json.dumps({"identifier": login.username, "secret": password.reveal()}).encode(),
        authorization=NO_LOGIN,
    )
    try:
        answer = client.send(call)
    except AuthenticationError as error:
        error.hint = "check user and password; an access token does as well"
        raise
    document = parse_json(answer)
    token = document.get("access_token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise call.fail(ProtocolError, "the answer has no usable token")
    return Authorization.bearer(Secret.literal(token, API_HOST))
