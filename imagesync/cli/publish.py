"""Showing plans and reports, and telling CI: step summary, outputs and annotations where GitHub Actions runs it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from imagesync.cli.output import in_github_actions, wants_color, workspace_folder

if TYPE_CHECKING:
    from imagesync.plan.actions import Plan
    from imagesync.plan.findings import Audit
    from imagesync.report.model import Report


def show_plan(plan: Plan, form: str, *, verbose: bool) -> str:
    """A plan in the form that `--format` names; Markdown fits into a comment."""
    if form == "json":
        from imagesync.plan.file import plan_to_json  # noqa: PLC0415 - one form is shown, here and below

        return plan_to_json(plan)
    if form == "markdown":
        from imagesync.report import markdown  # noqa: PLC0415

        return markdown.render_plan(plan, max_bytes=markdown.MAX_COMMENT_BYTES)
    from imagesync.report import text  # noqa: PLC0415

    return text.render_plan(plan, color=wants_color(sys.stdout), verbose=verbose)


def show_report(report: Report, form: str, *, verbose: bool) -> str:
    """A report in the form that `--format` names."""
    if form == "json":
        from imagesync.report.json import report_to_json  # noqa: PLC0415

        return report_to_json(report)
    if form == "markdown":
        from imagesync.report import markdown  # noqa: PLC0415

        return markdown.render_report(report, max_bytes=markdown.MAX_COMMENT_BYTES)
    from imagesync.report import text  # noqa: PLC0415

    return text.render_report(report, color=wants_color(sys.stdout), verbose=verbose)


def show_audit(audit: Audit, form: str, *, verbose: bool) -> str:
    """An audit in the form that `--format` names."""
    if form == "json":
        from imagesync.report.audit_json import audit_to_json  # noqa: PLC0415

        return audit_to_json(audit)
    if form == "markdown":
        from imagesync.report import audit_markdown, markdown  # noqa: PLC0415

        return audit_markdown.render_audit(audit, max_bytes=markdown.MAX_COMMENT_BYTES)
    from imagesync.report import audit_text  # noqa: PLC0415

    return audit_text.render_audit(audit, color=wants_color(sys.stdout), verbose=verbose)


def publish_plan(plan: Plan, *, output: str | None, report: str | None = None) -> None:
    """Write the report file that was asked for, and tell GitHub Actions; `output` is where the plan was saved.
    Annotations go to stderr, results may be piped."""
    if report:
        from imagesync.report.write import write_plan  # noqa: PLC0415 - few runs write one

        write_plan(plan, report)
    if not in_github_actions():
        return
    from imagesync.plan.summary import summarise  # noqa: PLC0415 - seldom, as all that GitHub is told
    from imagesync.report import github, markdown  # noqa: PLC0415

    sys.stderr.write(github.annotations_of_plan(plan, workspace_folder()))
    _append_summary(markdown.render_plan(plan))
    summary = summarise(plan)
    _set_outputs(
        {
            "changed": str(summary.changes > 0).lower(),
            "changes": str(summary.changes),
            "plan-file": output or "",
            "report": report or "",
        }
    )


def publish_report(report: Report, *, output: str | None) -> None:
    """Write the report file that was asked for, and tell GitHub Actions."""
    if output:
        from imagesync.report.write import write_report  # noqa: PLC0415 - few runs write one

        write_report(report, output)
    if not in_github_actions():
        return
    from imagesync.plan.outcome import Status  # noqa: PLC0415 - seldom, as above
    from imagesync.report import github, markdown  # noqa: PLC0415

    sys.stderr.write(github.annotations_of_report(report, workspace_folder()))
    _append_summary(markdown.render_report(report))
    failed = report.count(Status.FAILED)
    copied, deleted = report.count(Status.COPIED) + report.count(Status.ATTACHED), report.count(Status.DELETED)
    _set_outputs(
        {
            "changed": str(copied + deleted > 0).lower(),
            "copied": str(copied),
            "deleted": str(deleted),
            "failed": str(failed),
            "report": output or "",
        }
    )


def publish_audit(audit: Audit, *, output: str | None) -> None:
    """Write the report file that was asked for, and tell GitHub Actions."""
    if output:
        from imagesync.report.write import write_audit  # noqa: PLC0415 - few runs write one

        write_audit(audit, output)
    if not in_github_actions():
        return
    from imagesync.report import audit_markdown, github  # noqa: PLC0415 - seldom, as above

    sys.stderr.write(github.annotations_of_audit(audit, workspace_folder()))
    _append_summary(audit_markdown.render_audit(audit))
    _set_outputs({"findings": str(len(audit.findings())), "report": output or ""})


def _append_summary(markdown_text: str) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        from imagesync.report import github  # noqa: PLC0415 - as above

        github.append_summary(path, markdown_text)


def _set_outputs(values: dict[str, str]) -> None:
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        from imagesync.report import github  # noqa: PLC0415 - as above

        github.write_outputs(path, values)
