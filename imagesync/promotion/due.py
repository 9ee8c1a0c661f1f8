"""What is due at a stage that promotes by itself: what the stage before has, where that is newer than all that was
promoted here. Reads as few records as tell, most often the last one of each stage.

Never backwards: neither behind what the stage runs, nor to what it went back from.
"""

from __future__ import annotations

from imagesync.lazy import dataclass
from imagesync.plan.unit import Due, Occasion, Unit
from imagesync.promotion.ahead import FirstStage, ahead_in_lists
from imagesync.promotion.record import Record
from imagesync.promotion.records import Records
from imagesync.promotion.versions import is_newer, why_not_by_itself
from imagesync.reference import Tag
from imagesync.selection import Version
from imagesync.spec.stages import Promotion, Stage


def takes_from_first(promotion: Promotion, stage: Stage) -> bool:
    """Whether it is the second: what the first one has stands on no record."""
    return _before(promotion, stage) is promotion.stages[0]


def due_at(promotion: Promotion, stage: Stage, records: Records, first: FirstStage) -> Due:
    """What comes to the stage next; `first` is what there is at the first one. Raises as Records."""
    runs, before = records.last(stage), _before(promotion, stage)
    if runs is not None and Version.parse(runs.version) is None:
        offer = _Offer(None, f"it runs {runs.version}, which is no version to go on from")
    elif takes_from_first(promotion, stage):
        offer = _of_first(promotion, first, runs)
    else:
        offer = _of_later(before, records.last(before), runs)
    held = _why_held(offer.version, stage, records) if offer.version is not None else None
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
        source_stage=_before(promotion, stage).name,
        current=stage.current,
        reason="auto",
        occasion=Occasion.AUTO,
    )


@dataclass(frozen=True, slots=True)
class _Offer:
    """The version that the stage before has and that is newer, or None and why there is none. Of a version, `reason` is
    what else is to be known of it."""

    version: Tag | None
    reason: str = ""


def _before(promotion: Promotion, stage: Stage) -> Stage:
    """Where its releases come from; the first stage, which has no such, is never automatic."""
    return promotion.before(stage) or promotion.stages[0]


def _of_first(promotion: Promotion, found: FirstStage, runs: Record | None) -> _Offer:
    newest = next(iter(_finals(promotion, found, runs)), None)
    partial = _partial(promotion, found, runs)
    if partial is not None and (newest is None or is_newer(partial.version, newest)):
        return _Offer(newest, partial.reason)
    if newest is not None:
        return _Offer(newest)
    name = promotion.stages[0].name
    return _Offer(
        None, f"{name} has no version" if runs is None else f"it runs {runs.version} and {name} has nothing newer"
    )


@dataclass(frozen=True, slots=True)
class _Partial:
    """A version that not all images have."""

    version: Tag
    reason: str


def _partial(promotion: Promotion, found: FirstStage, runs: Record | None) -> _Partial | None:
    """The newest version that any image has, if not all have it."""
    each = {
        image.name: _finals(promotion, FirstStage((tags,)), runs)
        for image, tags in zip(promotion.images, found.tags, strict=True)
    }
    newest: Tag | None = None
    for version in (versions[0] for versions in each.values() if versions):
        newest = version if newest is None or is_newer(version, newest) else newest
    lacking = [image for image, versions in each.items() if newest not in versions]
    if newest is None or not lacking:
        return None
    return _Partial(newest, f"{newest} is not at {promotion.stages[0].name} yet: {', '.join(lacking)} lacks it")


def _finals(promotion: Promotion, found: FirstStage, runs: Record | None) -> tuple[Tag, ...]:
    """What is ahead, the highest first, without what only whoever asks for it gets."""
    versions = ahead_in_lists(promotion, found, runs).versions
    return tuple(one for one in versions if not why_not_by_itself(one, runs.version if runs is not None else None))


def _of_later(before: Stage, there: Record | None, runs: Record | None) -> _Offer:
    """What the stage before runs by its record: not what that has left again, nor what was never there as a whole."""
    if there is None:
        return _Offer(None, f"nothing has come to {before.name} yet")
    reason = why_not_by_itself(there.version, runs.version if runs is not None else None)
    if reason is not None:
        return _Offer(None, f"{before.name} runs {there.version}, which {reason}")
    if runs is not None and not is_newer(there.version, runs.version):
        return _Offer(None, f"it runs {runs.version} and {before.name} has nothing newer")
    return _Offer(there.version)


def _why_held(version: Tag, stage: Stage, records: Records) -> str | None:
    """Why the stage does not take what is newer than what it runs; None where it does."""
    hold = records.hold(stage)
    if hold is not None and hold.version != version:
        why = f" ({hold.reason})" if hold.reason else ""
        return f"it is held at {hold.version} by {hold.who.name}{why}, which keeps {version} out"
    promoted = records.promoted(stage)
    if promoted is not None and not is_newer(version, promoted.version):
        return f"it went back from {promoted.version}, and {version} is not newer"
    left = records.left(stage, version)
    if left is not None:
        return f"it went back from {version} to {left.version}" + (f" ({left.reason})" if left.reason else "")
    begun = records.begun(stage)
    if begun is not None and is_newer(begun.version, version):
        return f"{begun.version}, which is newer than {version}, has begun there and not finished"
    return None
