"""Reports of scanners in attestations: by whom, of which image, which of several counts, and by which time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from imagesync.gates import Known, Need, ReadSpoken, Ruling, TimeNow, Unread
from imagesync.gates.attested import AttestedReports
from imagesync.gates.reports import Severity
from imagesync.gates.trusted import TrustedIdentity, TrustedKey
from imagesync.gates.vulnerabilities import Vulnerabilities
from imagesync.manifest import digest_of
from imagesync.selection import PlatformPattern
from imagesync.signature import Evidence, LeftUnread, Rejected, Signer
from imagesync.signature.statement import COSIGN_VULNERABILITIES
from tests.gates.test_vulnerabilities import FORMS, documents, grype, sarif, trivy
from tests.gates.values import NOW, days_ago, judged, knowing, make_candidate
from tests.images import make_image
from tests.signature.signers import SLSA_1, make_ecdsa, make_statement

PASSED, BLOCKED = Ruling.PASSED, Ruling.BLOCKED
IMAGE = make_image()
CANDIDATE = make_candidate(IMAGE)
INDEX = make_candidate()
AMD64, ARM64 = (one.manifest for one in INDEX.images())
SCANNER, STRANGER = make_ecdsa(), make_ecdsa()
BY = TrustedKey("scanner.pub", SCANNER.key)
SARIF_TYPE = "https://acme.example/sarif/v1"
BAD = ("CVE-1", "CRITICAL", True)


def gate(kind: str = COSIGN_VULNERABILITIES, **more: Any) -> Vulnerabilities:
    return Vulnerabilities(AttestedReports(BY, kind), Severity.HIGH, **more)


def cosigns(report: object, at: datetime | None = NOW) -> dict[str, Any]:
    """The predicate of cosign's vuln."""
    scanner = {"uri": "pkg:github/aquasecurity/trivy", "version": "0.50", "db": {}, "result": report}
    times = {"scanStartedOn": days_ago(99).isoformat(), "scanFinishedOn": at.isoformat() if at else ""}
    return {"invocation": {}, "scanner": scanner, "metadata": times}


def attested(predicate: Any, of: Any = IMAGE.digest, by: Any = SCANNER, kind: str = COSIGN_VULNERABILITIES) -> Evidence:
    found: Evidence = by.attestation(make_statement(kind, predicate, digests=(of,)))
    return found


def spoken(*pieces: Evidence | Rejected, of: str = IMAGE.digest) -> Known:
    return knowing((ReadSpoken(IMAGE.digest if of == IMAGE.digest else of), pieces))  # type: ignore[arg-type]


def of_index(index: tuple[Evidence, ...], amd64: tuple[Evidence, ...], arm64: tuple[Evidence, ...]) -> Known:
    pairs: list[tuple[Need, Any]] = [
        (ReadSpoken(INDEX.digest), index),
        (ReadSpoken(AMD64.digest), amd64),
        (ReadSpoken(ARM64.digest), arm64),
    ]
    return knowing(*pairs)


def silent(*found: Any) -> dict[str, Any]:
    """SARIF that names no image."""
    report = sarif(*found)
    del report["runs"][0]["properties"]
    return report


@FORMS
def test_a_report_within_cosigns_attestation_is_read(make: Any) -> None:
    found = judged(gate(), CANDIDATE, spoken(attested(cosigns(make()))))
    assert found == (PASSED, "1 scanned, attested by the key scanner.pub, nothing of high or worse")
    ruling, reason = judged(gate(), CANDIDATE, spoken(attested(cosigns(make(BAD)))))
    assert (ruling, "CVE-1 (critical" in reason) == (BLOCKED, True)


@FORMS
def test_a_report_that_is_the_predicate_itself_is_read(make: Any) -> None:
    wanted = gate(SARIF_TYPE)
    assert judged(wanted, CANDIDATE, spoken(attested(make(), kind=SARIF_TYPE)))[0] is PASSED
    assert judged(wanted, CANDIDATE, spoken(attested(make(BAD), kind=SARIF_TYPE)))[0] is BLOCKED


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([], f"not scanned: no attestation of {COSIGN_VULNERABILITIES} by the key scanner.pub"),
        ([attested(cosigns(trivy()), by=STRANGER)], "signed by another key, or changed since"),
        ([attested(cosigns(trivy()), of=digest_of(b"other"))], "speaks of another digest"),
        ([attested(cosigns(trivy()), kind=SLSA_1)], f"attests '{SLSA_1}', wanted {COSIGN_VULNERABILITIES}"),
        ([SCANNER.signature()], "is a signature, wanted an attestation"),
        ([attested(cosigns(trivy(digest=digest_of(b"other"))))], "what is attested is of other images"),
        ([attested(cosigns(None))], "the report cannot be read: it is not a JSON object"),
        ([attested(trivy())], "the report cannot be read: it is not a JSON object"),
        ([attested(cosigns({"SchemaVersion": 2}))], "nothing in the image was looked at"),
        ([attested("no report")], "the report cannot be read: it is not a JSON object"),
    ],
)
def test_what_is_no_report_of_this_image_by_this_scanner_blocks(pieces: list[Evidence], reason: str) -> None:
    ruling, said = judged(gate(), CANDIDATE, spoken(*pieces))
    assert (ruling, reason in said) == (BLOCKED, True), said


def test_a_statement_binds_a_report_that_names_no_image_but_not_to_a_platform_of_an_index() -> None:
    assert judged(gate(), CANDIDATE, spoken(attested(cosigns(silent()))))[0] is PASSED
    piece = attested(cosigns(silent()), of=INDEX.digest)
    ruling, reason = judged(gate(), INDEX, of_index((piece,), (), ()))
    assert (ruling, reason) == (BLOCKED, "linux/amd64: not scanned: what is attested is of other images, or names none")


def test_every_platform_has_to_be_scanned_be_it_attested_of_it_or_of_the_index() -> None:
    own = attested(cosigns(trivy(digest=AMD64.digest)), of=AMD64.digest)
    by_index = attested(cosigns(grype(digest=ARM64.config.digest)), of=INDEX.digest)
    assert judged(gate(), INDEX, of_index((by_index,), (own,), ()))[0] is PASSED
    ruling, reason = judged(gate(), INDEX, of_index((), (own,), ()))
    assert (ruling, reason.startswith("linux/arm64: not scanned")) == (BLOCKED, True)
    only = gate(covers=(PlatformPattern.parse("linux/amd64"),))
    assert judged(only, INDEX, of_index((), (own,), ()))[0] is PASSED


def test_what_is_asked_is_what_speaks_of_the_sources_digest_and_of_each_platform() -> None:
    digests = (INDEX.digest, AMD64.digest, ARM64.digest)
    assert gate().needs(INDEX) == (TimeNow(), *map(ReadSpoken, digests))
    assert gate().needs(CANDIDATE) == (TimeNow(), ReadSpoken(IMAGE.digest))


def test_the_newest_report_counts() -> None:
    old_good, old_bad = (attested(cosigns(trivy(*found), days_ago(2))) for found in ([], [BAD]))
    new_good, new_bad = (attested(cosigns(trivy(*found), days_ago(1))) for found in ([], [BAD]))
    assert judged(gate(), CANDIDATE, spoken(old_bad, new_good))[0] is PASSED
    assert judged(gate(), CANDIDATE, spoken(new_bad, old_good))[0] is BLOCKED
    assert judged(gate(), CANDIDATE, spoken(new_good, new_bad))[0] is BLOCKED


def test_a_report_of_the_index_and_one_of_the_image_are_compared() -> None:
    good = attested(cosigns(trivy(digest=AMD64.digest), days_ago(2)), of=AMD64.digest)
    bad = attested(cosigns(trivy(BAD, digest=AMD64.digest), days_ago(1)), of=INDEX.digest)
    only = gate(covers=(PlatformPattern.parse("linux/amd64"),))
    assert judged(only, INDEX, of_index((bad,), (good,), ()))[0] is BLOCKED


def test_one_that_does_not_say_when_it_was_made_counts_always() -> None:
    undated = attested(cosigns({**silent(BAD), "runs": [{**silent(BAD)["runs"][0], "invocations": []}]}, None))
    assert judged(gate(), CANDIDATE, spoken(undated, attested(cosigns(trivy()))))[0] is BLOCKED


def test_the_age_is_that_of_the_scan_by_the_statement() -> None:
    wanted = gate(max_age=timedelta(days=2))
    report = trivy(at=days_ago(30))
    assert judged(wanted, CANDIDATE, spoken(attested(cosigns(report, days_ago(1)))))[0] is PASSED
    assert "too old" in judged(wanted, CANDIDATE, spoken(attested(cosigns(trivy(), days_ago(3)))))[1]
    assert "dated in the future" in judged(wanted, CANDIDATE, spoken(attested(cosigns(trivy(), days_ago(-3)))))[1]
    assert "too old" in judged(wanted, CANDIDATE, spoken(attested(cosigns(report, None))))[1]
    without = attested(cosigns(trivy(CreatedAt=None), None))
    assert "does not say when it was made" in judged(wanted, CANDIDATE, spoken(without))[1]


@pytest.mark.parametrize("unread", [INDEX.digest, AMD64.digest, ARM64.digest])
def test_what_was_not_read_may_hold_a_worse_report_and_blocks(unread: str) -> None:
    good = [(one.digest, attested(cosigns(trivy(digest=one.digest)), of=one.digest)) for one in (AMD64, ARM64)]
    answers: list[tuple[Need, Any]] = [(ReadSpoken(INDEX.digest), ())]
    answers += [(ReadSpoken(digest), (piece,)) for digest, piece in good]
    assert judged(gate(), INDEX, knowing(*answers))[0] is PASSED
    answers.append((ReadSpoken(unread), Unread("503 from the registry")))  # type: ignore[arg-type]
    ruling, reason = judged(gate(), INDEX, knowing(*answers))
    assert (ruling, "cannot be read: 503 from the registry" in reason) == (BLOCKED, True)


def test_nothing_asked_is_nothing_passed() -> None:
    assert judged(gate(), CANDIDATE)[0] is BLOCKED
    assert judged(gate(), CANDIDATE, Known())[0] is BLOCKED


def test_a_trusted_root_that_is_none_blocks() -> None:
    by = TrustedIdentity(Signer("https://issuer", "*@example.com"), b"{}")
    ruling, reason = judged(Vulnerabilities(AttestedReports(by), Severity.HIGH), CANDIDATE, spoken())
    assert (ruling, reason.startswith("no report can be verified: this is no trusted root")) == (BLOCKED, True)


def test_a_hint_says_how_a_report_is_attested() -> None:
    hint = gate(SARIF_TYPE).judge(CANDIDATE, spoken()).hint or ""
    assert f"--type {SARIF_TYPE} " in hint
    finding = gate().judge(CANDIDATE, spoken())
    name = f"registry.example.com/shop/api@{IMAGE.digest}"
    assert finding.hint == f"scan {name} and attest the report: `cosign attest --type vuln --predicate REPORT {name}`"


@given(documents)
def test_no_predicate_raises_anything(document: object) -> None:
    for predicate in (document, cosigns(document)):
        piece = attested(predicate)
        assert judged(gate(), CANDIDATE, spoken(piece))[0] in (PASSED, BLOCKED)


def test_a_newer_report_may_be_among_what_was_not_read() -> None:
    good = attested(cosigns(trivy()))
    ruling, reason = judged(gate(), CANDIDATE, spoken(good, LeftUnread("250 referrers: the first 200 are read")))
    assert ruling is BLOCKED
    assert reason.endswith("a newer report may be in what was not read: 250 referrers: the first 200 are read")
    assert judged(gate(), CANDIDATE, spoken(good, Rejected("is damaged")))[0] is PASSED
