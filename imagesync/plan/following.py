"""Following: what a tag is held to while its source moves on, and which version an alias carries."""

from __future__ import annotations

from imagesync.lazy import dataclass
from imagesync.reference import Digest, Tag


@dataclass(frozen=True, slots=True)
class UpstreamMoved:
    """A lock or the spec holds on to a digest that the source's tag has left: for `now`, None where the tag is gone."""

    now: Digest | None


@dataclass(frozen=True, slots=True)
class Carries:
    """What an alias stands for: the version tag of its destination that it follows, and the one that it has carried
    so far, where it was there and that is known."""

    version: Tag
    before: Tag | None = None
