"""How the stages of promotions stand, as text, Markdown and JSON: a row for each stage and image, then what is next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from imagesync import __version__
from imagesync.errors import ImagesyncError
from imagesync.plan.inventory import str_without_hint
from imagesync.promotion.ahead import Ahead
from imagesync.promotion.commands import Commands
from imagesync.promotion.record import Record, record_to_json
from imagesync.promotion.standing import Agreement, StageStanding, exit_code_of
from imagesync.report.columns import Row, as_markdown, as_text
from imagesync.report.history import TIME, by_whom
from imagesync.report.upcoming import HEAD, lines_of, rows_of, upcoming_to_dict

FORMAT_VERSION = 1
MAX_SHOWN = 5
_HEAD = ("stage", "image", "version", "digest", "since", "ahead")


def render_stages(standings: Sequence[StageStanding], spec: str, *, form: str) -> str:
    """All of them, in a form. `spec` is the file as commands name it."""
    if form == "json":
        return _to_json(standings, spec)
    rows = [row for standing in standings for row in _rows(standing)]
    if form == "markdown":
        steps = [row for standing in standings for row in rows_of(standing, spec)]
        return "\n\n".join([as_markdown(_HEAD, rows), *([as_markdown(HEAD, steps)] if steps else [])])
    blocks = (lines for standing in standings if (lines := list(lines_of(standing, spec))))
    return "\n".join([as_text(rows), *(line for lines in blocks for line in ("", *lines))])


def _rows(standing: StageStanding) -> Iterator[Row]:
    name, ahead, record = f"{standing.promotion}/{standing.stage}", _ahead(standing.ahead), standing.released
    if record is None:
        yield (name, "", "", "", _without_record(standing), ahead)
        return
    since = f"{record.at.strftime(TIME)} by {by_whom(record)}"
    for image in standing.images:
        digest = image.recorded.short
        if image.agreement is Agreement.MOVED and image.found is not None:
            digest += f", but {image.tag.tag} has {image.found.short}"
        elif image.agreement is not Agreement.AS_RECORDED:
            digest += f", but {image.tag.tag} is {image.agreement.value}"
        yield (name, image.name, record.version, digest, since, ahead)
        name, since, ahead = "", "", ""
    for image_name in standing.lacking:
        yield (name, image_name, record.version, "not part of it", since, ahead)
        name, since, ahead = "", "", ""


def _without_record(standing: StageStanding) -> str:
    if standing.error is not None:
        return "not readable"
    return "where releases begin" if standing.is_first else "nothing has come here yet"


def _ahead(ahead: Ahead) -> str:
    """`ahead: 1.6.0, 1.5.1`, the next one first."""
    shown = ", ".join(ahead.versions[:MAX_SHOWN])
    more = len(ahead.versions) - MAX_SHOWN
    return f"ahead: {shown}{f' and {more} more' if more > 0 else ''}" if shown else ""


def _to_json(standings: Sequence[StageStanding], spec: str) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "imagesync": __version__,
        "summary": {"exit_code": exit_code_of(standings)},
        "stages": [_stage(standing, spec) for standing in standings],
    }
    return json.dumps(document, indent=2) + "\n"


def _stage(standing: StageStanding, spec: str) -> dict[str, Any]:
    return {
        "promotion": standing.promotion,
        "stage": standing.stage,
        "released": _record(standing.released),
        "incomplete": _record(standing.begun),
        "hold": _record(standing.hold),
        "unreadable": _error(standing.error),
        "ahead": standing.ahead.versions[0] if standing.ahead.versions else None,
        "all_ahead": list(standing.ahead.versions),
        "next": standing.next_step(Commands(spec, standing.promotion)),
        "upcoming": upcoming_to_dict(standing, spec),
        "lacking": list(standing.lacking),
        "images": [
            {
                "name": image.name,
                "tag": str(image.tag),
                "recorded_digest": image.recorded,
                "found_digest": image.found,
                "agreement": image.agreement.value.replace(" ", "_"),
            }
            for image in standing.images
        ],
    }


def _error(error: ImagesyncError | None) -> Any:
    return {"reason": str_without_hint(error), "kind": error.kind, "hint": error.hint} if error is not None else None


def _record(record: Record | None) -> Any:
    return json.loads(record_to_json(record)) if record is not None else None
