"""The APIs of registries in the shapes that their vendors document, and registries that have nothing but them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from imagesync.registry import client
from imagesync.registry.catalogs import ghcr, hub
from imagesync.settings import Auth, Password, RegistrySettings, Secret
from tests.fakes.api import FakeApi
from tests.registry.remote import PLAIN, open_registries

CATALOG = "GET /v2/_catalog?n=1000"
LOGIN = Password(Secret.literal("robot"), Secret.literal("secret"))
BASIC = "Basic cm9ib3Q6c2VjcmV0"
WITH_LOGIN = RegistrySettings(auth=Auth(LOGIN, LOGIN)).over(PLAIN)
UNAUTHORIZED = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
Listed = tuple[Any, Mapping[str, str]]


def bearer(realm: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer realm="{realm}",service="registry"'}


def refuse_catalog(api: FakeApi, realm: str) -> None:
    """A registry that shows its catalog to nobody, and gives out tokens at this realm."""
    api.on(CATALOG, UNAUTHORIZED, status=401, headers=bearer(realm))
    api.on("GET /v2/", UNAUTHORIZED, status=401, headers=bearer(realm))


@dataclass(frozen=True)
class Vendor:
    """How one API is asked for what is below `team`, and what a page of it looks like.

    `target` is its first page, `login` the Authorization header that a login for the registry becomes.
    """

    name: str
    target: str
    login: str
    page: Callable[[FakeApi, list[str], str], Listed]
    set_up: Callable[[FakeApi, pytest.MonkeyPatch], str]


def hub_page(api: FakeApi, names: list[str], following: str) -> Listed:
    results = [{"name": name, "namespace": "team", "repository_type": "image", "status": 1} for name in names]
    return {"count": 9, "next": f"{api.url}{following}" if following else None, "results": results}, {}


def quay_page(_api: FakeApi, names: list[str], following: str) -> Listed:
    repositories = [{"namespace": "team", "name": name, "is_public": True, "kind": "image"} for name in names]
    token = {"next_page": "gAAA+b/c="} if following else {}
    return {"repositories": repositories, **token}, {}


def linked(entries: list[dict[str, object]], api: FakeApi, following: str) -> Listed:
    return entries, {"Link": f'<{api.url}{following}>; rel="next"'} if following else {}


def ghcr_page(api: FakeApi, names: list[str], following: str) -> Listed:
    return linked([{"id": 1, "name": name, "package_type": "container"} for name in names], api, following)


def harbor_page(api: FakeApi, names: list[str], following: str) -> Listed:
    return linked([{"id": 1, "name": f"team/{name}", "artifact_count": 3} for name in names], api, following)


def gitlab_page(api: FakeApi, names: list[str], following: str) -> Listed:
    return linked([{"id": 1, "name": "", "path": f"team/{name}"} for name in names], api, following)


def hub_set_up(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(hub, "API_HOST", api.host)
    api.on("POST /v2/auth/token", {"access_token": "hub-token"})
    return "docker.io"


def ghcr_set_up(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(ghcr, "API_HOST", api.host)
    return "ghcr.io"


def quay_set_up(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(client.WIRE_HOSTS, "quay.io", api.host)
    return "quay.io"


def harbor_set_up(api: FakeApi, _monkeypatch: pytest.MonkeyPatch) -> str:
    api.on("GET /v2/_catalog?n=1000", status=401, headers={"WWW-Authenticate": 'Basic realm="harbor"'})
    refuse_catalog(api, f"{api.url}/service/token")
    return api.host


def gitlab_set_up(api: FakeApi, _monkeypatch: pytest.MonkeyPatch) -> str:
    refuse_catalog(api, f"{api.url}/jwt/auth")
    return api.host


HUB = Vendor("hub", "/v2/namespaces/team/repositories?page_size=100", "Bearer hub-token", hub_page, hub_set_up)
GHCR = Vendor(
    "ghcr", "/orgs/team/packages?package_type=container&per_page=100", "Bearer secret", ghcr_page, ghcr_set_up
)
QUAY = Vendor("quay", "/api/v1/repository?namespace=team&public=true", "", quay_page, quay_set_up)
HARBOR = Vendor(
    "harbor", "/api/v2.0/projects/team/repositories?page=1&page_size=100", BASIC, harbor_page, harbor_set_up
)
GITLAB = Vendor(
    "gitlab", "/api/v4/groups/team/registry/repositories?per_page=100", "Bearer secret", gitlab_page, gitlab_set_up
)
SECOND = {
    "hub": "/v2/namespaces/team/repositories?page=2&page_size=100",
    "quay": f"{QUAY.target}&next_page=gAAA%2Bb%2Fc%3D",
    "ghcr": "/organizations/7/packages?package_type=container&per_page=100&page=2",
    "harbor": "/api/v2.0/projects/team/repositories?page=2&page_size=100",
    "gitlab": f"{GITLAB.target}&page=2",
}


def list_team(host: str, *, prefix: str = "team", settings: RegistrySettings = WITH_LOGIN) -> tuple[str, ...]:
    """What a registry lists below a prefix."""
    with open_registries((host, settings)) as registries:
        return registries.lister(host).list_repositories(prefix)
