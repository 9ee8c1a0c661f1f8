"""`apply --repair`: audit, carry out just what puts the findings right, and audit that once more."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from imagesync.cli.apply import execute
from imagesync.cli.audit import audited
from imagesync.cli.output import emit, notify, wants_color
from imagesync.lazy import replace

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.plan.findings import Audit


def repair(arguments: argparse.Namespace, session: Session) -> int:
    """What was found goes to stderr, what was done about it is the result; returns the exit code."""
    from imagesync.audit import Looking  # noqa: PLC0415 - not for --help
    from imagesync.plan.mending import incomplete_tags, rules_to_mend  # noqa: PLC0415
    from imagesync.report.model import worst_of  # noqa: PLC0415

    found = audited(session, Looking(session.stores))
    if not found.broken:
        return _all_is_right(arguments, found)
    if not arguments.quiet:
        _tell(found)
    session = replace(session, spec=replace(session.spec, rules=rules_to_mend(found), is_part=True))
    code = execute(arguments, session, incomplete=incomplete_tags(found))
    if arguments.dry_run or session.cancellation.is_cancelled:
        return code
    left = audited(session, Looking(session.stores))
    if left.broken:
        _tell(left)
    return worst_of({code, left.exit_code, _of_the_unknown(found)})


def _all_is_right(arguments: argparse.Namespace, audit: Audit) -> int:
    """There is nothing to do: the audit itself is the result."""
    from imagesync.cli.publish import publish_audit, show_audit  # noqa: PLC0415 - not for --help

    publish_audit(audit, output=arguments.report)
    emit(show_audit(audit, arguments.format, verbose=arguments.verbose))
    return audit.exit_code


def _tell(audit: Audit) -> None:
    from imagesync.report.audit_text import render_audit  # noqa: PLC0415 - not for --help

    notify(render_audit(audit, color=wants_color(sys.stderr), verbose=False))


def _of_the_unknown(audit: Audit) -> int:
    """What those are worth that no rule can mend, since nobody knows what they should be."""
    return replace(audit, tags=tuple(tag for tag in audit.tags if tag.want is None)).exit_code
