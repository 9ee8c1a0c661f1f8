"""Redaction: what looks like a secret is hidden by its form, what is one by its value, and no text makes it slow."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync import redaction
from imagesync.doctor.check import Check, Status, Topic
from imagesync.errors import ImagesyncError, InternalError, InvalidReference, Place, Problem, SpecError
from imagesync.gates.verdict import Finding
from imagesync.redaction import MAX_REMEMBERED, MIN_LENGTH, redacted, remember
from imagesync.reference import parse_reference
from imagesync.registry.answers import MAX_SHOWN, parse_refusal
from imagesync.registry.message import Authorization
from imagesync.settings import Secret
from imagesync.spec.names import parse_source

SECRET = 'pa55/word+with "all" ä'


@pytest.fixture(autouse=True)
def _own_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests have revealed does not count here."""
    monkeypatch.setattr(redaction, "_values", redaction._Values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:hunter2@host/path", "https://***@host/path"),
        ("https://user@host/path", "https://***@host/path"),
        ("https://host/blob?X-Amz-Signature=hunter2&sig=hunter2", "https://host/blob?X-Amz-Signature=***&sig=***"),
        ("/v2/a/blobs/uploads/?mount=sha256:a&from=b", "/v2/a/blobs/uploads/?mount=sha256:a&from=b"),
        (
            "/token?service=s&scope=repository:a:pull&password=x",
            "/token?service=s&scope=repository:a:pull&password=***",
        ),
        (
            "next /v2/a/tags/list?n=100&last=b, then https://u:p@h",
            "next /v2/a/tags/list?n=100&last=b, then https://***@h",
        ),
        ("docker.io/library/nginx:latest@sha256:abc", "docker.io/library/nginx:latest@sha256:abc"),
        ("https://user:p@ss@host/path, a@b", "https://***@host/path, a@b"),
        ("//user:hunter2@host", "//***@host"),
        ("/v2/a/blobs/uploads/1?_state=hunter2&n=1", "/v2/a/blobs/uploads/1?_state=***&n=1"),
    ],
)
def test_what_may_be_a_secret_in_a_url_is_hidden(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer hunter2, so", "Authorization: ***, so"),
        ("proxy-authorization=Basic aHVudGVyMg==", "proxy-authorization= ***"),
        ("Set-Cookie: a=hunter2; b=hunter2\nnext", "Set-Cookie: ***\nnext"),
        ("sent Bearer abcdefghijklmnopqrstuvwxyz to", "sent Bearer *** to"),
        ('{"access_token": "hunter2", "expires_in": 60}', '{"access_token": "***", "expires_in": 60}'),
        ("{'password':'hunter2'}", "{'password': \"***'}"),
        ("got X-Amz-Signature=hunter2 and sig=hunter2", "got X-Amz-Signature=*** and sig=***"),
        ("it is eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln here", "it is *** here"),
        (
            "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEI\n-----END EC PRIVATE KEY-----",
            "-----BEGIN EC PRIVATE KEY-----***-----END EC PRIVATE KEY-----",
        ),
        ("Basic authentication is wanted", "Basic authentication is wanted"),
        ("give `auth:` in the spec, or `token: NAME`", "give `auth:` in the spec, or `token: NAME`"),
        ("unauthorized: authentication required", "unauthorized: authentication required"),
        ('Bearer error="insufficient_scope"', 'Bearer error="insufficient_scope"'),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_nothing_else(text: str, expected: str) -> None:
    """S14."""
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "spelled",
    [
        *(SECRET, ascii(SECRET)[1:-1], json.dumps(SECRET)[1:-1], html.escape(SECRET)),
        *(quote(SECRET, safe=""), re.sub("%..", lambda one: one[0].lower(), quote(SECRET, safe=""))),
        SECRET.encode().hex(),
    ],
)
def test_a_secret_that_was_revealed_is_hidden_however_it_is_written(spelled: str) -> None:
    assert Secret.literal(SECRET).reveal() == SECRET
    assert redacted(f"wrong password {spelled}!") == "wrong password ***!"


def test_the_base64_of_a_login_that_was_sent_is_hidden() -> None:
    Authorization.basic("user", Secret.literal(SECRET)).reveal()
    sent = base64.b64encode(f"user:{SECRET}".encode()).decode()
    assert redacted(f"you sent {sent}") == "you sent ***"


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_hidden_in_base64_whatever_stands_before_it(encode: Callable[[bytes], bytes], before: str) -> None:
    """A server that repeats the headers it was sent under another user's name, or the password alone."""
    remember(SECRET)
    said = encode(f"{before}{SECRET} and more".encode()).decode()
    shown = redacted(f"you sent {said}")
    assert "***" in shown
    assert encode(SECRET.encode())[4:12].decode() not in shown


def test_what_is_looked_for_is_made_when_a_text_comes_and_not_for_each_token() -> None:
    for number in range(5):
        remember(f"token-{number}-of-a-repository")
    assert redaction._values._longest_first is None
    assert redacted("token-3-of-a-repository") == "***"


def test_each_line_of_a_secret_is_hidden_but_not_what_every_key_begins_with() -> None:
    remember("-----BEGIN PRIVATE KEY-----\nfirst-line\nsecond-line\n")
    assert redacted("-----BEGIN PRIVATE KEY----- second-line first-line") == "-----BEGIN PRIVATE KEY-----***"
    assert redacted("second-line first-line") == "*** ***"


def test_of_two_secrets_the_longer_one_is_hidden_first() -> None:
    remember("hunter2hunter2")
    remember("hunter2hunter2-more")
    assert redacted("hunter2hunter2-more hunter2hunter2") == "*** ***"


def test_a_short_secret_is_not_looked_for() -> None:
    remember("a" * (MIN_LENGTH - 1))
    assert redacted("aaaaaaaaaaaaaaaa") == "aaaaaaaaaaaaaaaa"


def test_a_user_name_of_the_spec_is_not_looked_for() -> None:
    name = Secret.literal("organisation")
    assert name.read() == "organisation"
    assert redacted("docker.io/organisation/app") == "docker.io/organisation/app"


def test_the_secrets_that_were_used_last_are_looked_for() -> None:
    remember("the-login")
    for number in range(MAX_REMEMBERED):
        remember(f"token-{number:04}")
        remember("the-login")
    assert redacted("the-login token-0000 token-0511") == "*** token-0000 ***"


def test_an_error_holds_no_secret_in_any_of_its_parts() -> None:
    remember("hunter2hunter2")
    error = ImagesyncError("server said hunter2hunter2", hint="try https://u:x@h")
    assert (error.message, error.hint, str(error.args)) == (
        "server said ***",
        "try https://***@h",
        "('server said ***',)",
    )
    assert "hunter2" not in repr(error) + str(error) + str(InternalError.of(KeyError("hunter2hunter2")))


def test_a_mistake_in_a_spec_that_quotes_a_login_hides_it() -> None:
    problem = Problem(Place("sync.yaml", 3, 5), "'https://user:hunter2@host/a' is no name")
    assert str(SpecError([problem])) == "sync.yaml:3:5: 'https://***@host/a' is no name"


@pytest.mark.parametrize("text", ["https://ann:hunter2@host/a?token=hunter2", f"https://ann:hunter2{'x' * 90}@host/a"])
@pytest.mark.parametrize("read", [parse_reference, parse_source])
def test_a_login_in_front_of_a_name_is_shown_neither_by_the_error_nor_by_its_hint(
    read: Callable[[str], object], text: str
) -> None:
    with pytest.raises(InvalidReference) as caught:
        read(text)
    assert "hunter2" not in str(caught.value)
    assert "write host/a" in str(caught.value)


@pytest.mark.parametrize("form", ["{}", '{{"errors": [{{"code": "DENIED", "message": "{}"}}]}}', "<{}", '["{}"]'])
@pytest.mark.parametrize("before", [0, MAX_SHOWN - 5])
def test_a_server_that_repeats_a_password_cannot_have_it_printed_not_even_a_part(form: str, before: int) -> None:
    """SEC-01: what is cut off is cut after it was hidden."""
    remember("hunter2hunter2")
    body = form.format("." * before + "hunter2hunter2")
    assert "hunt" not in str(parse_refusal(403, "text/plain", body.encode()))


@pytest.mark.parametrize("body", ["a passphrase\n  of words", '{"error": "a\\tpassphrase\\r\\nof words"}'])
@pytest.mark.parametrize("before", [0, MAX_SHOWN - 5])
def test_a_secret_that_is_whole_only_when_its_lines_are_joined_is_hidden(body: str, before: int) -> None:
    """SEC-01."""
    remember("a passphrase of words")
    shown = str(parse_refusal(403, "text/plain", body.replace("a", "." * before + "a", 1).encode()))
    assert "of words" not in shown
    assert "phrase" not in shown


def test_what_a_gate_repeats_of_labels_and_programs_is_hidden() -> None:
    """SEC-01: it stands in plans, reports and records."""
    remember("hunter2hunter2")
    found = Finding.blocked("label a is 'hunter2hunter2'", hint="not hunter2hunter2")
    assert "hunter2" not in repr(found)


def test_what_the_doctor_repeats_of_a_server_is_hidden() -> None:
    remember("hunter2hunter2")
    assert "hunter2" not in repr(Check(Topic.REGISTRY, Status.OK, "for hunter2hunter2", "not hunter2hunter2"))


HOSTILE = [
    *("?", "&", "?a", "//", "//a:", "@", "eyJ", "eyJ-", "eyJaaaaaaaa.", "Bearer ", "Bearer a", "Authorization:"),
    *("Authorization: a ", "cookie=", '"token"', "'auth' : ", "sig", "x-amz-a", "-----BEGIN PRIVATE KEY-----", "a b"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    """Eight times the text may take thirty-two times as long, on a busy machine; with a square it would be 64."""
    remember("hunter2hunter2")
    short, long = (piece * (size // len(piece)) for size in (40_000, 320_000))
    assert _seconds(long) < 32 * max(_seconds(short), 0.002)


def _seconds(text: str) -> float:
    """The least of three, in time of this thread alone."""

    def once() -> float:
        began = time.thread_time()
        redacted(text)
        return time.thread_time() - began

    return min(once() for _ in range(3))


@given(st.text(), st.text(alphabet=st.characters(codec="utf-8"), min_size=MIN_LENGTH))
def test_no_text_breaks_it_and_no_secret_survives(around: str, secret: str) -> None:
    remember(secret)
    lines = [line for line in secret.splitlines() if len(line) >= MIN_LENGTH and not line.startswith("-----")]
    shown = redacted(f"{around} {secret} {around}")
    assert not any(line in shown.replace("***", "") for line in lines if "*" not in line and line not in around)
