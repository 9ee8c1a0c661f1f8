"""`any_of` and `all_of`: several gates as one. A part that only warns holds nothing back here either."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from imagesync.gates.candidate import Candidate
from imagesync.gates.gate import Check, Gate, needs_of
from imagesync.gates.needs import Known, Need
from imagesync.gates.verdict import Finding, Ruling, Verdict
from imagesync.lazy import dataclass, replace

_FROM_BEST = tuple(Ruling)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Passed where one of them is; waits where none is and one waits. Never empty."""

    gates: tuple[Gate, ...]

    def __str__(self) -> str:
        return f"any of {', '.join(gate.name for gate in self.gates)}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return needs_of(self.gates, candidate)

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        verdicts = [gate.judge(candidate, known) for gate in self.gates]
        best = min(verdicts, key=_rank)
        if not best.ruling.holds_back:
            return Finding.passed(str(best))
        return _together(best.ruling, verdicts)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Passed where all of them are; blocked where one is, else waits where one waits. Never empty."""

    gates: tuple[Gate, ...]

    def __str__(self) -> str:
        return f"all of {', '.join(gate.name for gate in self.gates)}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return needs_of(self.gates, candidate)

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        verdicts = [gate.judge(candidate, known) for gate in self.gates]
        held = [verdict for verdict in verdicts if verdict.ruling.holds_back]
        if not held:
            return Finding.passed("; ".join(map(str, verdicts)))
        return _together(max(held, key=_rank).ruling, held)


def with_checks(gate: Gate, change: Callable[[Check], Check]) -> Gate:
    """The gate with every check changed that combines no others, its own and those of what it combines."""
    check = gate.check
    if isinstance(check, AnyOf | AllOf):
        return replace(gate, check=type(check)(tuple(with_checks(one, change) for one in check.gates)))
    return replace(gate, check=change(check))


def checks_of(gate: Gate) -> Iterator[Check]:
    """Its check, or those of all that it combines."""
    if isinstance(gate.check, AnyOf | AllOf):
        for one in gate.check.gates:
            yield from checks_of(one)
    else:
        yield gate.check


def _together(ruling: Ruling, verdicts: Iterable[Verdict]) -> Finding:
    """The reasons of all, and what would help with each."""
    reasons = [str(verdict).removeprefix("gate ") for verdict in verdicts]
    hints = dict.fromkeys(verdict.hint for verdict in verdicts if verdict.hint)
    return Finding(ruling, "; ".join(reasons), "; ".join(hints) or None)


def _rank(verdict: Verdict) -> int:
    return _FROM_BEST.index(verdict.ruling)
