"""What comes to stages next, and what keeps it back: a block of lines for each stage, or rows, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagesync.plan.verdicts import verdicts_to_dicts
from imagesync.promotion.commands import Commands
from imagesync.promotion.standing import StageStanding
from imagesync.promotion.upcoming import Obstacle, Readiness, Upcoming, of_error
from imagesync.report.columns import Row
from imagesync.report.history import TIME
from imagesync.report.rows import FAILED, REFUSED, WAITS, shortened

HEAD = ("stage", "next", "image", "what keeps it back", "what to do")
_SYMBOLS = {Readiness.READY: "~", Readiness.WAITS: WAITS, Readiness.BLOCKED: REFUSED, Readiness.FAILED: FAILED}
_WORDS = {
    Readiness.READY: "may come",
    Readiness.WAITS: "waits",
    Readiness.BLOCKED: "is blocked",
    Readiness.FAILED: "cannot be planned",
}


def lines_of(standing: StageStanding, spec: str) -> Iterator[str]:
    """What a terminal shows of a stage to which something may come, or that is held."""
    headline, command = _headline(standing), _command(standing, spec)
    if not headline:
        return
    yield shortened(f"{standing.promotion}/{standing.stage}: {headline}")
    for one in _obstacles(standing):
        yield f"  {_SYMBOLS[one.readiness]} {shortened(_of_images(one))}"
        yield from [f"    → {shortened(one.hint)}"] if one.hint else []
    yield from [f"  {shortened(command)}"] if command else []


def rows_of(standing: StageStanding, spec: str) -> Iterator[Row]:
    """The same for a table under HEAD."""
    headline, command = _headline(standing), _command(standing, spec)
    if not headline:
        return
    name = f"{standing.promotion}/{standing.stage}"
    yield (name, headline, "", "", command)
    yield from (("", "", ", ".join(one.images), one.reason, one.hint or "") for one in _obstacles(standing))


def upcoming_to_dict(standing: StageStanding, spec: str) -> dict[str, Any] | None:
    """None where nothing may come. What was not asked of gates is null."""
    version, upcoming = standing.next_version, standing.upcoming
    if version is None:
        return None
    return {
        "version": version,
        "readiness": upcoming.readiness.value if upcoming is not None else None,
        "command": _command(standing, spec),
        "obstacles": [_obstacle(one) for one in upcoming.obstacles] if upcoming is not None else None,
        "verdicts": _verdicts(upcoming) if upcoming is not None else None,
    }


def _headline(standing: StageStanding) -> str:
    """Empty where there is nothing to say of what is next."""
    said = [_unreadable(standing), _begun(standing), _coming(standing), _held(standing), _unknown(standing)]
    return "; ".join(one for one in said if one)


def _unreadable(standing: StageStanding) -> str:
    return "its records cannot be read" if standing.error is not None else ""


def _begun(standing: StageStanding) -> str:
    begun = standing.begun
    return f"incomplete, the {begun.move.value} of {begun.version} began {begun.at.strftime(TIME)}" if begun else ""


def _coming(standing: StageStanding) -> str:
    version, upcoming = standing.next_version, standing.upcoming
    if version is None:
        return ""
    return f"{version} {_WORDS[upcoming.readiness] if upcoming is not None else 'is next'}"


def _held(standing: StageStanding) -> str:
    """Empty, too, where it is told as what keeps the next one back."""
    hold, upcoming = standing.hold, standing.upcoming
    if hold is not None and upcoming is not None and upcoming.version != hold.version:
        return ""
    why = f" ({hold.reason})" if hold is not None and hold.reason else ""
    return f"held at {hold.version} by {hold.who.name}{why}" if hold is not None else ""


def _unknown(standing: StageStanding) -> str:
    return f"nobody knows what is ahead: {standing.ahead.unknown}" if standing.ahead.unknown else ""


def _command(standing: StageStanding, spec: str) -> str:
    """What brings the next one in; where nothing is to come and the stage is held, what ends that."""
    commands = Commands(spec, standing.promotion)
    typed = standing.next_command(commands)
    return typed or (commands.end_hold(standing.stage) if standing.hold is not None else "")


def _obstacles(standing: StageStanding) -> tuple[Obstacle, ...]:
    if standing.error is not None:
        return (of_error(standing.error),)
    return standing.upcoming.obstacles if standing.upcoming is not None else ()


def _of_images(obstacle: Obstacle) -> str:
    warns = "warns: " if obstacle.readiness is Readiness.READY else ""
    return f"{', '.join(obstacle.images)}: {warns}{obstacle.reason}" if obstacle.images else obstacle.reason


def _obstacle(obstacle: Obstacle) -> dict[str, Any]:
    return {
        "readiness": obstacle.readiness.value,
        "images": list(obstacle.images),
        "reason": obstacle.reason,
        "hint": obstacle.hint,
    }


def _verdicts(upcoming: Upcoming) -> list[dict[str, Any]]:
    said = ((image, verdicts_to_dicts(verdicts)) for image, verdicts in upcoming.verdicts.items())
    return [{"image": image, **verdict} for image, verdicts in said for verdict in verdicts]
