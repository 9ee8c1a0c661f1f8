"""Gated: a copy's gates beside all that they judge it by. What becomes of the copy is the review's business. Pure."""

from __future__ import annotations

from imagesync.gates import Candidate, Gate, Known, Verdict
from imagesync.lazy import dataclass, field


@dataclass(frozen=True, slots=True)
class Gated:
    """A copy's gates, the image as they see it, and what is known of it."""

    gates: tuple[Gate, ...]
    candidate: Candidate
    known: Known = field(default_factory=Known)

    def verdicts(self) -> tuple[Verdict, ...]:
        """What each says, in the order of the spec."""
        return tuple(gate.judge(self.candidate, self.known) for gate in self.gates)
