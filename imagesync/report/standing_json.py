"""How tags stand, as JSON: every tag with its three digests, whatever the text leaves out."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict

from imagesync import __version__
from imagesync.plan.standing import Kind, Standing, Standings

FORMAT_VERSION = 1
"""As for a report: keys are added within a version."""


def standings_to_json(found: Standings, *, adopted: Collection[Standing] | None = None, exit_code: int) -> str:
    """Text with a stable order of keys and tags, ASCII only, and a final newline. `adopted` are the tags that are
    imagesync's from now on; None of a command that adopts none."""
    counts = found.counts()
    document = {
        "format_version": FORMAT_VERSION,
        "imagesync": __version__,
        "specs": [asdict(pin) for pin in found.specs],
        "summary": {
            "tags": len(found.tags),
            **{_word(kind): counts[kind] for kind in Kind},
            **({} if adopted is None else {"adopted": len(adopted)}),
            "exit_code": exit_code,
        },
        "tags": [_tag(tag, adopted) for tag in found.tags],
    }
    return json.dumps(document, indent=2) + "\n"


def _tag(tag: Standing, adopted: Collection[Standing] | None) -> dict[str, object]:
    return {
        "standing": _word(tag.kind),
        "subject": tag.subject,
        "rule": tag.rule,
        "place": asdict(tag.place),
        "source": str(tag.source) if tag.source else None,
        "source_digest": tag.source.digest if tag.source else None,
        "destination_digest": tag.found,
        "written_digest": tag.wrote,
        "reason": tag.reason,
        "hint": tag.hint,
        **({} if adopted is None else {"adopted": tag in adopted}),
    }


def _word(kind: Kind) -> str:
    return kind.value.replace(" ", "_")
