"""What the doctor found, as JSON: every check of every registry, none taken together."""

from __future__ import annotations

import json

from imagesync import __version__
from imagesync.doctor.check import Check, Report, Status

FORMAT_VERSION = 1
"""As for a report: keys are added within a version."""


def report_to_json(report: Report) -> str:
    """Text with a stable order of keys and checks, ASCII only, and a final newline. Absent values are null."""
    counts = report.counts()
    document = {
        "format_version": FORMAT_VERSION,
        "imagesync": __version__,
        "summary": {
            "registries": len(report.registries),
            **{status.value: counts[status] for status in Status},
            "requests": report.requests,
            "seconds": round(report.seconds, 3),
            "exit_code": report.exit_code,
        },
        "registries": [
            {
                "registry": diagnosis.host,
                "roles": [role for role in diagnosis.roles if role],
                "checks": [_check(check) for check in diagnosis.checks],
            }
            for diagnosis in report.registries
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _check(check: Check) -> dict[str, object]:
    return {
        "topic": check.topic.value,
        "about": check.about or None,
        "status": check.status.value,
        "detail": check.detail,
        "next_step": check.next_step,
    }
