"""Verdicts: what a gate says of one image, why, and what would change it."""

from __future__ import annotations

from enum import Enum

from imagesync.lazy import dataclass
from imagesync.redaction import redacted


class Ruling(Enum):
    """What becomes of an image at a gate; the worst last."""

    PASSED = "passed"
    WARNED = "warned"
    """It would not have passed, and the gate only warns."""
    WAITING = "waiting"
    """Not now: time, or somebody's word, lets it pass as it is."""
    BLOCKED = "blocked"

    @property
    def holds_back(self) -> bool:
        return self in (Ruling.WAITING, Ruling.BLOCKED)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says. `hint` is what would let the image pass, where it does not."""

    ruling: Ruling
    reason: str
    hint: str | None = None

    def __post_init__(self) -> None:
        # Both repeat labels, subjects and what programs say: whoever wrote these may have been sent a login.
        object.__setattr__(self, "reason", redacted(self.reason))
        object.__setattr__(self, "hint", redacted(self.hint) if self.hint else self.hint)

    @classmethod
    def passed(cls, reason: str) -> Finding:
        return cls(Ruling.PASSED, reason)

    @classmethod
    def blocked(cls, reason: str, hint: str | None = None) -> Finding:
        return cls(Ruling.BLOCKED, reason, hint)

    @classmethod
    def waiting(cls, reason: str, hint: str | None = None) -> Finding:
        return cls(Ruling.WAITING, reason, hint)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding under the name of its gate, as a plan and a report have it."""

    gate: str
    ruling: Ruling
    reason: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"gate {self.gate}: {self.reason}"
