"""Holds: what keeps other releases from a stage, and what ends that. Both are entries of its journal, nothing else."""

from __future__ import annotations

from datetime import datetime

from imagesync.promotion.entries import Kind
from imagesync.promotion.record import Record, Who
from imagesync.reference import Tag
from imagesync.spec.stages import Promotion, Stage


def make_hold(promotion: Promotion, stage: Stage, version: Tag, *, who: Who, at: datetime, reason: str) -> Record:
    """No other version than this comes to the stage from now on."""
    return Record(
        kind=Kind.HOLD,
        promotion=promotion.name,
        stage=stage.name,
        version=version,
        at=at,
        who=who,
        reason=reason,
    )


def make_release(hold: Record, *, who: Who, at: datetime, reason: str) -> Record:
    """What ends a hold."""
    return Record(
        kind=Kind.RELEASE,
        promotion=hold.promotion,
        stage=hold.stage,
        version=hold.version,
        at=at,
        who=who,
        reason=reason,
    )
