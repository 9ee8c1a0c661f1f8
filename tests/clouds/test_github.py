"""A job's identity token: who is asked for it, with what, and what becomes of a bad answer."""

from __future__ import annotations

import pytest

from imagesync.clouds.exchange import MAX_ANSWER_BYTES
from imagesync.clouds.github import HINT, identity_token, issuer_keys
from imagesync.errors import AuthenticationError, NetworkError, ProtocolError, StoreError, TlsError
from tests.fakes.api import FakeApi

SECRET = "request-token-entirely-secret"
ASKED = "GET /idtoken?api-version=2.0&audience=https%3A%2F%2Fsts.example"


def environment(url: str) -> dict[str, str]:
    return {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRET}


def ask(cloud: FakeApi) -> str:
    return identity_token("https://sts.example", environment(f"{cloud.url}/idtoken?api-version=2.0")).reveal()


def failure(cloud: FakeApi) -> StoreError:
    with pytest.raises(StoreError) as raised:
        ask(cloud)
    assert SECRET not in f"{raised.value!r} {raised.value}"
    return raised.value


def test_the_token_is_asked_for_as_github_documents_it(cloud: FakeApi) -> None:
    cloud.on(ASKED, {"count": 1, "value": "header.payload.signature"})
    assert ask(cloud) == "header.payload.signature"
    (asked,) = cloud.asked
    assert (asked.line, asked.authorization) == (ASKED, f"bearer {SECRET}")


def test_an_address_without_a_query_gets_one(cloud: FakeApi) -> None:
    cloud.on("GET /idtoken?audience=a%26b", {"value": "token"})
    assert identity_token("a&b", environment(f"{cloud.url}/idtoken")).reveal() == "token"


@pytest.mark.parametrize("missing", ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
def test_outside_of_a_job_with_the_permission_the_error_says_what_to_add(missing: str) -> None:
    with pytest.raises(AuthenticationError) as raised:
        identity_token("a", environment("https://token.example") | {missing: ""})
    assert raised.value.hint == HINT
    assert "id-token: write" in HINT


def test_a_refusal_says_what_to_add(cloud: FakeApi) -> None:
    cloud.on(ASKED, {}, status=403)
    error = failure(cloud)
    assert isinstance(error, AuthenticationError)
    assert (error.message, error.hint) == ("GitHub's server of identity tokens answered 403", HINT)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/idtoken", "file:///etc/passwd", "data:application/json,{}", "https:///x", "https://a@b/c"],
)
def test_what_is_no_https_address_is_refused_before_a_request(url: str) -> None:
    with pytest.raises(AuthenticationError, match="over https"):
        identity_token("a", environment(url))


def test_a_redirect_is_not_followed(cloud: FakeApi) -> None:
    cloud.on(ASKED, {}, status=307, headers={"Location": f"{cloud.url}/elsewhere"})
    assert isinstance(failure(cloud), ProtocolError)
    assert cloud.lines == [ASKED]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_can_be_tried_again(cloud: FakeApi, status: int) -> None:
    cloud.on(ASKED, {}, status=status)
    error = failure(cloud)
    assert (type(error), error.is_transient) == (NetworkError, True)


def test_a_server_that_is_not_there_is_a_matter_of_the_network(cloud: FakeApi) -> None:
    with pytest.raises(NetworkError, match="cannot be reached: ConnectionRefusedError"):
        identity_token("a", environment("https://localhost:1/idtoken"))


def test_a_server_without_a_trusted_certificate_gets_nothing(cloud: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert isinstance(failure(cloud), TlsError)
    assert cloud.lines == []


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"<html>", b"[" * 100_000, b"[]", b"{}", b'{"value": 1}', b'{"value": ""}', b'{"value": "a b"}'),
        *(b'{"value": "a\\u001b[2J"}', b'{"value": "' + b"a" * 70_000 + b'"}', b" " * (MAX_ANSWER_BYTES + 1)),
    ],
)
def test_an_answer_that_is_no_token_is_refused(cloud: FakeApi, answer: bytes) -> None:
    cloud.on(ASKED, answer)
    assert isinstance(failure(cloud), ProtocolError)


def test_the_keys_of_an_issuer_are_read_where_they_are_without_a_login(cloud: FakeApi) -> None:
    cloud.on("GET /_services/token/.well-known/jwks", {"keys": [{"kid": "one"}]})
    assert issuer_keys(f"{cloud.url}/_services/token") == {"keys": [{"kid": "one"}]}
    assert [one.authorization for one in cloud.asked] == [""]


def test_an_issuer_that_has_no_keys_is_named(cloud: FakeApi) -> None:
    with pytest.raises(StoreError) as raised:
        issuer_keys(cloud.url)
    assert raised.value.message == f"the issuer {cloud.url} answered 404"
    assert "https://HOST/_services/token" in (raised.value.hint or "")
