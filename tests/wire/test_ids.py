"""Every case that a client has to survive is named by a test of the client."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
SERVER_SIDE = {"server", "fakes"}
"""Folders whose tests hold a registry to the protocol; they say nothing of the client."""

CASES = {
    *("REF-01", "REF-02", "REF-03", "REF-04", "REF-05", "REF-06"),
    *("AUTH-01", "AUTH-02", "AUTH-03", "AUTH-04", "AUTH-05", "AUTH-06", "AUTH-07", "AUTH-08", "AUTH-09"),
    *("AUTH-10", "AUTH-11", "AUTH-12", "AUTH-13", "AUTH-14", "AUTH-15", "AUTH-16", "AUTH-17"),
    *("MAN-01", "MAN-02", "MAN-03", "MAN-04", "MAN-05", "MAN-06", "MAN-07", "MAN-08", "MAN-09", "MAN-10"),
    *("MAN-11", "MAN-12", "MAN-13", "MAN-14", "MAN-15", "MAN-16", "MAN-17", "MAN-18", "MAN-19", "MAN-20"),
    *("BLB-01", "BLB-02", "BLB-03", "BLB-04", "BLB-05", "BLB-06", "BLB-07", "BLB-08", "BLB-09", "BLB-10"),
    *("BLB-11", "BLB-12"),
    *("UPL-01", "UPL-02", "UPL-03", "UPL-04", "UPL-05", "UPL-06", "UPL-07", "UPL-08", "UPL-09", "UPL-10"),
    *("UPL-11", "UPL-12", "UPL-13", "UPL-14", "UPL-15"),
    *("MNT-01", "MNT-02", "MNT-03", "MNT-04", "MNT-05"),
    *("LIM-01", "LIM-02", "LIM-03", "LIM-04"),
    *("ERR-01", "ERR-02", "ERR-03", "ERR-04", "ERR-05"),
    *("TAG-01", "TAG-02", "TAG-03", "TAG-04", "TAG-05", "TAG-06", "TAG-07", "TAG-08", "TAG-09"),
    *("RFR-01", "RFR-02", "RFR-03", "RFR-04", "RFR-05", "RFR-06", "RFR-07"),
    *("ATT-01", "ATT-02"),
    *("PLT-01", "PLT-02", "PLT-03", "PLT-04"),
    *("DEL-01", "DEL-02", "DEL-03", "DEL-04"),
    *("SEC-01", "SEC-02", "SEC-03", "SEC-04"),
    *("LAY-01", "LAY-02", "LAY-03", "LAY-04", "LAY-05"),
    *("E2E-01", "E2E-02", "E2E-03", "E2E-04"),
}
NAMED_IN_PART = {
    "BLB-11": "foreign layers are never fetched; there is no setting that asks for them",
}
"""Cases of which a test holds what is built."""


def _named() -> set[str]:
    """The cases that stand in a test of the client."""
    files = [file for file in TESTS.rglob("test_*.py") if file != Path(__file__)]
    texts = [file.read_text() for file in files if file.relative_to(TESTS).parts[0] not in SERVER_SIDE]
    return {case for text in texts for case in re.findall(r"\b[A-Z][A-Z0-9]{2,3}-[0-9]{2}\b", text)}


def test_every_case_is_named_by_a_test() -> None:
    assert CASES - _named() == set()


def test_what_is_listed_is_a_case() -> None:
    assert CASES.issuperset(NAMED_IN_PART)
