"""What a refusal means, and that its words are safe to print."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import (
    AuthenticationError,
    ImmutableError,
    IntegrityError,
    LimitError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    StoreError,
    UnsupportedError,
)
from imagesync.registry.answers import Refusal, class_for, parse_refusal, pull_limit


def make_body(code: str, message: str, detail: object = None) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message, "detail": detail}]}).encode()


@pytest.mark.parametrize(
    ("content_type", "body", "shown"),
    [
        ("application/json", make_body("NAME_UNKNOWN", "no such name"), "404 NAME_UNKNOWN: no such name"),
        ("text/plain", make_body("NAME_UNKNOWN", "no such name"), "404 NAME_UNKNOWN: no such name"),
        ("application/json", b'{"details":"incorrect username"}', "404 incorrect username"),
        ("application/json", b'{"errors":null}', "status 404"),
        ("application/json", b'{"errors":["gone"]}', "404 gone"),
        ("application/json", b'{"errors":[{"code":7,"message":[]}]}', "status 404"),
        ("application/json", b'{"errors":[{"code":[],"message":"gone","detail":"for good"}]}', "404 gone"),
        ("application/json", b"[]", "404 []"),
        ("application/json", b"{" * 50_000, "404 " + "{" * 300 + "…"),
        ("text/html", b"<p>hello", "404 an HTML page, as from a proxy or a login form"),
        ("", b"<!DOCTYPE html>", "404 an HTML page, as from a proxy or a login form"),
        ("text/plain", b"404 page not found\n", "404 404 page not found"),
        ("", b"", "status 404"),
        ("", b"\x1b[31mred\x07 \xff", r"404 \x1b[31mred\x07 \ufffd"),
    ],
)
def test_an_error_body_of_any_form_gives_a_short_safe_text(content_type: str, body: bytes, shown: str) -> None:
    """ERR-01."""
    assert str(parse_refusal(404, content_type, body)) == shown


@given(st.binary(max_size=200))
def test_any_error_body_is_shown_without_control_characters(body: bytes) -> None:
    text = str(parse_refusal(400, "", body))
    assert text.replace("…", "").isprintable()
    assert len(text) < 2000


def test_a_missing_blob_is_named() -> None:
    refusal = parse_refusal(400, "", make_body("MANIFEST_BLOB_UNKNOWN", "blob unknown", {"digest": "sha256:ab"}))
    assert "sha256:ab" in refusal.text


@pytest.mark.parametrize(
    ("refusal", "own"),
    [
        (Refusal(401, "UNAUTHORIZED"), AuthenticationError),
        (Refusal(403, "DENIED", "requested access is denied"), AuthenticationError),
        (Refusal(403, "DENIED", "adding 5 MiB exceeds the quota"), LimitError),
        (Refusal(403, "QUOTA_EXCEEDED"), LimitError),
        (Refusal(412, "PRECONDITION", "will exceed the configured quota: 5 MiB"), LimitError),
        (Refusal(403, "DENIED", "no access to acme/quota-service"), AuthenticationError),
        (Refusal(403, "DENIED", "no access to acme/quota"), AuthenticationError),
        (Refusal(400, "DIGEST_INVALID", "the quota of digests"), IntegrityError),
        (Refusal(404, "NAME_UNKNOWN", "The repository with name 'acme/immutable-base' does not exist"), NotFoundError),
        (Refusal(412, "PRECONDITION", "configured as immutable"), ProtocolError),
        (Refusal(409, "TAG_IMMUTABLE"), ImmutableError),
        (Refusal(400, "MANIFEST_INVALID", "http: request body too large"), LimitError),
        (Refusal(400, "DIGEST_INVALID"), IntegrityError),
        (Refusal(400, "MANIFEST_BLOB_UNKNOWN"), NotFoundError),
        (Refusal(400, "SOMETHING_NEW"), ProtocolError),
        (Refusal(404, "UNKNOWN", "not found"), NotFoundError),
        (Refusal(405), UnsupportedError),
        (Refusal(413), LimitError),
        (Refusal(415), UnsupportedError),
        (Refusal(429), LimitError),
        (Refusal(500), NetworkError),
        (Refusal(503, text="quota of workers"), NetworkError),
        (Refusal(200), ProtocolError),
    ],
)
def test_a_refusal_has_the_class_of_what_it_means(refusal: Refusal, own: type[StoreError]) -> None:
    assert class_for(refusal) is own


@pytest.mark.parametrize(
    ("refusal", "own"),
    [
        (Refusal(412, "PRECONDITION", "configured as immutable"), ImmutableError),
        (Refusal(409, "X", "the tag is immutable."), ImmutableError),
        (Refusal(403, "IMMUTABLE_TAG"), ImmutableError),
        (Refusal(400, "TAG_INVALID", "the tag 'x' already exists and cannot be overwritten"), ImmutableError),
        (Refusal(404, "NAME_UNKNOWN", "tags here are immutable"), NotFoundError),
        (Refusal(404, "", "tags here are immutable"), NotFoundError),
        (Refusal(400, "MANIFEST_BLOB_UNKNOWN", "tags here are immutable"), NotFoundError),
        (Refusal(401, "UNAUTHORIZED", "tags here are immutable"), AuthenticationError),
        (Refusal(403, "DENIED", "no access to acme/immutable-base"), AuthenticationError),
        (Refusal(403, "DENIED", "no access to acme/immutable"), AuthenticationError),
        (Refusal(403, "DENIED", "no access to acme/base:immutable"), AuthenticationError),
    ],
)
def test_only_what_writes_a_manifest_can_meet_a_tag_that_is_fixed(refusal: Refusal, own: type[StoreError]) -> None:
    """MAN-18: by the code, or by a word that is no part of a name."""
    assert class_for(refusal, is_manifest_put=True) is own


def test_the_pull_limit_is_named_with_its_window() -> None:
    """LIM-03."""
    refusal = Refusal(429, "TOOMANYREQUESTS", "You have reached your pull rate limit.")
    assert pull_limit(refusal, {"ratelimit-limit": "100;w=21600"}) == "the pull limit of 100 in 6 hours is used up"
    assert pull_limit(refusal, {}) == "the pull limit is used up"
    assert pull_limit(refusal, {"Retry-After": "3"}) is None
    assert pull_limit(Refusal(429, text="slow down"), {}) is None


@pytest.mark.parametrize(
    "said",
    [
        "no right: Authorization: Basic dXNlcjpodW50ZXIy",
        "basic dXNlcjpodW50ZXIy",
        "Bearer abcdefgh12345678 has expired",
        "the token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln is not known",
        "see https://s3.example/blob?X-Amz-Signature=c2ln",
        "see https://user:hunter2@registry.example/",
    ],
)
def test_a_login_that_a_server_repeats_is_not_shown(said: str) -> None:
    """S14, SEC-01: debugging proxies answer with the headers that they got."""
    shown = str(parse_refusal(403, "text/plain", said.encode()))
    assert "***" in shown
    assert not [secret for secret in ("dXNlcj", "abcdefgh", "eyJ", "c2ln", "hunter2") if secret in shown]


@pytest.mark.parametrize("said", ["Basic authentication is needed", "the bearer token is missing", "bearer of nothing"])
def test_words_about_logins_are_shown(said: str) -> None:
    assert str(parse_refusal(403, "text/plain", said.encode())) == f"403 {said}"
