"""`--report FILE`: the ending of its name says the form. Written beside it and renamed: the old text or the new."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from imagesync.errors import UsageError
from imagesync.plan.findings import Audit
from imagesync.report.audit_json import audit_to_json
from imagesync.report.audit_junit import audit_to_junit
from imagesync.report.audit_markdown import render_audit
from imagesync.report.json import report_to_json
from imagesync.report.junit import report_to_junit
from imagesync.report.markdown import render_report
from imagesync.report.model import Report

V = TypeVar("V")
FORMS: dict[str, Callable[[Report], str]] = {
    ".json": report_to_json,
    ".xml": report_to_junit,
    ".md": render_report,
}
AUDIT_FORMS: dict[str, Callable[[Audit], str]] = {
    ".json": audit_to_json,
    ".xml": audit_to_junit,
    ".md": render_audit,
}


def check_report_name(name: str) -> None:
    """Raise UsageError for an ending that stands for no form; call it before the run, not after."""
    if Path(name).suffix.lower() not in FORMS:
        raise UsageError(
            f"report {name!a} has no ending that says its form",
            hint="name it .json, .xml (JUnit) or .md (Markdown)",
        )


def write_report(report: Report, name: str) -> None:
    """Write the report in the form that the name's ending says. Raises UsageError."""
    _write(report, name, FORMS)


def write_audit(audit: Audit, name: str) -> None:
    """As write_report, of an audit."""
    _write(audit, name, AUDIT_FORMS)


def _write(value: V, name: str, forms: Mapping[str, Callable[[V], str]]) -> None:
    check_report_name(name)
    path = Path(name)
    text = forms[path.suffix.lower()](value)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(f"report {name!a} cannot be written: {error.strerror}") from error
