"""Which gates an image passes that goes back to where it was before: who goes back is in a hurry. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imagesync.gates.combined import AllOf, AnyOf
from imagesync.gates.gate import Check, Gate, Mode
from imagesync.gates.signed import Attestation, Signature
from imagesync.gates.vulnerabilities import Vulnerabilities
from imagesync.lazy import replace


def gates_of_return(gates: Iterable[Gate]) -> Iterator[Gate]:
    """Signatures and attestations count as ever, a scan that fails by now is a warning, nothing else is asked.

    Where one of several gates is enough and a signature is among them, it is asked as it stands: without the others
    less would do than before, without the signature nothing would be asked.
    """
    for gate in gates:
        if isinstance(gate.check, AllOf):
            left = tuple(gates_of_return(gate.check.gates))
            if left:
                yield replace(gate, check=AllOf(left))
        elif _asks_for_signature(gate.check):
            yield gate
        elif isinstance(gate.check, Vulnerabilities):
            yield replace(gate, mode=Mode.WARN)


def _asks_for_signature(check: Check) -> bool:
    if isinstance(check, AnyOf | AllOf):
        return any(_asks_for_signature(gate.check) for gate in check.gates)
    return isinstance(check, Signature | Attestation)
