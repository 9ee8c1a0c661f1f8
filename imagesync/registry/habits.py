"""What a registry turned out to take of uploads during this run, so that not every blob has to find it out."""

from __future__ import annotations

from enum import Enum

from imagesync.behaviour import Behaviour, Chunks
from imagesync.lazy import dataclass, field

WHOLE_BYTES = 1024 * 1024
"""Blobs of at most this size go out in one request after the POST. nginx takes no more unless it is told to."""


class Way(Enum):
    """How a blob's bytes are brought into the session that a POST has opened (distribution spec, end-5, end-6)."""

    WHOLE = "one PUT with the whole body"
    PATCHED = "PATCH, and a PUT without a body"


@dataclass(slots=True)
class UploadHabits:
    """Of one registry, shared by its threads; `chunk_bytes` is the most that one request may carry, None for all."""

    chunk_bytes: int | None = None
    refused: set[Way] = field(default_factory=set)
    resumes: bool = True
    """Whether an upload that was cut may go on: False once that brought wrong bytes together, or was refused."""

    @classmethod
    def of(cls, behaviour: Behaviour, chunk_bytes: int | None) -> UploadHabits:
        """What is known before the first upload."""
        if behaviour.chunks is Chunks.NEVER:
            return cls(resumes=False)
        return cls(chunk_bytes)

    def ways(self, size_bytes: int) -> list[Way]:
        """The way for a blob of this size, and the one to take where the registry refuses that."""
        is_whole = size_bytes <= min(WHOLE_BYTES, self.chunk_bytes or WHOLE_BYTES)
        ways = [Way.WHOLE, Way.PATCHED] if is_whole else [Way.PATCHED, Way.WHOLE]
        return [way for way in ways if way not in self.refused] or ways
