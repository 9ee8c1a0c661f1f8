"""The report as JSON: source and destination digest of every tag and what became of it. A plan's JSON is its file."""

from __future__ import annotations

import json
from dataclasses import asdict

from imagesync import __version__
from imagesync.plan.actions import Action, Attach, Blocked, Conflict, Copy, Delete, Drifted, Keep, Spared
from imagesync.plan.creating import creation_to_dict
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.summary import moved_of, verdicts_of
from imagesync.plan.unit import unit_to_dict
from imagesync.plan.verdicts import verdicts_to_dicts
from imagesync.reference import Digest
from imagesync.report.model import CHANGES, Report, Traffic, destination_of, source_of, subject_of

FORMAT_VERSION = 1
"""Keys are added within a version; a key that goes or changes its meaning makes a new one."""


def report_to_json(report: Report) -> str:
    """Text with a stable order of keys and outcomes, ASCII only, and a final newline. Absent values are null."""
    document = {
        "format_version": FORMAT_VERSION,
        "imagesync": __version__,
        "unit": unit_to_dict(report.plan.unit) if report.plan.unit is not None else None,
        "specs": [asdict(pin) for pin in report.plan.specs],
        "summary": _summary(report),
        "outcomes": [_outcome(outcome) for outcome in report.in_order()],
        "pulls": [asdict(pulls) for pulls in report.plan.pulls],
        "warnings": [asdict(one) for one in report.plan.warnings],
        "found": [asdict(one) for one in report.plan.found],
        "due": [asdict(one) for one in report.plan.due],
        "traffic": [_traffic(host, traffic) for host, traffic in sorted(report.traffic.items())],
    }
    return json.dumps(document, indent=2) + "\n"


def _summary(report: Report) -> dict[str, int | float]:
    return {
        "changes": sum(report.count(status) for status in CHANGES),
        "added": report.added,
        "updated": report.updated,
        **{status.value: report.count(status) for status in Status},
        "drifted": report.drifted,
        "upstream_moved": report.upstream_moved,
        "bytes_copied": report.bytes_copied,
        "bytes_mounted": report.bytes_mounted,
        "bytes_skipped": report.bytes_skipped,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "exit_code": report.exit_code,
    }


def _traffic(host: str, traffic: Traffic) -> dict[str, object]:
    return {
        "host": host,
        "requests": dict(sorted(traffic.requests.items())),
        "bytes_read": traffic.bytes_read,
        "bytes_written": traffic.bytes_written,
        "retries": traffic.retries,
        "pauses": traffic.pauses,
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    action = outcome.action
    source, destination = source_of(action), destination_of(action)
    copy = action.copy if isinstance(action, Blocked) else action
    return {
        "status": outcome.status.value,
        "rule": action.rule,
        "place": asdict(action.place),
        "subject": subject_of(action),
        "source": str(source) if source else None,
        "source_digest": source.digest if source else None,
        "destination": str(destination) if destination else None,
        "destination_digest": _found_there(outcome),
        "replaces": _had_before(copy),
        "cause": copy.cause.value if isinstance(copy, Copy) and copy.cause else None,
        "made_here": isinstance(copy, Copy) and copy.is_made_here,
        "previous": copy.previous if isinstance(copy, Copy) else None,
        "platforms": list(copy.platforms) if isinstance(copy, Copy) else [],
        "alias": asdict(copy.carries) if isinstance(copy, Copy) and copy.carries is not None else None,
        "creates": creation_to_dict(copy.creates) if isinstance(copy, Copy) and copy.creates is not None else None,
        "upstream_moved": asdict(moved) if (moved := moved_of(action)) is not None else None,
        "verdicts": verdicts_to_dicts(verdicts_of(action)),
        "attachments": [_attachment(one) for one in copy.attachments] if isinstance(copy, Copy | Attach) else [],
        "reason": outcome.reason or None,
        "hint": outcome.hint,
        "kind": outcome.kind or None,
        "bytes_copied": outcome.bytes_copied,
        "bytes_mounted": outcome.bytes_mounted,
        "bytes_skipped": outcome.bytes_skipped,
        "seconds": round(outcome.seconds, 3),
    }


def _attachment(copy: Copy) -> dict[str, object]:
    """What speaks of the image, and what had its place before; what both held is under the destination's tag now."""
    return {
        "source": str(copy.source),
        "source_digest": copy.root.digest,
        "destination": str(copy.destination),
        "replaces": copy.replaces,
    }


def _had_before(action: Action) -> Digest | None:
    """What the tag pointed to before the run, where that is another than after it."""
    if isinstance(action, Delete):
        return action.digest
    return action.replaces if isinstance(action, Copy) else None


def _found_there(outcome: Outcome) -> Digest | None:
    """What the destination's tag points to after the run, where that is known."""
    action = outcome.action
    if isinstance(action, Conflict | Drifted):
        return action.found
    if isinstance(action, Spared):
        return action.digest
    if outcome.status not in (Status.COPIED, Status.ATTACHED, Status.UNCHANGED):
        return None
    if isinstance(action, Copy):
        return action.root.digest
    return action.found if isinstance(action, Keep | Attach) else None
