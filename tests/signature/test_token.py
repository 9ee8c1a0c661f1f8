"""Identity tokens: what an issuer has signed is read, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.signature.token import MAX_TOKEN_LENGTH, Expected, claims_of
from imagesync.signature.verdict import Refusal
from tests.signature.signers import make_rsa
from tests.signature.tokens import Issuer, encoded

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
LATER = int(NOW.timestamp()) + 300
ISSUER, STRANGER = Issuer(), Issuer()
WEAK = Issuer(signer=make_rsa(bits=1024))
EXPECTED = Expected(ISSUER.url, "imagesync:1", NOW)
GOOD = {"aud": "imagesync:1", "exp": LATER, "environment": "production"}
TOKEN = ISSUER.token(GOOD)


def refusal(token: str, keys: Any = None) -> str:
    with pytest.raises(Refusal) as raised:
        claims_of(token, ISSUER.keys() if keys is None else keys, EXPECTED)
    return raised.value.reason


@pytest.mark.parametrize("audience", ["imagesync:1", ["imagesync:1"]])
def test_what_the_issuer_has_signed_is_read(audience: object) -> None:
    token = ISSUER.token({**GOOD, "aud": audience})
    assert claims_of(token, ISSUER.keys(), EXPECTED)["environment"] == "production"


def forged(**claims: Any) -> str:
    """Other claims below the same signature."""
    header, _, signature = TOKEN.split(".")
    return f"{header}.{encoded(json.dumps({'iss': ISSUER.url, **GOOD, **claims}).encode())}.{signature}"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (STRANGER.token(GOOD), "the token is not signed by its issuer"),
        (forged(environment="staging"), "the token is not signed by its issuer"),
        (ISSUER.token(GOOD, alg="none"), "the token is signed with 'none', wanted RS256"),
        (ISSUER.token(GOOD, alg="HS256"), "the token is signed with 'HS256', wanted RS256"),
        (ISSUER.token(GOOD, kid="two"), "the issuer publishes no such key"),
        (ISSUER.token(GOOD, kid="other"), "the issuer publishes no such key"),
        (ISSUER.token(GOOD, kid=""), "the issuer publishes no such key"),
        (ISSUER.token({**GOOD, "iss": "https://else"}), "the token is issued by 'https://else', wanted https://token"),
        (ISSUER.token({**GOOD, "aud": "sigstore"}), "the token is for somebody else"),
        (ISSUER.token({**GOOD, "aud": ["imagesync:1", "sigstore"]}), "the token is for somebody else"),
        (ISSUER.token({**GOOD, "aud": None}), "the token is for somebody else"),
        (ISSUER.token({**GOOD, "exp": int(NOW.timestamp())}), "the token has expired"),
        (ISSUER.token({**GOOD, "exp": "tomorrow"}), "the token has expired"),
        (ISSUER.token({**GOOD, "exp": True}), "the token has expired"),
        (ISSUER.token({**GOOD, "exp": float("nan")}), "the token has expired"),
        (ISSUER.token({**GOOD, "exp": None}), "the token has expired"),
        (TOKEN.rpartition(".")[0] + ".", "the token is not signed by its issuer"),
        (TOKEN.rpartition(".")[0], "the identity token is no JWT"),
        (f"{TOKEN}.", "the identity token is no JWT"),
        ("", "the identity token is no JWT"),
        ("x" * MAX_TOKEN_LENGTH + "..", "the identity token is no JWT"),
        ("..", "the token's header is not JSON"),
        ("!.!.!", "a part of the token is not base64"),
    ],
)
def test_what_the_issuer_has_not_signed_for_this_question_is_refused(token: str, reason: str) -> None:
    assert refusal(token).startswith(reason)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, "the issuer publishes no such key"),
        ({"keys": None}, "the issuer publishes no such key"),
        ({"keys": ISSUER.keys()["keys"] * 2}, "the issuer publishes no such key"),
        (ISSUER.keys(kty="EC"), "the issuer publishes no such key"),
        (ISSUER.keys(n=""), "the issuer's key is none of RSA"),
        (ISSUER.keys(e="AA"), "the issuer's key is none of RSA"),
        (ISSUER.keys(n="!"), "a part of the token is not base64"),
        (WEAK.keys(), "the issuer's key has 1024 bits"),
        (STRANGER.keys(), "the token is not signed by its issuer"),
    ],
)
def test_a_key_that_is_none_verifies_nothing(keys: dict[str, Any], reason: str) -> None:
    assert refusal(TOKEN, keys).startswith(reason)


@given(st.text(max_size=60) | st.sampled_from([*TOKEN.split("."), TOKEN]))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    for token in (text, f"{text}.{text}.{text}"):
        if token != TOKEN:
            refusal(token)


keys = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kid", "n", "e", "kty"]), inner),
    max_leaves=8,
)


@given(keys)
def test_no_keys_raise_anything_but_a_refusal(found: object) -> None:
    refusal(TOKEN, {"keys": found})
    refusal(TOKEN, ISSUER.keys(n=found, e=found))
