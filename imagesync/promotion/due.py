"""What is due at a stage that promotes by itself: what the stage before has, where that is newer than all that was
promoted here. Reads as few records as tell, most often the last one of each stage.

Never backwards: neither behind what the stage runs, nor to what it went back from.
"""

from __future__ import annotations

from imagesync.plan.unit import Due, Occasion, Unit
from imagesync.promotion.record import Record
from imagesync.promotion.records import Records
from imagesync.promotion.versions import Offer, is_newer, why_not_plain
from imagesync.reference import Tag
from imagesync.spec.stages import Promotion, Stage


def takes_from_first(promotion: Promotion, stage: Stage) -> bool:
    """Whether it is the second: what the first one has stands on no record."""
    return _source_of(promotion, stage) is promotion.stages[0]


def due_at(promotion: Promotion, stage: Stage, records: Records, first: Offer) -> Due:
    """What comes to the stage next; `first` is what the first one has. Raises as Records."""
    offer = first if takes_from_first(promotion, stage) else _offer_of(_source_of(promotion, stage), records)
    held = _why_not(offer.version, stage, records) if offer.version is not None else None
    if offer.version is not None and held is None:
        return Due(promotion.name, stage.name, offer.version, offer.reason)
    return Due(promotion.name, stage.name, None, "; ".join(filter(None, (held, offer.reason))))


def unit_of_due(promotion: Promotion, due: Due, version: Tag) -> Unit:
    """What moves for it."""
    stage = promotion.stage(due.stage)
    return Unit(
        promotion=promotion.name,
        version=version,
        stage=stage.name,
        source_stage=_source_of(promotion, stage).name,
        current=stage.current,
        reason="auto",
        occasion=Occasion.AUTO,
    )


def _source_of(promotion: Promotion, stage: Stage) -> Stage:
    """Where its releases come from; the first stage, which has no such, is never automatic."""
    return promotion.before(stage) or promotion.stages[0]


def _offer_of(stage: Stage, records: Records) -> Offer:
    """What a later stage runs, by its record: not what it went back from, nor what was never there as a whole."""
    runs = records.last(stage)
    if runs is None:
        return Offer(None, f"nothing has come to {stage.name} yet")
    reason = why_not_plain(runs.version)
    return Offer(runs.version) if reason is None else Offer(None, f"{stage.name} runs {runs.version}, which {reason}")


def _why_not(version: Tag, stage: Stage, records: Records) -> str | None:
    """Why the stage does not take it, though it is offered; None where it does."""
    runs, promoted = records.last(stage), records.promoted(stage)
    if runs is not None and not is_newer(version, runs.version):
        return _not_newer(version, runs)
    if promoted is not None and not is_newer(version, promoted.version):
        return f"it went back from {promoted.version}, and {version} is not newer"
    begun = records.begun(stage)
    if begun is not None and is_newer(begun.version, version):
        return f"{begun.version} has begun and not finished there, and is newer than {version}"
    hold = records.hold(stage)
    if hold is not None and hold.version != version:
        why = f" ({hold.reason})" if hold.reason else ""
        return f"it is held at {hold.version} by {hold.who.name}{why}, and {version} is left out"
    return None


def _not_newer(version: Tag, runs: Record) -> str:
    if runs.version == version:
        return f"it runs {version}, and nothing is newer"
    return f"it runs {runs.version}, and {version} is not newer"
