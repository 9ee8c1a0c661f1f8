"""From how far away addresses can be reached, in every spelling that a server may choose."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.reach import Reach, literal_address, reach_of


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", Reach.PUBLIC),
        ("2606:2800:220:1::1", Reach.PUBLIC),
        ("10.1.2.3", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("198.18.0.1", Reach.PRIVATE),
        ("fd12:3456::1", Reach.PRIVATE),
        ("fec0::1", Reach.PRIVATE),
        ("2001:db8::1", Reach.PRIVATE),
        ("4000::1", Reach.PRIVATE),
        ("127.0.0.1", Reach.LOOPBACK),
        ("127.255.255.254", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("169.254.169.254", Reach.LINK_LOCAL),
        ("fe80::1", Reach.LINK_LOCAL),
        ("fe80::1%eth0", Reach.LINK_LOCAL),
        ("0.0.0.0", Reach.NOWHERE),
        ("0.1.2.3", Reach.NOWHERE),
        ("::", Reach.NOWHERE),
        ("224.0.0.1", Reach.NOWHERE),
        ("ff02::1", Reach.NOWHERE),
        ("240.0.0.1", Reach.NOWHERE),
        ("255.255.255.255", Reach.NOWHERE),
        ("not an address", Reach.NOWHERE),
        ("", Reach.NOWHERE),
    ],
)
def test_an_address_has_its_reach(address: str, expected: Reach) -> None:
    assert reach_of(address) is expected


@pytest.mark.parametrize(
    "address", ["fd00:ec2::254", "fd00:ec2::254%3", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"]
)
def test_what_gives_out_a_machines_own_logins_is_as_the_usual_one_of_them(address: str) -> None:
    """AUTH-13."""
    assert reach_of(address) is reach_of("169.254.169.254") is Reach.LINK_LOCAL
    assert not reach_of(address).may_be_named


@pytest.mark.parametrize(
    "form",
    [
        *("::ffff:{}", "::ffff:0:{}", "::{}", "64:ff9b::{}", "64:ff9b:1::{}"),
        *("2002:{hex}::1", "2001:0:4136:e378:8000:63bf:{inverted}"),
    ],
)
@pytest.mark.parametrize("inner", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.0"])
def test_an_address_that_carries_another_one_is_as_near_as_that(form: str, inner: str) -> None:
    number = int(IPv4Address(inner))
    inverted = number ^ 0xFFFFFFFF
    words = {"hex": f"{number >> 16:x}:{number & 0xFFFF:x}", "inverted": f"{inverted >> 16:x}:{inverted & 0xFFFF:x}"}
    assert reach_of(form.format(inner, **words)) is reach_of(inner)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("::ffff:93.184.216.34", Reach.PUBLIC),
        ("64:ff9b::93.184.216.34", Reach.PUBLIC),
        ("64:ff9b:1::93.184.216.34", Reach.PRIVATE),
    ],
)
def test_a_public_address_that_is_carried_is_public_but_in_a_network_of_ones_own(address: str, expected: Reach) -> None:
    assert reach_of(address) is expected


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.0.0.1.",
            "0x7f.1",
            "0x7F.0.0.1",
            "2130706433",
            "017700000001",
            "0177.1",
            "127.1",
            "0x7f000001",
        ),
        *("localhost", "localhost.", "a.localhost", "a.b.localhost."),
    ],
)
def test_loopback_is_known_in_every_spelling(host: str) -> None:
    literal = literal_address(host)
    assert literal is not None
    assert reach_of(literal) is Reach.LOOPBACK


@pytest.mark.parametrize("host", ["::1", "[::1]", "::ffff:127.0.0.1", "[::ffff:127.0.0.1]"])
def test_loopback_is_known_by_six(host: str) -> None:
    assert reach_of(literal_address(host) or "") is Reach.LOOPBACK


@pytest.mark.parametrize(
    "host",
    ["registry.example", "localhost.example", "notlocalhost", "", ".", "1.2.3.4.5", "256.1.1.1", "0x", "08.1", "1..2"],
)
def test_a_name_is_no_address(host: str) -> None:
    assert literal_address(host) is None


@given(
    st.from_regex(r"(0x[0-9a-f]{1,8}|0?[0-9]{1,4}|[0-9]{1,11})(\.(0x[0-9a-f]{1,4}|[0-9]{1,4})){0,4}", fullmatch=True)
)
def test_odd_spellings_are_read_as_the_system_reads_them(host: str) -> None:
    try:
        expected = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        expected = None
    assert literal_address(host) == expected


@given(st.text(max_size=60))
def test_any_text_has_a_reach_and_an_address_or_none(text: str) -> None:
    assert reach_of(literal_address(text) or text) in Reach
