"""The report as JUnit XML, which GitLab, Jenkins and others show: a suite for each rule, a case for each tag."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from imagesync.plan.outcome import Outcome, Status
from imagesync.report.model import Report, subject_of
from imagesync.report.printable import printable

_ELEMENTS = {
    Status.FAILED: "failure",
    Status.BLOCKED: "failure",
    Status.STALE: "failure",
    Status.CANCELLED: "error",
    Status.WAITING: "skipped",
    Status.SKIPPED: "skipped",
}
_COUNTERS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def report_to_junit(report: Report) -> str:
    """XML text with a final newline; no character that XML 1.0 forbids is in it."""
    root = ET.Element("testsuites", name="imagesync")
    rules: dict[str, list[Outcome]] = {}
    for outcome in report.in_order():
        rules.setdefault(outcome.action.rule, []).append(outcome)
    for rule, outcomes in rules.items():
        suite = ET.SubElement(root, "testsuite", name=printable(rule))
        suite.extend([_case(outcome) for outcome in outcomes])
        count_cases(suite)
    count_cases(root)
    return to_xml(root, report.seconds)


def to_xml(root: ET.Element, seconds: float) -> str:
    """The text of a report that took so long."""
    root.set("time", f"{seconds:.3f}")
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(outcome: Outcome) -> ET.Element:
    action = outcome.action
    case = ET.Element("testcase", name=printable(subject_of(action)), classname=printable(action.rule))
    case.set("time", f"{outcome.seconds:.3f}")
    case.set("file", printable(action.place.file))
    case.set("line", str(action.place.line))
    element = _ELEMENTS.get(outcome.status)
    if element is not None:
        said = ET.SubElement(case, element, type=printable(outcome.kind or outcome.status.value))
        said.set("message", printable(outcome.reason))
        said.text = printable(outcome.hint) if outcome.hint else None
    return case


def count_cases(element: ET.Element) -> None:
    """Say in a suite, or in all of them, how many cases are below and what became of them."""
    element.set("tests", str(len(list(element.iter("testcase")))))
    for name, tag in _COUNTERS.items():
        element.set(name, str(len(list(element.iter(tag)))))
