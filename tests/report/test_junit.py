"""The report as JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from imagesync.plan.outcome import Outcome, Status
from imagesync.report.junit import report_to_junit
from tests.report.values import make_copy, make_failed, make_report, make_skip, sample_report

TEXT = """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="imagesync" tests="3" failures="1" errors="0" skipped="1" time="0.500">
  <testsuite name="bases/nginx" tests="1" failures="0" errors="0" skipped="0">
    <testcase name="registry.internal:5000/mirror/nginx:1.27.3" classname="bases/nginx" time="1.250" file="sync.yaml" line="6" />
  </testsuite>
  <testsuite name="bases/app" tests="1" failures="1" errors="0" skipped="0">
    <testcase name="registry.internal:5000/mirror/app:1" classname="bases/app" time="0.000" file="sync.yaml" line="6">
      <failure type="authentication" message="no &lt;right&gt;">`imagesync login other.internal`, with an account that may push</failure>
    </testcase>
  </testsuite>
  <testsuite name="bases/busybox" tests="1" failures="0" errors="0" skipped="1">
    <testcase name="docker.io/library/busybox" classname="bases/busybox" time="0.000" file="sync.yaml" line="10">
      <skipped type="skipped" message="nothing selected" />
    </testcase>
  </testsuite>
</testsuites>
"""  # noqa: E501


def test_a_rule_is_a_suite_and_a_tag_a_case() -> None:
    report = make_report(
        Outcome(make_copy(), Status.COPIED, seconds=1.25),
        make_failed(make_copy("mirror/app:1"), "no <right>"),
        Outcome(make_skip(), Status.SKIPPED, "nothing selected"),
    )
    assert report_to_junit(report) == TEXT


def test_whatever_was_not_done_is_a_failure_or_an_error() -> None:
    root = ET.fromstring(report_to_junit(sample_report()))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8",
        "failures": "4",
        "errors": "0",
        "skipped": "1",
    }
    cancelled = ET.fromstring(report_to_junit(make_report(Outcome(make_copy(), Status.CANCELLED, "interrupted"))))
    assert cancelled.get("errors") == "1"


@given(st.text(st.characters()))
def test_the_xml_is_well_formed_whatever_a_server_says(reason: str) -> None:
    text = report_to_junit(make_report(make_failed(make_copy(), reason)))
    failure = ET.fromstring(text.encode("utf-8")).find(".//failure")
    assert failure is not None
    assert (failure.get("message") or "").isprintable()
