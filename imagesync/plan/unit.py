"""Unit: what a plan is for whose tags move together or not at all, and what a record will say of it. A value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from imagesync.lazy import dataclass
from imagesync.reference import Tag


class Move(Enum):
    """Which way a unit moves: on to a later stage, or back to what its stage ran before."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"


class Occasion(Enum):
    """What lets a unit move: somebody has asked for just this, or the spec lets a stage take what is due."""

    ASKED = "asked"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Due:
    """What a stage that promotes by itself is to get: a version, or None and why there is none."""

    promotion: str
    stage: str
    version: Tag | None
    reason: str = ""
    """Of a version, what else is to be known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A release under one version, the stage that it comes to, and the one that it comes from."""

    promotion: str
    version: Tag
    stage: str
    source_stage: str
    current: Tag | None = None
    """The tag that says what the stage runs: written last."""
    move: Move = Move.PROMOTION
    ticket: str = ""
    reason: str = ""
    occasion: Occasion = Occasion.ASKED

    def __str__(self) -> str:
        return f"{self.promotion} {self.version}"


def unit_to_dict(unit: Unit) -> dict[str, Any]:
    """As a plan file has it."""
    from dataclasses import asdict  # noqa: PLC0415 - few runs move a unit

    return {**asdict(unit), "move": unit.move.value, "occasion": unit.occasion.value}


def unit_from_dict(value: Mapping[str, Any]) -> Unit:
    """Raises InvalidReference for tags that are none; the form, the schema has checked."""
    texts = {key: value[key] for key in ("promotion", "stage", "source_stage", "ticket", "reason")}
    current = Tag(value["current"]) if value["current"] is not None else None
    occasion = Occasion(value.get("occasion", Occasion.ASKED.value))
    return Unit(version=Tag(value["version"]), current=current, move=Move(value["move"]), occasion=occasion, **texts)
