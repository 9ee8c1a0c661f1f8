"""Logins: basic, and tokens with the actions that they are for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from imagesync.server.auth import BasicAuth, TokenAuth, parse_scopes
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.images import make_image, push_image
from tests.server.client import Client, basic

USERS = {"ann": "s3cret:with colon"}
ANN = basic("ann", USERS["ann"])


class Clock:
    """A clock that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guarded(make_registry: MakeRegistry, clock: Clock) -> FakeRegistry:
    made = make_registry(auth=TokenAuth(USERS, anonymous_pull=True, seconds=60, clock=clock))
    push_image(made.repository("a/b"), make_image(), "t")
    return made


@pytest.fixture
def client(guarded: FakeRegistry) -> Iterator[Client]:
    made = Client(guarded)
    yield made
    made.close()


def token(client: Client, *scopes: str, login: str | None = None) -> str:
    query = "&".join(f"scope={scope}" for scope in scopes)
    path = f"/token?{query}"
    answer = client("GET", path, Authorization=login) if login else client("GET", path)
    return f"Bearer {answer.json['token']}"


@pytest.mark.parametrize(
    "login", [None, basic("ann", "wrong"), basic("bob", ""), basic("", ""), "Basic !", "Basic", "Bearer x"]
)
def test_basic_refuses_all_but_the_right_password(make_registry: MakeRegistry, login: str | None) -> None:
    client = Client(make_registry(auth=BasicAuth(USERS)))
    reply = client("GET", "/v2/", Authorization=login or "")
    assert (reply.status, reply.codes) == (401, ["UNAUTHORIZED"])
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="imagesync registry"'
    assert client("GET", "/v2/", Authorization=ANN).status == 200
    client.close()


def test_a_challenge_names_realm_service_and_scope(guarded: FakeRegistry, client: Client) -> None:
    reply = client("HEAD", "/v2/a/b/manifests/t")
    assert (reply.status, reply.body) == (401, b"")
    assert reply.headers["WWW-Authenticate"] == (
        f'Bearer realm="{guarded.url}/token",service="imagesync registry",scope="repository:a/b:pull"'
    )


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/", None),
        ("GET", "/v2/a/tags/list", "repository:a:pull"),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("PUT", "/v2/a/manifests/t", "repository:a:pull,push"),
        ("DELETE", "/v2/a/manifests/t", "repository:a:delete"),
        ("POST", "/v2/a/blobs/uploads/", "repository:a:pull,push"),
        ("GET", f"/v2/a/blobs/uploads/{'0' * 32}", "repository:a:pull,push"),
        ("DELETE", f"/v2/a/blobs/uploads/{'0' * 32}", "repository:a:pull,push"),
        ("POST", "/v2/a/blobs/uploads/?mount=x&from=c/d", "repository:a:pull,push repository:c/d:pull"),
    ],
)
def test_each_endpoint_needs_its_actions(client: Client, method: str, path: str, scope: str | None) -> None:
    challenge = client(method, path).headers["WWW-Authenticate"]
    found = re.search(r'scope="([^"]*)"', challenge)
    assert (found[1] if found else None) == scope


def test_a_token_is_good_for_its_actions_and_no_others(client: Client) -> None:
    reading = token(client, "repository:a/b:pull", login=ANN)
    assert client("HEAD", "/v2/a/b/manifests/t", Authorization=reading).status == 200
    for method, path in [("POST", "/v2/a/b/blobs/uploads/"), ("GET", "/v2/other/tags/list")]:
        refused = client(method, path, Authorization=reading)
        assert refused.status == 401
        assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    writing = token(client, "repository:a/b:pull,push", "repository:other:pull", login=ANN)
    assert client("POST", "/v2/a/b/blobs/uploads/", Authorization=writing).status == 202
    assert client("GET", "/v2/other/tags/list", Authorization=writing).status == 404


def test_a_token_ends(client: Client, clock: Clock) -> None:
    held = token(client, "repository:a/b:pull", login=ANN)
    clock.now += 59
    assert client("HEAD", "/v2/a/b/manifests/t", Authorization=held).status == 200
    clock.now += 1
    refused = client("HEAD", "/v2/a/b/manifests/t", Authorization=held)
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize("changed", ["", "x", "x.y", "{body}.", "{body}.00", "x{body}.{mac}", ".{mac}", "{body}.ü"])
def test_a_token_that_was_changed_is_refused(client: Client, changed: str) -> None:
    body, _, mac = token(client, "repository:a/b:pull").removeprefix("Bearer ").partition(".")
    forged = changed.format(body=body, mac=mac)
    assert client("HEAD", "/v2/a/b/manifests/t", Authorization=f"Bearer {forged}").status == 401


def test_everyone_may_read_where_that_is_set_and_only_read(client: Client) -> None:
    anonymous = token(client, "repository:a/b:pull,push,delete")
    assert client("HEAD", "/v2/a/b/manifests/t", Authorization=anonymous).status == 200
    assert client("DELETE", "/v2/a/b/manifests/t", Authorization=anonymous).status == 401
    assert client("GET", "/v2/_catalog", Authorization=token(client, "registry:catalog:*")).status == 401


def test_no_one_may_read_without_a_login_where_it_is_not_set(make_registry: MakeRegistry) -> None:
    registry = make_registry(auth=TokenAuth(USERS))
    client = Client(registry)
    anonymous = token(client, "repository:a:pull")
    assert client("GET", "/v2/a/tags/list", Authorization=anonymous).status == 401
    client.close()


def test_a_wrong_password_gets_no_token(client: Client) -> None:
    reply = client("GET", "/token?scope=repository:a/b:pull", Authorization=basic("ann", "wrong"))
    assert (reply.status, reply.codes) == (401, ["UNAUTHORIZED"])


def test_a_refresh_token_is_exchanged_for_access_tokens_and_is_none(client: Client) -> None:
    form = "application/x-www-form-urlencoded"
    got = client(
        "POST",
        "/token",
        body=b"grant_type=password&username=ann&password=s3cret%3Awith+colon&access_type=offline",
        Content_Type=form,
    )
    refresh = got.json["refresh_token"]
    body = f"grant_type=refresh_token&refresh_token={refresh}&scope=repository:a/b:pull,push".encode()
    access = client("POST", "/token", body=body, Content_Type=form).json["access_token"]
    assert client("POST", "/v2/a/b/blobs/uploads/", Authorization=f"Bearer {access}").status == 202
    assert client("POST", "/v2/a/b/blobs/uploads/", Authorization=f"Bearer {refresh}").status == 401
    stolen = f"grant_type=refresh_token&refresh_token={access}".encode()
    assert client("POST", "/token", body=stolen, Content_Type=form).status == 401


def test_scopes_may_name_a_host_with_a_port_and_what_is_none_is_left_out() -> None:
    assert parse_scopes(["repository:host:5000/a:pull,push repository:b:pull", "nonsense", "a:b"]) == {
        "repository:host:5000/a": {"pull", "push"},
        "repository:b": {"pull"},
    }
