"""The APIs that list repositories where a registry has no catalog, in the shapes that their vendors document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagesync.errors import (
    AuthenticationError,
    LimitError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    StoreError,
)
from tests.fakes.api import FakeApi
from tests.registry.remote import open_registries
from tests.registry.vendors import (
    GHCR,
    GITLAB,
    HARBOR,
    HUB,
    QUAY,
    SECOND,
    WITH_LOGIN,
    Vendor,
    list_team,
)

VENDORS = pytest.mark.parametrize("vendor", [HUB, GHCR, QUAY, HARBOR, GITLAB], ids=lambda vendor: vendor.name)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as started:
        yield started


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
