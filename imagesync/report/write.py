"""`--report FILE`: the ending of its name says the form. Written beside it and renamed: the old text or the new."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from imagesync.errors import UsageError
from imagesync.report.json import report_to_json
from imagesync.report.junit import report_to_junit
from imagesync.report.markdown import render_report
from imagesync.report.model import Report

FORMS: dict[str, Callable[[Report], str]] = {
    ".json": report_to_json,
    ".xml": report_to_junit,
    ".md": render_report,
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
    check_report_name(name)
    path = Path(name)
    text = FORMS[path.suffix.lower()](report)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(f"report {name!a} cannot be written: {error.strerror}") from error
