"""An audit in every form: each finding once, the tags that it is of, and nothing let through."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

from imagesync.plan.findings import Audit, Finding, Kind
from imagesync.report import audit_markdown
from imagesync.report.audit_json import audit_to_json
from imagesync.report.audit_junit import audit_to_junit
from imagesync.report.audit_text import render_audit
from imagesync.report.markdown import MAX_COMMENT_BYTES
from tests.report.values import HOSTILE, REGISTRY, make_audited, sample_audit

B, C = f"sha256:{'b' * 64}", f"sha256:{'c' * 64}"
TEXT = f"""\
! {REGISTRY}/mirror/app@{B}  missing blob
    the blob of 5 bytes is not there
    → push it again
    of {", ".join(f"{REGISTRY}/mirror/app:{number}" for number in range(2, 7))}, 1 tag more, bases/app, sync.yaml:6:9

x {REGISTRY}/mirror/app@{C}  not readable
    no route
    of {REGISTRY}/mirror/app:7, bases/app, sync.yaml:6:9

! {REGISTRY}/mirror/app:8  missing tag
    the tag is not there
    → `imagesync apply` brings it
    bases/app, sync.yaml:6:9

Audit: 7 of 8 tags are not as promised: 1 missing tag, 1 missing blob, 1 not readable. \
3 manifests and 1 blob asked for in 500 ms, 20 requests."""


def last_line(audit: Audit) -> str:
    return render_audit(audit, color=False, verbose=False).splitlines()[-1]


def test_each_finding_is_told_once_with_the_tags_that_it_is_of() -> None:
    assert render_audit(sample_audit(), color=False, verbose=False) == TEXT


def test_color_changes_no_word() -> None:
    colored = render_audit(sample_audit(), color=True, verbose=False)
    for code in ("1", "2", "31", "0"):
        colored = colored.replace(f"\x1b[{code}m", "")
    assert colored == TEXT


def test_the_last_line_counts() -> None:
    whole = Audit((make_audited("a/b:1"),), manifests=1, blobs=2, requests=5, seconds=0.5)
    assert last_line(whole) == "Audit: 1 tag is as promised. 1 manifest and 2 blobs asked for in 500 ms, 5 requests."
    deep = replace(whole, is_deep=True, bytes_read=71_200_000)
    assert "1 manifest and 2 blobs read and hashed (71.2 MB) in 500 ms" in last_line(deep)
    assert last_line(Audit(())) == "Audit: no tag is selected."


def test_something_that_could_not_be_read_is_worth_1_any_other_finding_2() -> None:
    audit = sample_audit()
    assert audit.exit_code == 1
    assert replace(audit, tags=audit.tags[:3]).exit_code == 2
    assert replace(audit, tags=audit.tags[:1]).exit_code == 0


def test_the_json_counts_every_kind_and_names_every_tag() -> None:
    document = json.loads(audit_to_json(sample_audit()))
    assert list(document) == ["format_version", "imagesync", "specs", "summary", "findings", "tags"]
    assert document["summary"] == {
        "deep": False,
        "tags": 8,
        "broken": 7,
        "missing_tag": 1,
        "other_digest": 0,
        "missing_child": 0,
        "missing_blob": 1,
        "other_size": 0,
        "other_bytes": 0,
        "missing_attachment": 0,
        "not_readable": 1,
        "manifests": 3,
        "blobs": 1,
        "bytes_read": 0,
        "requests": 20,
        "seconds": 0.5,
        "exit_code": 1,
    }
    assert [len(finding["tags"]) for finding in document["findings"]] == [6, 1, 1]
    assert [tag["findings"] for tag in document["tags"]] == [0, 1, 1, 1, 1, 1, 2, 1]


def test_a_case_is_a_failure_with_all_that_was_found_of_it() -> None:
    root = ET.fromstring(audit_to_junit(sample_audit()))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("8", "7", "0")
    failure = root.find(f".//testcase[@name='{REGISTRY}/mirror/app:7']/failure")
    assert failure is not None
    assert failure.get("type") == Kind.MISSING_BLOB.value
    assert (failure.text or "").count("\n") == 1
    assert "not readable" in (failure.text or "")


def test_the_table_has_a_row_for_each_finding() -> None:
    lines = audit_markdown.render_audit(sample_audit()).splitlines()
    assert lines[0].startswith("**Audit: 7 of 8 tags are not as promised")
    assert [line.split(" | ")[0] for line in lines[4:]] == ["| missing blob", "| not readable", "| missing tag"]


def test_an_audit_without_findings_has_no_table() -> None:
    whole = Audit((make_audited("a/b:1"),))
    assert audit_markdown.render_audit(whole).count("\n") == 1


def test_an_audit_with_many_findings_fits_into_a_comment_and_says_how_many_it_leaves_out() -> None:
    findings = [Finding(Kind.MISSING_BLOB, f"{REGISTRY}/app@{number}", "é" * 300) for number in range(900)]
    whole = Audit(tuple(make_audited(f"a/b:{number}", finding) for number, finding in enumerate(findings)))
    text = audit_markdown.render_audit(whole, max_bytes=MAX_COMMENT_BYTES)
    shown = text.count("| missing blob |")
    assert len(text.encode()) <= MAX_COMMENT_BYTES
    assert f"{900 - shown} lines more: " in text


def test_what_a_server_says_stays_text_in_every_form() -> None:
    hostile = sample_audit(HOSTILE)
    text = render_audit(hostile, color=False, verbose=True)
    assert "\r" not in text
    assert "\x1b" not in text
    assert len(text.splitlines()) == len(TEXT.splitlines()) + 1
    row = next(line for line in audit_markdown.render_audit(hostile).splitlines() if line.startswith("| not readable"))
    assert row.count("`") == 2 * 3
    assert json.loads(audit_to_json(hostile))["findings"][1]["reason"] == HOSTILE
    assert ET.fromstring(audit_to_junit(hostile).encode()) is not None
