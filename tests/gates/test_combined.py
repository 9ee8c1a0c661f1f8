"""`any_of`, `all_of`, warnings, and that nothing that is unknown passes any gate."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from imagesync.gates import Candidate, Finding, Gate, Known, Mode, Need, Ruling, TimeNow, needs_of
from imagesync.gates.combined import AllOf, AnyOf
from tests.gates.values import judged, make_candidate

PASSED, WARNED, WAITING, BLOCKED = Ruling.PASSED, Ruling.WARNED, Ruling.WAITING, Ruling.BLOCKED


@dataclass(frozen=True)
class Says:
    """Finds the same whatever the image."""

    ruling: Ruling

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return (TimeNow(),)

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        return Finding(self.ruling, self.ruling.value, f"help {self.ruling.value}")


def gates(*rulings: Ruling) -> tuple[Gate, ...]:
    return tuple(Gate(f"g{number}", Says(ruling)) for number, ruling in enumerate(rulings))


@pytest.mark.parametrize(
    ("rulings", "of_any", "of_all"),
    [
        ((PASSED,), PASSED, PASSED),
        ((BLOCKED,), BLOCKED, BLOCKED),
        ((PASSED, BLOCKED), PASSED, BLOCKED),
        ((PASSED, WAITING), PASSED, WAITING),
        ((WAITING, BLOCKED), WAITING, BLOCKED),
        ((BLOCKED, WAITING, PASSED), PASSED, BLOCKED),
    ],
)
def test_gates_combine(rulings: tuple[Ruling, ...], of_any: Ruling, of_all: Ruling) -> None:
    assert AnyOf(gates(*rulings)).judge(make_candidate(), Known()).ruling is of_any
    assert AllOf(gates(*rulings)).judge(make_candidate(), Known()).ruling is of_all


def test_reasons_and_hints_of_all_parts_are_told() -> None:
    finding = AnyOf(gates(BLOCKED, WAITING)).judge(make_candidate(), Known())
    assert (finding.reason, finding.hint) == ("g0: blocked; g1: waiting", "help blocked; help waiting")
    finding = AllOf(gates(PASSED, WAITING)).judge(make_candidate(), Known())
    assert (finding.reason, finding.hint) == ("g1: waiting", "help waiting")


@pytest.mark.parametrize("ruling", [WAITING, BLOCKED])
def test_a_gate_that_warns_holds_nothing_back_and_keeps_its_reason(ruling: Ruling) -> None:
    verdict = Gate("sized", Says(ruling), Mode.WARN).judge(make_candidate(), Known())
    assert (verdict.ruling, str(verdict)) == (WARNED, f"gate sized: {ruling.value}")
    assert Gate("sized", Says(PASSED), Mode.WARN).judge(make_candidate(), Known()).ruling is PASSED


def test_a_combination_that_warns_holds_nothing_back() -> None:
    gate = Gate("both", AllOf(gates(BLOCKED)), Mode.WARN)
    assert gate.judge(make_candidate(), Known()).ruling is WARNED
    inner = Gate("inner", Says(BLOCKED), Mode.WARN)
    assert judged(AllOf((inner,)), make_candidate())[0] is PASSED


def test_what_several_gates_have_to_know_is_asked_once() -> None:
    both = (*gates(PASSED, BLOCKED), Gate("any", AnyOf(gates(PASSED, WAITING))))
    assert needs_of(both, make_candidate()) == (TimeNow(),)
