"""The gate over reports of scanners: each form, what counts of it, of which image it is, and what is hostile."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.gates import Known, ReadFile, Ruling, Unread
from imagesync.gates.paths import PathTemplate
from imagesync.gates.reports import ScanReport, Severity, Unreadable, read_report
from imagesync.gates.scans import FileReports
from imagesync.gates.vulnerabilities import Ignored, Vulnerabilities
from imagesync.manifest import digest_of
from imagesync.selection import PlatformPattern
from tests.gates.values import NOW, days_ago, judged, knowing, make_candidate
from tests.images import make_image

PASSED, BLOCKED = Ruling.PASSED, Ruling.BLOCKED
IMAGE = make_image()
CANDIDATE = make_candidate(IMAGE)
OTHER = digest_of(b"other")
TEMPLATE = PathTemplate.parse("scans/{repository}/{digest_hex}.json", "")
Found = tuple[str, str, bool]
"""Name, severity, whether it is fixed."""


def trivy(*found: Found, digest: str = IMAGE.digest, at: datetime = NOW, **more: Any) -> dict[str, Any]:
    listed = [
        {"VulnerabilityID": name, "Severity": severity, "PkgName": "ssl", "FixedVersion": "2" if is_fixed else ""}
        for name, severity, is_fixed in found
    ]
    return {
        "SchemaVersion": 2,
        "CreatedAt": at.isoformat(),
        "Metadata": {"RepoDigests": [f"shop/api@{digest}"]},
        "Results": [{"Class": "os-pkgs", "Vulnerabilities": listed}, {"Class": "lang-pkgs"}],
        **more,
    }


def grype(*found: Found, digest: str = IMAGE.digest, at: datetime = NOW) -> dict[str, Any]:
    return {
        "matches": [
            {
                "vulnerability": {
                    "id": name,
                    "severity": severity.title(),
                    "fix": {"state": "fixed" if is_fixed else "not-fixed"},
                },
                "artifact": {"name": "ssl"},
            }
            for name, severity, is_fixed in found
        ],
        "source": {"type": "image", "target": {"manifestDigest": digest, "repoDigests": []}},
        "descriptor": {"name": "grype", "timestamp": at.isoformat()},
    }


SCORES = {"CRITICAL": "9.8", "HIGH": "7.5", "MEDIUM": "5.0", "LOW": "2.0"}


def sarif(*found: Found, digest: str = IMAGE.digest, at: datetime = NOW) -> dict[str, Any]:
    rules = [{"id": name, "properties": {"security-severity": SCORES[severity]}} for name, severity, _ in found]
    run = {
        "tool": {"driver": {"name": "any", "rules": rules}},
        "results": [{"ruleId": name, "level": "note"} for name, _, _ in found],
        "invocations": [{"endTimeUtc": at.isoformat(), "executionSuccessful": True}],
        "properties": {"repoDigests": [f"shop/api@{digest}"]},
    }
    return {"version": "2.1.0", "runs": [run]}


FORMS = pytest.mark.parametrize("make", [trivy, grype, sarif])


def gate(**more: Any) -> Vulnerabilities:
    return Vulnerabilities(**{"reports": FileReports(TEMPLATE), "fail_on": Severity.HIGH, **more})


def scanned(report: object, now: datetime = NOW) -> Known:
    raw = report if isinstance(report, bytes | Unread) or report is None else json.dumps(report).encode()
    return knowing((ReadFile(f"scans/shop/api/{IMAGE.digest.encoded}.json"), raw), now=now)


@FORMS
@pytest.mark.parametrize(
    ("found", "ruling", "reason"),
    [
        ([], PASSED, "1 scanned, nothing of high or worse"),
        ([("CVE-1", "MEDIUM", True)], PASSED, "1 scanned"),
        ([("CVE-1", "HIGH", True)], BLOCKED, "CVE-1 (high"),
        ([("CVE-1", "HIGH", True), ("CVE-2", "CRITICAL", True)], BLOCKED, "CVE-2 (critical"),
        ([(f"CVE-{number}", "HIGH", True) for number in range(9)], BLOCKED, "6 more"),
    ],
)
def test_what_is_as_bad_as_the_threshold_blocks(make: Any, found: list[Found], ruling: Ruling, reason: str) -> None:
    result = judged(gate(), CANDIDATE, scanned(make(*found)))
    assert (result[0], reason in result[1]) == (ruling, True), result


@FORMS
def test_a_report_of_another_image_blocks(make: Any) -> None:
    found = judged(gate(), CANDIDATE, scanned(make(digest=OTHER)))
    assert found == (BLOCKED, f"{IMAGE.digest.short}: the report is of another image: {OTHER}")


def test_a_report_that_names_the_config_is_of_the_image() -> None:
    config = IMAGE.root.successors()[0].digest
    assert judged(gate(), CANDIDATE, scanned(trivy(Metadata={"ImageID": config})))[0] is PASSED
    report = grype() | {"source": {"target": {"imageID": config}}}
    assert judged(gate(), CANDIDATE, scanned(report))[0] is PASSED


@FORMS
def test_a_report_may_be_too_old_but_not_from_the_future(make: Any) -> None:
    check = gate(max_age=timedelta(days=2))
    assert judged(check, CANDIDATE, scanned(make(at=days_ago(1))))[0] is PASSED
    assert "too old" in judged(check, CANDIDATE, scanned(make(at=days_ago(3))))[1]
    assert "dated in the future" in judged(check, CANDIDATE, scanned(make(at=days_ago(-3))))[1]
    assert judged(gate(), CANDIDATE, scanned(make(at=days_ago(300))))[0] is PASSED


def test_a_report_without_a_date_has_no_age() -> None:
    report = trivy(CreatedAt=None)
    assert "does not say when it was made" in judged(gate(max_age=timedelta(days=2)), CANDIDATE, scanned(report))[1]


def test_only_what_can_be_fixed_may_count() -> None:
    check, found = gate(only_fixable=True), [("CVE-1", "HIGH", False)]
    for make in (trivy, grype):
        assert judged(check, CANDIDATE, scanned(make(*found)))[0] is PASSED
        assert judged(gate(), CANDIDATE, scanned(make(*found)))[0] is BLOCKED
    assert judged(check, CANDIDATE, scanned(sarif(*found)))[0] is BLOCKED  # it does not say what is fixed


def test_what_is_ignored_counts_again_after_its_day() -> None:
    check = gate(ignored=(Ignored("CVE-1", "not reachable", date(2026, 11, 26)),))
    report = trivy(("CVE-1", "HIGH", True))
    assert judged(check, CANDIDATE, scanned(report))[0] is PASSED
    ruling, reason = judged(check, CANDIDATE, scanned(report, now=NOW + timedelta(days=1)))
    assert (ruling, "ignoring CVE-1 has ended" in reason) == (BLOCKED, True)
    assert judged(check, CANDIDATE, scanned(trivy(("CVE-2", "HIGH", True))))[0] is BLOCKED


@pytest.mark.parametrize("severity", ["UNKNOWN", "", "moderate", None, 3])
def test_what_nobody_has_rated_counts_as_high(severity: Any) -> None:
    report = trivy(Results=[{"Vulnerabilities": [{"VulnerabilityID": "CVE-1", "Severity": severity}]}])
    assert judged(gate(), CANDIDATE, scanned(report))[0] is BLOCKED
    assert judged(gate(fail_on=Severity.CRITICAL), CANDIDATE, scanned(report))[0] is PASSED


@pytest.mark.parametrize("score", ["nan", "-1", "99", "inf", "", None, [], True])
def test_a_score_that_is_none_leaves_it_to_the_level(score: Any) -> None:
    report = sarif(("CVE-1", "LOW", True))
    run = report["runs"][0]
    run["tool"]["driver"]["rules"][0]["properties"]["security-severity"] = score
    run["results"][0]["level"] = "error"
    assert judged(gate(), CANDIDATE, scanned(report))[0] is BLOCKED


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "not scanned: there is no report"),
        (Unread("permission denied"), "cannot be read: permission denied"),
        (b"", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"{}", "no report of Trivy or Grype"),
        (b'{"runs": [], "runs": []}', "has a key twice"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"runs": []}', "a run of it has no results"),
        (b'{"runs": [{}]}', "a run of it has no results"),
        (b'{"matches": [1]}', "a finding of it is no JSON object"),
        (b'{"SchemaVersion": 2}', "nothing in the image was looked at"),
        (b'{"SchemaVersion": 2, "Results": []}', "nothing in the image was looked at"),
        (b'{"SchemaVersion": 2, "Results": [{"Class": "secret"}]}', "nothing in the image was looked at"),
        (b'{"SchemaVersion": 2, "Results": [{"Vulnerabilities": 1}]}', "a list of it is something else"),
        (b'{"SchemaVersion": 2, "Results": [{"Vulnerabilities": []}]}', "another image: none that it names"),
    ],
)
def test_what_is_no_report_of_this_image_blocks(raw: bytes | Unread | None, reason: str) -> None:
    found = judged(gate(), CANDIDATE, scanned(raw))
    assert (found[0], reason in found[1]) == (BLOCKED, True), found


def test_nothing_asked_is_nothing_passed() -> None:
    assert judged(gate(), CANDIDATE)[0] is BLOCKED
    assert judged(gate(), CANDIDATE, Known())[0] is BLOCKED


def test_every_platform_or_some_are_covered() -> None:
    candidate = make_candidate()
    amd64, arm64 = (ReadFile(TEMPLATE.of(candidate.source, one.manifest.digest)) for one in candidate.images())
    assert gate().needs(candidate)[1:] == (amd64, arm64)
    check = gate(covers=(PlatformPattern.parse("linux/arm64"),))
    assert check.needs(candidate)[1:] == (arm64,)
    none = gate(covers=(PlatformPattern.parse("windows/amd64"),))
    assert judged(none, candidate) == (BLOCKED, "holds no image that was to be scanned")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
keys = st.sampled_from(
    [
        "runs",
        "results",
        "matches",
        "Results",
        "SchemaVersion",
        "Vulnerabilities",
        "tool",
        "driver",
        "rules",
        "properties",
    ]
)
documents = st.recursive(
    json_values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5), max_leaves=30
)


@given(documents)
def test_no_document_raises_anything_but_that_it_is_no_report(document: object) -> None:
    try:
        found = read_report(json.dumps(document).encode())
    except Unreadable:
        return
    assert isinstance(found, ScanReport)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_that_they_are_no_report(raw: bytes) -> None:
    assert judged(gate(), CANDIDATE, scanned(raw))[0] is BLOCKED
