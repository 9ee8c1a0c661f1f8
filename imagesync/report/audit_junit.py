"""An audit as JUnit XML: a suite for each rule, a case for each promised tag."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from imagesync.plan.findings import Audit, Audited, Kind
from imagesync.report.junit import count_cases, to_xml
from imagesync.report.printable import printable


def audit_to_junit(audit: Audit) -> str:
    """XML text with a final newline: what is wrong is a failure, what could not be read an error."""
    root = ET.Element("testsuites", name="imagesync audit")
    rules: dict[str, list[Audited]] = {}
    for tag in audit.tags:
        rules.setdefault(tag.rule, []).append(tag)
    for rule, tags in rules.items():
        suite = ET.SubElement(root, "testsuite", name=printable(rule))
        suite.extend([_case(tag) for tag in tags])
        count_cases(suite)
    count_cases(root)
    return to_xml(root, audit.seconds)


def _case(tag: Audited) -> ET.Element:
    case = ET.Element("testcase", name=printable(tag.subject), classname=printable(tag.rule))
    case.set("file", printable(tag.place.file))
    case.set("line", str(tag.place.line))
    for finding in tag.findings[:1]:  # one a case is what readers of this form take
        said = ET.SubElement(case, "error" if finding.kind is Kind.UNREADABLE else "failure")
        said.set("type", finding.kind.value)
        said.set("message", printable(finding.reason))
        said.text = "\n".join(printable(f"{one.kind.value}: {one.subject}: {one.reason}") for one in tag.findings)
    return case
