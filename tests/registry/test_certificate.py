"""What a certificate says of itself, whoever wrote it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pytest
import trustme

from imagesync.registry.certificate import MAX_NAMES, read_certificate

ENDS = datetime(2027, 1, 15, 8, tzinfo=UTC)


def der(issued: trustme.LeafCert) -> bytes:
    return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())


def test_a_certificate_says_for_whom_it_is_by_whom_and_how_long() -> None:
    authority = trustme.CA(organization_name="Acme")
    found = read_certificate(der(authority.issue_cert("a.example", "10.0.0.7", common_name="Acme's", not_after=ENDS)))
    assert found is not None
    assert (found.subject, found.names, found.ends_at) == ("Acme's", ("a.example", "10.0.0.7"), ENDS.timestamp())
    assert found.issuer.endswith("O=Acme")
    assert not found.is_its_own_issuer


def test_an_authority_issues_its_own() -> None:
    raw = ssl.PEM_cert_to_DER_cert(trustme.CA().cert_pem.bytes().decode())
    found = read_certificate(raw)
    assert found is not None
    assert (found.is_its_own_issuer, found.names) == (True, ())


def test_control_characters_are_escaped_and_long_names_cut() -> None:
    issued = trustme.CA().issue_cert("a.example", common_name="\x1b[31mred\n")
    found = read_certificate(der(issued))
    assert found is not None
    assert found.subject == r"\x1b[31mred\n"


def test_more_names_than_anybody_reads_are_left_out() -> None:
    found = read_certificate(der(trustme.CA().issue_cert(*(f"h{number}.example" for number in range(50)))))
    assert found is not None
    assert len(found.names) == MAX_NAMES


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x46"),  # its version
        (b"\x82\x09a.example", b"\xa3\x09a.example"),  # the kind of a name
        (b"\x06\x03\x55\x04\x0b", b"\x06\x03\x55\x04\x06"),  # a unit that is a country, of too many letters
    ],
)
def test_whatever_a_server_writes_there_raises_and_warns_nothing(written: bytes, instead: bytes) -> None:
    raw = der(trustme.CA().issue_cert("a.example"))
    assert written in raw
    read_certificate(raw.replace(written, instead))


def test_what_is_no_certificate_is_none() -> None:
    assert [read_certificate(raw) for raw in (None, b"", b"\x30\x03abc")] == [None, None, None]
