"""What has happened to stages, and how an image came to where it is: as text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from imagesync import __version__
from imagesync.promotion.history import Event
from imagesync.promotion.record import Record, record_to_json
from imagesync.report.columns import Row, as_markdown, as_text

FORMAT_VERSION = 1
TIME = "%Y-%m-%d %H:%M UTC"
_HEAD = ("when", "stage", "what", "release", "by", "and")


def render_history(events: Sequence[Event], nothing: str, *, form: str) -> str:
    """The events in a form, the latest first; where there is none, `nothing` says so."""
    if form == "json":
        return _to_json(events)
    rows = [_row(event) for event in events]
    if not rows:
        return nothing
    return as_markdown(_HEAD, rows) if form == "markdown" else as_text(rows)


def by_whom(record: Record) -> str:
    return f"{record.who.name} ({record.who.run})" if record.who.run else record.who.name


def _row(event: Event) -> Row:
    record = event.record
    what = f"{record.move.value} {event.ending.value}" if record.images else event.ending.value
    said = [
        f"from {record.source_stage}" if record.source_stage else "",
        f"ticket {record.ticket}" if record.ticket else "",
        record.reason,
    ]
    release = f"{record.promotion} {record.version}"
    return (
        record.at.strftime(TIME),
        record.stage,
        what,
        release,
        by_whom(record),
        ", ".join(part for part in said if part),
    )


def _to_json(events: Sequence[Event]) -> str:
    told = [{"ending": event.ending.value, **json.loads(record_to_json(event.record))} for event in events]
    return json.dumps({"format_version": FORMAT_VERSION, "imagesync": __version__, "events": told}, indent=2) + "\n"
