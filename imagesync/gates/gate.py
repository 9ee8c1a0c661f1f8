"""Gates: a check under a name, which holds an image back or only warns of it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Protocol

from imagesync.gates.candidate import Candidate
from imagesync.gates.needs import Known, Need
from imagesync.gates.verdict import Finding, Ruling, Verdict
from imagesync.lazy import dataclass, replace


class Mode(Enum):
    """What becomes of an image that does not pass."""

    ENFORCE = "enforce"
    WARN = "warn"
    INSIST = "insist"
    """As enforce, for what was asked for by hand: nobody comes back for it, so what waits is blocked."""


class Check(Protocol):
    """One kind of gate. Printed, it is what a spec says."""

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        """What has to be known to judge this image."""
        ...

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        """Raises nothing, whatever the answers hold; what is not known or broken blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Gate:
    """A check as a spec names it; one that is written where it is used has the name of its kind."""

    name: str
    check: Check
    mode: Mode = Mode.ENFORCE

    def __str__(self) -> str:
        warns = ", only warns" if self.mode is Mode.WARN else ""
        return f"{self.name} ({self.check}{warns})"

    def judge(self, candidate: Candidate, known: Known) -> Verdict:
        finding = self.check.judge(candidate, known)
        ruling = finding.ruling
        if ruling is Ruling.WAITING and self.mode is Mode.INSIST:
            ruling = Ruling.BLOCKED
        if ruling.holds_back and self.mode is Mode.WARN:
            ruling = Ruling.WARNED
        return Verdict(self.name, ruling, finding.reason, finding.hint)


def insisting(gate: Gate) -> Gate:
    """The gate for what was asked for by hand; one that warns goes on to warn."""
    return replace(gate, mode=Mode.INSIST) if gate.mode is Mode.ENFORCE else gate


def needs_of(gates: Iterable[Gate], candidate: Candidate) -> tuple[Need, ...]:
    """What all of them have to know, each once."""
    return tuple(dict.fromkeys(need for gate in gates for need in gate.check.needs(candidate)))
