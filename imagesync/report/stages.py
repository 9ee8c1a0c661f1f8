"""How the stages of promotions stand, as text, Markdown and JSON: a row for each stage and image."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from imagesync import __version__
from imagesync.promotion.record import Record, record_to_json
from imagesync.promotion.standing import Agreement, StageStanding, exit_code_of
from imagesync.report.columns import Row, as_markdown, as_text
from imagesync.report.history import TIME, by_whom

FORMAT_VERSION = 1
_HEAD = ("stage", "image", "version", "digest", "since", "next")


def render_stages(standings: Sequence[StageStanding], *, form: str) -> str:
    """All of them, in a form."""
    if form == "json":
        return _to_json(standings)
    rows = [row for standing in standings for row in _rows(standing)]
    return as_markdown(_HEAD, rows) if form == "markdown" else as_text(rows)


def _rows(standing: StageStanding) -> Iterator[Row]:
    name, step, record = f"{standing.promotion}/{standing.stage}", standing.next_step, standing.released
    if record is None:
        what = "where releases begin" if standing.is_first else "nothing has come here yet"
        yield (name, "", "", "", what, step)
        return
    since = f"{record.at.strftime(TIME)} by {by_whom(record)}"
    for image in standing.images:
        digest = image.recorded.short
        if image.agreement is Agreement.MOVED and image.found is not None:
            digest += f", but {image.tag.tag} has {image.found.short}"
        elif image.agreement is not Agreement.AS_RECORDED:
            digest += f", but {image.tag.tag} is {image.agreement.value}"
        yield (name, image.name, record.version, digest, since, step)
        name, since, step = "", "", ""


def _to_json(standings: Sequence[StageStanding]) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "imagesync": __version__,
        "summary": {"exit_code": exit_code_of(standings)},
        "stages": [_stage(standing) for standing in standings],
    }
    return json.dumps(document, indent=2) + "\n"


def _stage(standing: StageStanding) -> dict[str, Any]:
    return {
        "promotion": standing.promotion,
        "stage": standing.stage,
        "released": _record(standing.released),
        "incomplete": _record(standing.begun),
        "hold": _record(standing.hold),
        "ahead": standing.ahead.version if standing.ahead is not None else None,
        "next": standing.next_step,
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


def _record(record: Record | None) -> Any:
    return json.loads(record_to_json(record)) if record is not None else None
