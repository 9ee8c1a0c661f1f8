"""Tags for the tests of selections."""

from __future__ import annotations

from hypothesis import strategies as st

from imagesync.reference import Tag
from imagesync.selection import Order

TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True).map(Tag)
NUMBERS = st.lists(st.integers(0, 12).map(str), min_size=1, max_size=4).map(".".join)
SUFFIXES = st.sampled_from(["", "", "-alpine", "-alpine3.20", "-slim", "-rc1", "rc2", "-beta.1-alpine", "_x", ".Final"])
VERSION_TAGS = st.builds(
    lambda mark, numbers, suffix: Tag(mark + numbers + suffix), st.sampled_from(["", "v"]), NUMBERS, SUFFIXES
)
"""Tags that are versions, or look much like them."""

ORDERS_BY_NAME = [order for order in Order if order is not Order.CREATED]
"""Those that need no facts."""


def tags(*texts: str) -> list[Tag]:
    return [Tag(text) for text in texts]
