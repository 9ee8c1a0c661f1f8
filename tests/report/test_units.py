"""Bytes, seconds and counts as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.report.units import format_bytes, format_count, format_seconds


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (71_200_000, "71.2 MB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (4_000_000_000, "4.0 GB"),
        (2**53, "9.0 PB"),
        (10**22, "10000.0 EB"),
    ],
)
def test_bytes_are_decimal_with_one_place(size_bytes: int, text: str) -> None:
    assert format_bytes(size_bytes) == text


@given(st.integers(0, 10**20))
def test_a_size_never_reads_as_a_thousand_of_its_unit(size_bytes: int) -> None:
    assert float(format_bytes(size_bytes).split()[0]) < 1000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0449, "45 ms"),
        (0.9996, "1.0 s"),
        (3.21, "3.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (192, "3 min 12 s"),
        (7500, "2 h 05 min"),
    ],
)
def test_seconds_grow_into_minutes_and_hours(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_a_noun_takes_its_plural() -> None:
    assert [format_count(number, "tag") for number in (0, 1, 2)] == ["0 tags", "1 tag", "2 tags"]
