"""Making a plan: what that has cost, and what the globs of its spec came to. Values."""

from __future__ import annotations

from imagesync.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Pulls:
    """Manifests read from a host that counts them: how many so far, and how many may still be."""

    host: str
    used: int
    left: int


@dataclass(frozen=True, slots=True)
class Found:
    """How many repositories a glob stands for, and how many of the names that were listed beside them are none."""

    glob: str
    repositories: int
    illegal: int = 0
