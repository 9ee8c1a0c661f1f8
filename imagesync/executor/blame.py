"""Blame: which side an error is of, said by who knows which store was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from imagesync.errors import StoreError


@contextmanager
def blamed_on(side: str) -> Iterator[None]:
    """Say of a StoreError that passes through which side it is of, unless that is known."""
    try:
        yield
    except StoreError as error:
        error.side = error.side or side
        raise
