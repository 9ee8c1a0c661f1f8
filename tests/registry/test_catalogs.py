"""Catalogs: what registries list by themselves, and what they are when they do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from imagesync.behaviour import Said
from imagesync.cancellation import Cancellation
from imagesync.errors import AuthenticationError, NetworkError, NotFoundError, ProtocolError, StoreError
from imagesync.registry import Registries
from imagesync.server.auth import TokenAuth
from imagesync.settings import Auth, Password, RegistrySettings, Secret, Settings
from tests.conftest import MakeRegistry
from tests.fakes.api import FakeApi
from tests.fakes.registry import FakeRegistry
from tests.images import make_image, push_image
from tests.registry.remote import PLAIN, open_registries
from tests.registry.vendors import BASIC, CATALOG, LOGIN, UNAUTHORIZED, WITH_LOGIN

OTHER = Password(Secret.literal("other"), Secret.literal("secret"))
LOGINS = (("team", LOGIN), ("x", OTHER))


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as started:
        yield started


@pytest.fixture
def registries() -> Iterator[Registries]:
    with open_registries() as opened:
        yield opened


def test_a_catalog_is_read_page_by_page_and_what_is_below_a_prefix_is_kept(
    make_registry: MakeRegistry,
) -> None:
    registry = make_registry()
    for path in ("a/x", "a/y/z", "a", "ab/x", "b/x"):
        push_image(registry.repository(path), make_image(path), "1")
    two_a_page = replace(PLAIN, behaviour=Said(page_size=2))
    with open_registries((registry.host, two_a_page)) as registries:
        lister = registries.lister(registry.host)
        assert lister.list_repositories("a") == ("a/x", "a/y/z")
        assert lister.list_repositories("") == ("a", "a/x", "a/y/z", "ab/x", "b/x")
    assert [entry.query for entry in registry.log.entries("GET", "_catalog")] == [
        "n=2",
        "n=2&last=a%2Fx",
        "n=2&last=ab%2Fx",
    ]


def test_a_catalog_is_asked_for_with_its_own_scope_as_who_may_read(make_registry: MakeRegistry) -> None:
    registry = make_registry(auth=TokenAuth({"robot": "secret"}))
    push_image(registry.repository("a/x"), make_image("x"), "1")
    with open_registries((registry.host, WITH_LOGIN)) as registries:
        assert registries.lister(registry.host).list_repositories("a") == ("a/x",)
    (asked,) = registry.log.entries("GET", "/token")
    assert "registry%3Acatalog%3A%2A" in asked.query


def test_listed_names_that_are_none_are_told_apart(api: FakeApi, registries: Registries) -> None:
    names = ["a/b", "a/B", "a/../c", "a/\x1b[31m", "a/b", "a//c", 7, None, f"a/{'x' * 300}"]
    api.on(CATALOG, {"repositories": names})
    found = registries.lister(api.host).list_repositories("")
    assert found == ("a/b",)
    assert set(found.illegal) == {"a/B", "a/../c", "a/\x1b[31m", "a//c", f"a/{'x' * 300}"}


@pytest.mark.parametrize("document", [{"repositories": None}, {}, {"repositories": []}])
def test_an_empty_catalog_is_empty(api: FakeApi, registries: Registries, document: object) -> None:
    api.on(CATALOG, document)
    assert registries.lister(api.host).list_repositories("a") == ()


def test_a_registry_with_smaller_pages_is_asked_without_a_size(api: FakeApi, registries: Registries) -> None:
    """TAG-06."""
    api.on(CATALOG, status=405).on("GET /v2/_catalog", {"repositories": ["a/b"]})
    assert registries.lister(api.host).list_repositories("a") == ("a/b",)


@pytest.mark.parametrize("link", ["<https://evil.example/v2/_catalog>; rel=next", "</v2/_catalog?n=1000>; rel=next"])
def test_a_catalog_that_leads_elsewhere_or_in_a_circle_is_an_error(
    api: FakeApi, registries: Registries, link: str
) -> None:
    """TAG-03."""
    api.on(CATALOG, {"repositories": ["a/b"]}, headers={"Link": link})
    with pytest.raises(ProtocolError, match=r"another host|does not end"):
        registries.lister(api.host).list_repositories("a")


@pytest.mark.parametrize(
    ("status", "document", "own"),
    [
        (404, b"404 page not found", NotFoundError),
        (401, UNAUTHORIZED, AuthenticationError),
        (200, b"<!DOCTYPE html><html>", ProtocolError),
        (200, {"repositories": "a/b"}, ProtocolError),
    ],
)
def test_a_registry_that_lists_nothing_is_named_with_what_was_tried_and_what_to_do(
    api: FakeApi, registries: Registries, status: int, document: object, own: type[StoreError]
) -> None:
    api.on(CATALOG, document, status=status)
    with pytest.raises(own) as raised:
        registries.lister(api.host).list_repositories("a")
    assert "`_catalog` " in raised.value.message
    assert "no other list of this registry is known" in raised.value.message
    assert raised.value.reference == api.host
    assert str(raised.value.hint).endswith("name the repositories, or write {a,b}")


@pytest.mark.usefixtures("no_waiting")
def test_a_registry_that_is_down_is_not_taken_for_one_without_a_catalog(api: FakeApi, registries: Registries) -> None:
    api.on(CATALOG, status=503)
    with pytest.raises(NetworkError):
        registries.lister(api.host).list_repositories("a")
    assert set(api.lines) == {CATALOG}


def test_the_login_for_what_is_below_a_prefix_is_used_and_sees_a_catalog_of_its_own(registry: FakeRegistry) -> None:
    registry.script("GET", "_catalog", status=401, headers={"WWW-Authenticate": 'Basic realm="x"'}, times=1)
    registry.script("GET", "_catalog", status=200, body=b'{"repositories":["team/a","x/b"]}')
    own = tuple((f"{registry.host}/{path}", RegistrySettings(auth=Auth(login, login))) for path, login in LOGINS)
    registries = Registries(Settings(prefixes=own), Cancellation(), environment={})
    lister = registries.lister(registry.host)
    assert [lister.list_repositories(path) for path in ("team", "x", "team")] == [("team/a",), ("x/b",), ("team/a",)]
    registries.close()
    asked = [entry.headers.get("Authorization") for entry in registry.log.entries("GET", "_catalog")]
    assert asked == [None, BASIC, "Basic b3RoZXI6c2VjcmV0"]
