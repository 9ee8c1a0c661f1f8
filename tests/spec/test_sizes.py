"""Sizes: numbers with a unit, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.spec.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("1B", 1), ("5KB", 5000), ("90MB", 90_000_000), ("2GB", 2_000_000_000), ("1KiB", 1024), ("64MiB", 67_108_864)],
)
def test_a_size_is_a_number_and_a_unit(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    "text", ["", "90", "90 MB", "90mb", "0MB", "-1MB", "1.5MB", "90Mb", "90TB", "٣MB", "9999999999B"]
)
def test_what_is_no_size_is_none(text: str) -> None:
    assert parse_size(text) is None


@given(st.integers(1, 999_999_999))
def test_a_size_that_is_printed_reads_back(size_bytes: int) -> None:
    assert parse_size(format_size(size_bytes)) == size_bytes


@given(st.integers(1, 124), st.sampled_from(["B", "KB", "MB", "GB", "KiB", "MiB", "GiB"]))
def test_a_size_keeps_its_unit_where_a_larger_one_does_not_fit(number: int, unit: str) -> None:
    """128KB is 125KiB."""
    assert format_size(parse_size(f"{number}{unit}") or 0) == f"{number}{unit}"
