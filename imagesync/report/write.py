"""`--report FILE`: the ending of its name says the form. Written beside it and renamed: the old text or the new."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from imagesync.errors import UsageError
from imagesync.plan.actions import Plan
from imagesync.plan.file import plan_to_json
from imagesync.plan.findings import Audit
from imagesync.report.audit_json import audit_to_json
from imagesync.report.audit_junit import audit_to_junit
from imagesync.report.audit_markdown import render_audit
from imagesync.report.json import report_to_json
from imagesync.report.junit import report_to_junit
from imagesync.report.markdown import MAX_COMMENT_BYTES, render_plan, render_report
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
PLAN_FORMS: dict[str, Callable[[Plan], str]] = {
    ".json": plan_to_json,
    ".md": partial(render_plan, max_bytes=MAX_COMMENT_BYTES),
}
_KNOWN_AS = {".json": ".json", ".xml": ".xml (JUnit)", ".md": ".md (Markdown)"}


def check_report_name(name: str, forms: Collection[str] = FORMS) -> None:
    """Raise UsageError for an ending that stands for none of these forms; call it before the run, not after."""
    if Path(name).suffix.lower() not in forms:
        *others, last = (_KNOWN_AS[form] for form in forms)
        raise UsageError(
            f"report {name!a} has no ending that says its form", hint=f"name it {', '.join(others)} or {last}"
        )


def write_report(report: Report, name: str) -> None:
    """Write the report in the form that the name's ending says. Raises UsageError."""
    _write(report, name, FORMS)


def write_audit(audit: Audit, name: str) -> None:
    """As write_report, of an audit."""
    _write(audit, name, AUDIT_FORMS)


def write_plan(plan: Plan, name: str) -> None:
    """As write_report, of a plan; Markdown fits into a comment."""
    _write(plan, name, PLAN_FORMS)


def _write(value: V, name: str, forms: Mapping[str, Callable[[V], str]]) -> None:
    check_report_name(name, forms)
    path = Path(name)
    text = forms[path.suffix.lower()](value)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(f"report {name!a} cannot be written: {error.strerror}") from error
