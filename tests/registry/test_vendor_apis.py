"""The APIs that list repositories where a registry has no catalog, in the shapes that their vendors document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import (
    AuthenticationError,
    LimitError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    StoreError,
    UnsupportedError,
)
from imagesync.registry import Registries
from imagesync.registry.catalogs import ghcr, hub
from imagesync.settings import Auth, Password, RegistrySettings, Secret, Settings
from tests.fakes.api import FakeApi
from tests.registry.remote import PLAIN, open_registries
from tests.registry.vendors import (
    GHCR,
    GITLAB,
    HARBOR,
    HUB,
    QUAY,
    SECOND,
    WITH_LOGIN,
    Vendor,
    ghcr_set_up,
    gitlab_set_up,
    harbor_set_up,
    hub_page,
    quay_set_up,
    refuse_catalog,
)

VENDORS = pytest.mark.parametrize("vendor", [HUB, GHCR, QUAY, HARBOR, GITLAB], ids=lambda vendor: vendor.name)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as started:
        yield started


def list_team(host: str, *, prefix: str = "team", settings: RegistrySettings = WITH_LOGIN) -> tuple[str, ...]:
    with open_registries((host, settings)) as registries:
        return registries.lister(host).list_repositories(prefix)


@VENDORS
def test_an_api_is_read_to_its_last_page_with_the_login_that_it_takes(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = vendor.set_up(api, monkeypatch)
    for target, names, following in (
        (vendor.target, ["b", "a"], SECOND[vendor.name]),
        (SECOND[vendor.name], ["c/d"], ""),
    ):
        document, headers = vendor.page(api, names, following)
        api.on(f"GET {target}", document, headers=headers)
    assert list_team(host) == ("team/a", "team/b", "team/c/d")
    asked = [one for one in api.asked if one.line in (f"GET {vendor.target}", f"GET {SECOND[vendor.name]}")]
    assert [one.authorization for one in asked] == [vendor.login] * 2


@VENDORS
@pytest.mark.parametrize(
    ("status", "body", "own"),
    [
        (401, b'{"message":"Requires authentication"}', AuthenticationError),
        (403, b'{"detail":"no"}', AuthenticationError),
        (404, b'{"message":"Not Found"}', NotFoundError),
        (200, b"<!DOCTYPE html><html><body>Log in</body></html>", ProtocolError),
        (200, b"null", ProtocolError),
        (200, b'{"results":7,"repositories":7}', ProtocolError),
        (200, b"[" * 100_000, ProtocolError),
        (301, b"", ProtocolError),
    ],
)
def test_an_api_that_refuses_says_so_with_a_way_to_do_without(
    vendor: Vendor,
    api: FakeApi,
    monkeypatch: pytest.MonkeyPatch,
    *,
    status: int,
    body: bytes,
    own: type[StoreError],
) -> None:
    host = vendor.set_up(api, monkeypatch)
    for target in (vendor.target, "/users/team/packages?package_type=container&per_page=100"):
        api.on(f"GET {target}", body, status=status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(own) as raised:
        list_team(host)
    assert str(raised.value.hint).endswith("name the repositories, or write {a,b}")
    assert "secret" not in str(raised.value)
    assert "hub-token" not in str(raised.value)


@VENDORS
@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("status", [429, 503])
def test_an_api_that_asks_for_patience_gets_it(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    host = vendor.set_up(api, monkeypatch)
    document, _ = vendor.page(api, ["a"], "")
    api.on(f"GET {vendor.target}", status=status).on(f"GET {vendor.target}", document)
    assert list_team(host) == ("team/a",)


@VENDORS
@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(("status", "own"), [(429, LimitError), (503, NetworkError)])
def test_an_api_that_does_not_come_back_fails(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch, *, status: int, own: type[StoreError]
) -> None:
    host = vendor.set_up(api, monkeypatch)
    api.on(f"GET {vendor.target}", status=status)
    with pytest.raises(own):
        list_team(host)


@VENDORS
def test_pages_of_an_api_that_lead_in_a_circle_are_an_error(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = vendor.set_up(api, monkeypatch)
    for target in (vendor.target, SECOND[vendor.name]):
        document, headers = vendor.page(api, ["a"], SECOND[vendor.name])
        api.on(f"GET {target}", document, headers=headers)
    with pytest.raises(ProtocolError, match="does not end"):
        list_team(host)


@pytest.mark.parametrize("vendor", [HUB, GHCR, HARBOR, GITLAB], ids=lambda vendor: vendor.name)
@pytest.mark.parametrize("elsewhere", ["https://evil.example", "http://127.0.0.1:1", "http://u:p@127.0.0.1"])
def test_a_page_of_an_api_on_another_host_is_refused(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    host = vendor.set_up(api, monkeypatch)
    document, headers = vendor.page(api, ["a"], "/x")
    changed = {name: text.replace(api.url, elsewhere) for name, text in headers.items()}
    if isinstance(document, dict):
        document["next"] = f"{elsewhere}/x"
    api.on(f"GET {vendor.target}", document, headers=changed)
    with pytest.raises(ProtocolError):
        list_team(host)


@VENDORS
def test_entries_that_are_none_are_passed_over_and_names_that_are_none_told_apart(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = vendor.set_up(api, monkeypatch)
    document, _ = vendor.page(api, ["ok", "No", "../x", "\x1b[31m"], "")
    entries = document if isinstance(document, list) else document.get("results", document.get("repositories"))
    entries += [None, 7, [], {"name": None}, {}]
    api.on(f"GET {vendor.target}", document)
    with open_registries((host, WITH_LOGIN)) as registries:
        found = registries.lister(host).list_repositories("team")
    assert found == ("team/ok",)
    assert set(found.illegal) == {"team/No", "team/../x", "team/\x1b[31m"}


@pytest.mark.parametrize("vendor", [HUB, QUAY, GHCR, GITLAB], ids=lambda vendor: vendor.name)
def test_an_api_that_lists_below_an_owner_alone_wants_it_in_the_glob(
    vendor: Vendor, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = vendor.set_up(api, monkeypatch)
    with pytest.raises(UnsupportedError, match="at a time") as raised:
        list_team(host, prefix="")
    assert "/*" in str(raised.value.hint)


def test_harbor_lists_all_projects_that_a_login_sees(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    host = harbor_set_up(api, monkeypatch)
    api.on("GET /api/v2.0/repositories?page=1&page_size=100", [{"name": "a/x"}, {"name": "b/y/z"}])
    assert list_team(host, prefix="") == ("a/x", "b/y/z")


def test_the_packages_of_a_user_are_listed_where_there_is_no_such_organisation(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = ghcr_set_up(api, monkeypatch)
    api.on("GET /users/team/packages?package_type=container&per_page=100", [{"name": "tool"}])
    assert list_team(host) == ("team/tool",)


def test_github_is_not_asked_without_a_login(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    host = ghcr_set_up(api, monkeypatch)
    with pytest.raises(AuthenticationError, match="logged in") as raised:
        list_team(host, settings=PLAIN)
    assert "read:packages" in str(raised.value.hint)
    assert api.lines == []


def test_docker_hub_is_read_without_a_login_and_a_refused_one_is_no_reason_to(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUTH-16."""
    monkeypatch.setattr(hub, "API_HOST", api.host)
    api.on(f"GET {HUB.target}", hub_page(api, ["a"], "")[0])
    assert list_team("docker.io", settings=PLAIN) == ("team/a",)
    assert [one.authorization for one in api.asked] == [""]
    api.on("POST /v2/auth/token", {"detail": "incorrect authentication credentials"}, status=401)
    with pytest.raises(AuthenticationError, match="incorrect authentication") as raised:
        list_team("docker.io")
    assert "logging in with spec registries/docker.io" in str(raised.value.reference)


def test_quay_takes_an_oauth_token_and_is_not_shown_a_robots_password(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = quay_set_up(api, monkeypatch)
    api.on(f"GET {QUAY.target}", {"repositories": []})
    list_team(host)
    token = Password(Secret.literal("$oauthtoken"), Secret.literal("oauth"))
    list_team(host, settings=RegistrySettings(auth=Auth(token, token)).over(PLAIN))
    assert [one.authorization for one in api.asked] == ["", "Bearer oauth"]


def test_quay_of_ones_own_is_known_by_its_realm_though_its_catalog_is_empty(api: FakeApi) -> None:
    api.on("GET /v2/_catalog?n=1000", {"repositories": []})
    api.on("GET /v2/", status=401, headers={"WWW-Authenticate": f'Bearer realm="{api.url}/v2/auth",service="x"'})
    api.on(f"GET {QUAY.target}", {"repositories": [{"name": "a"}]})
    assert list_team(api.host) == ("team/a",)


def test_gitlab_is_asked_for_the_nearest_group_or_project(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    host = gitlab_set_up(api, monkeypatch)
    api.on(
        "GET /api/v4/projects/team%2Fapp/registry/repositories?per_page=100",
        [{"path": "team/app/web/x"}, {"path": "team/app/db"}],
    )
    assert list_team(host, prefix="team/app/web") == ("team/app/web/x",)
    asked = [line.split("/")[3:5] for line in api.lines if "/api/v4/" in line]
    assert asked == [
        ["groups", "team%2Fapp%2Fweb"],
        ["projects", "team%2Fapp%2Fweb"],
        ["groups", "team%2Fapp"],
        ["projects", "team%2Fapp"],
    ]


def test_what_names_the_realm_of_a_harbor_on_another_host_is_not_asked_as_one(api: FakeApi) -> None:
    refuse_catalog(api, "http://127.0.0.1:1/service/token")
    with pytest.raises(StoreError):
        list_team(api.host, settings=PLAIN)
    assert not [line for line in api.lines if "/api/" in line]


def test_no_login_goes_to_an_api_in_plain_http(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spec may say `tls: disabled` of the API's host: a registry that has TLS is not left for that."""
    monkeypatch.setattr(ghcr, "API_HOST", api.host)
    hosts = (("ghcr.io", RegistrySettings(auth=WITH_LOGIN.auth)), (api.host, PLAIN))
    registries = Registries(Settings(hosts=hosts), Cancellation(), environment={})
    with pytest.raises(ProtocolError, match="plain HTTP"):
        registries.lister("ghcr.io").list_repositories("team")
    registries.close()
    assert api.lines == []
