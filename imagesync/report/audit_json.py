"""An audit as JSON: every promised tag with its digest, and every finding once, with the tags that it is of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from imagesync import __version__
from imagesync.plan.findings import Audit, Audited, Finding, Kind

FORMAT_VERSION = 1
"""As for a report: keys are added within a version."""


def audit_to_json(audit: Audit) -> str:
    """Text with a stable order of keys, tags and findings, ASCII only, and a final newline. Absent values are null."""
    document = {
        "format_version": FORMAT_VERSION,
        "imagesync": __version__,
        "specs": [asdict(pin) for pin in audit.specs],
        "summary": _summary(audit),
        "findings": [_finding(finding, tags) for finding, tags in audit.findings().items()],
        "tags": [_tag(tag) for tag in audit.tags],
    }
    return json.dumps(document, indent=2) + "\n"


def _summary(audit: Audit) -> dict[str, int | float | bool]:
    counts = audit.counts()
    return {
        "deep": audit.is_deep,
        "tags": len(audit.tags),
        "broken": len(audit.broken),
        **{_word(kind): counts.get(kind, 0) for kind in Kind},
        "manifests": audit.manifests,
        "blobs": audit.blobs,
        "bytes_read": audit.bytes_read,
        "requests": audit.requests,
        "seconds": round(audit.seconds, 3),
        "exit_code": audit.exit_code,
    }


def _finding(finding: Finding, tags: Sequence[Audited]) -> dict[str, object]:
    return {
        "kind": _word(finding.kind),
        "subject": finding.subject,
        "reason": finding.reason,
        "hint": finding.hint,
        "tags": [tag.subject for tag in tags],
    }


def _tag(tag: Audited) -> dict[str, object]:
    return {
        "subject": tag.subject,
        "rule": tag.rule,
        "place": asdict(tag.place),
        "source": str(tag.source) if tag.source else None,
        "source_digest": tag.source.digest if tag.source else None,
        "findings": len(tag.findings),
    }


def _word(kind: Kind) -> str:
    return kind.value.replace(" ", "_")
