"""What a 401 asks for: the cases of RFC 9110 that registries and proxies send, and whatever else arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.registry.challenge import MAX_LENGTH, Challenge, choose_challenge, parse_challenges

BEARER = 'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"'
PARAMETERS = {"realm": "https://auth.example/token", "service": "registry.example", "scope": "repository:a/b:pull,push"}
TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABC0189!#$-_.~", min_size=1, max_size=12)


def test_a_comma_inside_quotes_does_not_end_a_value() -> None:
    """AUTH-03."""
    assert parse_challenges([BEARER]) == (Challenge("bearer", PARAMETERS),)


@pytest.mark.parametrize(
    "values",
    [
        ["Negotiate", 'Basic realm="r"', BEARER],
        [f'Negotiate, Basic realm="r", {BEARER}'],
        [f'Negotiate abc/d+e==, Basic realm="r", {BEARER}'],
        [f'{BEARER}, Basic realm="r"', 'Digest realm="x", nonce="y"'],
    ],
)
def test_bearer_is_chosen_wherever_it_stands(values: list[str]) -> None:
    """AUTH-04."""
    assert choose_challenge(parse_challenges(values)) == Challenge("bearer", PARAMETERS)


def test_basic_is_chosen_where_bearer_has_no_realm() -> None:
    chosen = choose_challenge(parse_challenges(["Bearer service=s", 'Basic realm="r"']))
    assert chosen == Challenge("basic", {"realm": "r"})


def test_other_schemes_are_not_chosen() -> None:
    assert choose_challenge(parse_challenges(["Negotiate", 'Digest realm="r"'])) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BASIC Realm=x", (Challenge("basic", {"realm": "x"}),)),
        (r'Basic realm="a \"quoted\" \\ word"', (Challenge("basic", {"realm": 'a "quoted" \\ word'}),)),
        ('Basic realm = "spaced" , charset="UTF-8"', (Challenge("basic", {"realm": "spaced", "charset": "UTF-8"}),)),
        ("Bearer realm=https://auth.example/t?a=b", (Challenge("bearer", {"realm": "https://auth.example/t?a=b"}),)),
        ("Basic", (Challenge("basic", {}),)),
        ("Basic, Bearer", (Challenge("basic", {}), Challenge("bearer", {}))),
        (",, ,Basic realm=a,,b=c,", (Challenge("basic", {"realm": "a", "b": "c"}),)),
        ('Bearer realm="never closed, service=s', (Challenge("bearer", {}),)),
        ('Basic realm="first",realm="second"', (Challenge("basic", {"realm": "first"}),)),
        ('realm="no scheme"', ()),
        ('@@@ , Basic realm="r"', (Challenge("basic", {"realm": "r"}),)),
        ("", ()),
    ],
)
def test_odd_spellings_are_read_as_far_as_they_make_sense(text: str, expected: tuple[Challenge, ...]) -> None:
    assert parse_challenges([text]) == expected


def test_a_header_without_end_is_not_read() -> None:
    assert parse_challenges(["Basic realm=" + "a" * MAX_LENGTH]) == ()


@given(st.lists(st.text()))
def test_no_text_raises(values: list[str]) -> None:
    for challenge in parse_challenges(values):
        assert challenge.scheme == challenge.scheme.lower()


@given(st.text('B=", \\a', max_size=200))
def test_no_arrangement_of_delimiters_raises_or_hangs(value: str) -> None:
    assert len(parse_challenges([value])) <= len(value)


@given(st.lists(st.tuples(TOKEN, st.dictionaries(TOKEN.map(str.lower), st.text(max_size=20), min_size=1)), max_size=4))
def test_what_is_written_by_the_book_is_read_back(written: list[tuple[str, dict[str, str]]]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        f"{scheme} " + ", ".join(f"{name}={quoted(value)}" for name, value in parameters.items())
        for scheme, parameters in written
    )
    expected = tuple(Challenge(scheme.lower(), parameters) for scheme, parameters in written)
    assert parse_challenges([header]) == expected
