"""BlobBody: a blob's bytes part by part, and never more or less of them than were announced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled, IntegrityError
from imagesync.registry.body import BlobBody
from tests.registry.remote import Source, make_blob


def make_body(data: bytes, *pieces: bytes, cancellation: Cancellation | None = None) -> tuple[BlobBody, Source]:
    source = Source(*pieces)
    return BlobBody(make_blob(data), source, cancellation or Cancellation()), source


@given(st.lists(st.binary(max_size=9), max_size=9), st.lists(st.integers(0, 80), max_size=6))
def test_parts_come_together_however_pieces_are_cut(pieces: list[bytes], cuts: list[int]) -> None:
    """UPL-09: and one reading is enough."""
    data = b"".join(pieces)
    body, source = make_body(data, *pieces)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    parts = [b"".join(body.part(first, end)) for first, end in zip([0, *ends], ends, strict=False)]
    assert b"".join(parts) == data
    assert source.opened_at == [0]


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=9), st.data())
def test_a_part_may_be_asked_for_again(pieces: list[bytes], draw: st.DataObject) -> None:
    """UPL-06."""
    data = b"".join(pieces)
    body, _ = make_body(data, *pieces)
    for _ in range(3):
        first = draw.draw(st.integers(0, len(data) - 1))
        end = draw.draw(st.integers(first + 1, len(data)))
        assert b"".join(body.part(first, end)) == data[first:end]
        assert body.position == end


@pytest.mark.parametrize("pieces", [(b"four", b"4"), (b"four4",), (b"fou",), (), (b"f", b"", b"ou")])
def test_another_number_of_bytes_is_an_error_before_the_last(pieces: tuple[bytes, ...]) -> None:
    """BLB-07."""
    body, _ = make_body(b"four", *pieces)
    arrived = b""
    with pytest.raises(IntegrityError, match="where 4 were announced"):  # noqa: PT012 - what came before it counts
        for piece in body.part(0, 4):
            arrived += piece
    assert len(arrived) < 4
    assert body.is_broken


def test_a_small_blob_is_kept_once_it_was_read() -> None:
    body, source = make_body(b"small", b"sm", b"all")
    assert body.whole() == b"small"
    assert b"".join(body.part(2, 5)) == b"all"
    assert source.opened == 1


def test_a_cancelled_run_reads_no_further() -> None:
    """UPL-12."""
    cancellation = Cancellation()
    cancellation.cancel()
    body, _ = make_body(b"x", b"x", cancellation=cancellation)
    with pytest.raises(Cancelled):
        list(body.part(0, 1))
    assert not body.is_broken
