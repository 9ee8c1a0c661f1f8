"""What each API that lists repositories has of its own: logins, places to ask, and what it is known by."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import (
    AuthenticationError,
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
    HUB,
    QUAY,
    WITH_LOGIN,
    Vendor,
    ghcr_set_up,
    gitlab_set_up,
    harbor_set_up,
    hub_page,
    list_team,
    quay_set_up,
    refuse_catalog,
)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as started:
        yield started


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


def test_docker_hub_is_logged_in_to_once_for_several_namespaces(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    host = HUB.set_up(api, monkeypatch)
    for namespace in ("team", "other"):
        api.on(f"GET {HUB.target.replace('team', namespace)}", hub_page(api, ["a"], "")[0])
    with open_registries((host, WITH_LOGIN)) as registries:
        lister = registries.lister(host)
        assert (lister.list_repositories("team"), lister.list_repositories("other")) == (("team/a",), ("other/a",))
    assert [line for line in api.lines if line.startswith("POST")] == ["POST /v2/auth/token"]
    assert api.asked[0].body == b'{"identifier": "robot", "secret": "secret"}'


def test_quay_takes_an_oauth_token_and_is_not_shown_a_robots_password(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = quay_set_up(api, monkeypatch)
    api.on(f"GET {QUAY.target}", {"repositories": []})
    list_team(host)
    token = Password(Secret.literal("$oauthtoken"), Secret.literal("oauth"))
    list_team(host, settings=RegistrySettings(auth=Auth(token, token)).over(PLAIN))
    assert [one.authorization for one in api.asked] == ["", "Bearer oauth"]


@pytest.mark.parametrize(
    ("token", "found"),
    [
        *((token, ("team/a", "team/b")) for token in ("\ud800", "a b")),
        *((token, ("team/a",)) for token in (7, None, "", {})),
    ],
)
def test_a_next_page_of_quay_is_whatever_text_it_gives(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, token: object, found: tuple[str, ...]
) -> None:
    host = quay_set_up(api, monkeypatch)
    api.on(f"GET {QUAY.target}", {"repositories": [{"name": "a"}], "next_page": token})
    for escaped in ("%3F", "a%20b"):
        api.on(f"GET {QUAY.target}&next_page={escaped}", {"repositories": [{"name": "b"}]})
    assert list_team(host) == found


def test_a_next_page_of_quay_that_makes_no_address_is_an_error(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    host = quay_set_up(api, monkeypatch)
    api.on(f"GET {QUAY.target}", {"repositories": [{"name": "a"}], "next_page": "x" * 20_000})
    with pytest.raises(ProtocolError, match="is not an address"):
        list_team(host)


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
