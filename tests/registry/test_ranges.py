"""What a registry says of an upload's length, and when it is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.registry.ranges import chunk_length, held_bytes


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("0-1499", 1500),
        ("bytes=0-1499", 1500),
        ("0-999", 1000),
        ("0-1999", 2000),
        ("0-998", None),
        ("0-2000", None),
        ("0-0", None),
        ("0--1", None),
        ("1000-1499", None),
        ("", None),
        ("0-", None),
        ("0-999999999999999999999", None),
    ],
)
def test_a_range_is_believed_within_the_request_that_failed(text: str, held: int | None) -> None:
    """UPL-10: from byte 1000 on, of which 1000 were handed out."""
    assert held_bytes(text, first=1000, sent=2000) == held


@given(st.text(max_size=30))
def test_junk_is_no_range(text: str) -> None:
    held = held_bytes(text, first=5, sent=10)
    assert held is None or 5 <= held <= 10


@pytest.mark.parametrize(
    ("least", "length"), [("", 4), ("3", 4), ("10", 10), ("junk", 4), ("-1", 4), ("9" * 40, 4), ("²", 4)]
)
def test_a_chunk_is_as_long_as_the_registry_wants(least: str, length: int) -> None:
    """UPL-09."""
    assert chunk_length(4, least) == length


@pytest.mark.parametrize("least", ["0\x1f", "\x1c5", "5\x85"])
def test_white_space_that_is_no_part_of_a_number_breaks_nothing(least: str) -> None:
    assert chunk_length(4, least) in (4, 5)
