"""Order: which work of a run goes first where several could start. Lower ranks start first. Pure.

Large blobs go before small requests, since a host takes only a few of them at once; all that is small goes in the
order of the images, so that what was begun is finished before something new is read.
"""

from __future__ import annotations

from imagesync.manifest import Descriptor

LARGE_BYTES = 1024 * 1024
"""A blob above this size counts against the bodies that a host may have under way."""
FINISHING = (0,)
"""Rank of what completes an image: its manifests, the tag last."""

_LARGE, _SMALL = 1, 2


def is_large(blob: Descriptor) -> bool:
    """Whether moving this blob takes longer than the requests around it."""
    return blob.size_bytes > LARGE_BYTES


def rank_of_read(position: int) -> tuple[int, ...]:
    """Rank of what is read for the image at this position of the spec."""
    return (_SMALL, position)


def rank_of_blob(blob: Descriptor, position: int) -> tuple[int, ...]:
    """Rank of a blob: the largest first, small ones with the other requests of their image."""
    return (_LARGE, -blob.size_bytes) if is_large(blob) else (_SMALL, position)
