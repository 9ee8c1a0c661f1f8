"""Addresses that a server names are taken letter by letter, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import ProtocolError
from imagesync.registry.origin import Address, Origin, next_link, parse_address, resolve_address

BASE = Address(Origin("https", "registry.example", 443), "/v2/a/blobs/uploads/?mount=x")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/v2/a/blobs/uploads/1?a=%20b+c&sig=%2F'()*", "/v2/a/blobs/uploads/1?a=%20b+c&sig=%2F'()*"),
        ("https://registry.example/v2/u?_state=a%2fb%2Fc|d", "/v2/u?_state=a%2fb%2Fc|d"),
        ("https://registry.example:443/v2/u", "/v2/u"),
        ("HTTPS://Registry.Example/v2/u", "/v2/u"),
        ("//registry.example/v2/u?x=1", "/v2/u?x=1"),
        ("/v2/u#fragment", "/v2/u"),
        ("?last=b", "/v2/a/blobs/uploads/?last=b"),
        ("next?last=b", "/v2/a/blobs/uploads/next?last=b"),
        ("https://registry.example", "/"),
        ("http://registry.example/v2/u", "/v2/u"),
        (" /v2/u\t", "/v2/u"),
    ],
)
def test_an_address_of_the_same_host_keeps_every_letter_of_its_query(location: str, expected: str) -> None:
    """UPL-02; the http form is a registry behind a proxy that ends TLS."""
    assert resolve_address(BASE, location) == Address(BASE.origin, expected)


@pytest.mark.parametrize(
    ("location", "origin"),
    [
        ("https://cdn.example/x", Origin("https", "cdn.example", 443)),
        ("https://registry.example:8443/x", Origin("https", "registry.example", 8443)),
        ("http://registry.example:8080/x", Origin("http", "registry.example", 8080)),
        ("https://[2001:DB8::1]:5000/x", Origin("https", "2001:db8::1", 5000)),
    ],
)
def test_another_host_port_or_scheme_is_another_origin(location: str, origin: Origin) -> None:
    assert resolve_address(BASE, location).origin == origin


@pytest.mark.parametrize(
    "location",
    [
        "https://user:secret@registry.example/x",
        "ftp://registry.example/x",
        "file:///etc/passwd",
        "data:text/plain,x",
        "https:///x",
        "https://registry.example:0/x",
        "https://registry.example:99999/x",
        "/v2/a b",
        "/v2/a\r\nHost: evil",
        "/v2/ä",
        "https://registry.example\\@evil/x",
        "",
        "/" + "a" * 20_000,
    ],
)
def test_what_is_no_plain_address_is_refused(location: str) -> None:
    """SEC-03, S28."""
    with pytest.raises(ProtocolError) as raised:
        resolve_address(BASE, location)
    assert "secret" not in str(raised.value)


@given(st.text(max_size=60))
def test_any_text_is_resolved_or_refused_with_a_protocol_error(text: str) -> None:
    try:
        address = resolve_address(BASE, text)
    except ProtocolError:
        return
    assert address.target.startswith("/")
    assert address.target.isascii()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/u", "/u?digest=d"),
        ("/u?a=1", "/u?a=1&digest=d"),
        ("/u?", "/u?digest=d"),
        ("/u?a=1&", "/u?a=1&digest=d"),
    ],
)
def test_a_parameter_is_added_behind_whatever_is_there(target: str, expected: str) -> None:
    assert Address(BASE.origin, target).with_parameter("digest", "d").target == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (['</v2/a/tags/list?last=b&n=2>; rel="next"'], "/v2/a/tags/list?last=b&n=2"),
        (["</next>; rel=next"], "/next"),
        (['</prev>; rel="prev", </next?a=1,2>; rel="next"'], "/next?a=1,2"),
        (['</prev>; rel="prev"', '</next>; title="a, b"; REL="last next"'], "/next"),
        (['</next>; rel="prev"'], None),
        (["/next; rel=next"], None),
        ([], None),
        (["<" * 1000], None),
    ],
)
def test_the_next_page_is_found_in_every_form_of_link(values: list[str], expected: str | None) -> None:
    """TAG-02."""
    assert next_link(values) == expected


@given(st.lists(st.text(max_size=50), max_size=3))
def test_any_link_header_is_read_without_an_error(values: list[str]) -> None:
    link = next_link(values)
    assert link is None or any(link in value for value in values)


def test_the_repr_of_an_address_shows_no_query() -> None:
    """S14: it may be signed."""
    assert repr(parse_address("https://host/v2/a?_state=hunter2")) == "Address(https://host/v2/a)"
