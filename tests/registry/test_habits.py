"""UploadHabits: which way a blob goes, by its size and by what the registry has refused."""

from __future__ import annotations

import pytest

from imagesync.registry.habits import WHOLE_BYTES, UploadHabits, Way

WHOLE, PATCHED = Way.WHOLE, Way.PATCHED


@pytest.mark.parametrize(
    ("size_bytes", "refused", "ways"),
    [
        (0, (), [WHOLE, PATCHED]),
        (WHOLE_BYTES, (), [WHOLE, PATCHED]),
        (WHOLE_BYTES + 1, (), [PATCHED, WHOLE]),
        (1, (WHOLE,), [PATCHED]),
        (WHOLE_BYTES + 1, (PATCHED,), [WHOLE]),
        (1, (WHOLE, PATCHED), [WHOLE, PATCHED]),
    ],
)
def test_a_way_that_was_refused_is_not_tried_again(size_bytes: int, refused: tuple[Way, ...], ways: list[Way]) -> None:
    """UPL-05."""
    assert UploadHabits(refused=set(refused)).ways(size_bytes) == ways


def test_no_request_carries_more_than_a_chunk() -> None:
    habits = UploadHabits(chunk_bytes=1000)
    assert habits.ways(1000) == [WHOLE, PATCHED]
    assert habits.ways(1001) == [PATCHED, WHOLE]
