"""Gates of an image that goes back: signatures count wherever they stand, scans warn, nothing else is asked."""

from __future__ import annotations

import pytest

from imagesync.gates import Gate, Mode
from imagesync.gates.combined import AllOf, AnyOf
from imagesync.gates.paths import PathTemplate
from imagesync.gates.reports import Severity
from imagesync.gates.returning import gates_of_return
from imagesync.gates.scans import FileReports
from imagesync.gates.signed import Signature
from imagesync.gates.size import Size
from imagesync.gates.trusted import TrustedKey
from imagesync.gates.vulnerabilities import Vulnerabilities
from tests.signature.signers import make_ecdsa

SIGNED = Gate("signed", Signature(TrustedKey("owner.pub", make_ecdsa().key)))
REPORTS = FileReports(PathTemplate.parse("scans/{digest_hex}.json", ""))
SCANNED = Gate("scanned", Vulnerabilities(REPORTS, Severity.HIGH))
WARNS = Gate("scanned", SCANNED.check, Mode.WARN)
SMALL = Gate("small", Size(total_bytes=10))


def both(*gates: Gate) -> Gate:
    return Gate("both", AllOf(gates))


def either(*gates: Gate) -> Gate:
    return Gate("either", AnyOf(gates))


@pytest.mark.parametrize(
    ("gates", "left"),
    [
        ([SIGNED, SMALL, SCANNED], [SIGNED, WARNS]),
        ([both(SMALL, SIGNED, SCANNED)], [both(SIGNED, WARNS)]),
        ([both(SMALL, both(SIGNED))], [both(both(SIGNED))]),
        ([both(SMALL)], []),
        ([either(SIGNED, SMALL)], [either(SIGNED, SMALL)]),
        ([either(both(SIGNED, SMALL), SCANNED)], [either(both(SIGNED, SMALL), SCANNED)]),
        ([either(SMALL, SCANNED)], []),
    ],
)
def test_a_signature_counts_wherever_it_stands(gates: list[Gate], left: list[Gate]) -> None:
    assert list(gates_of_return(gates)) == left
