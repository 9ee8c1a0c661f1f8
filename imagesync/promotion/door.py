"""The door of a stage: why a release may not come in yet, and what would let it. Pure; what is known is given."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imagesync.errors import NotFoundError
from imagesync.plan.actions import Action, Attach, Copy, Failure, Plan, Waiting, WaitsFor
from imagesync.plan.review import Change, Reviewer
from imagesync.plan.unit import Unit
from imagesync.promotion.record import Record
from imagesync.reference import Reference
from imagesync.spec.stages import Promotion


@dataclass(frozen=True, slots=True)
class Known:
    """What the journals say that matters at the door."""

    released: Record | None = None
    """How the release came to the stage that it comes from; None where it never did, and for the first stage."""
    hold: Record | None = None
    """What holds the stage that it comes to."""


def reviewers_of(promotion: Promotion, unit: Unit, known: Known) -> tuple[Reviewer, ...]:
    """All that has to agree."""
    reasons = [*_skips(promotion, unit), *_is_held(unit, known)]

    def check(change: Change) -> str | None:
        return "; ".join([*reasons, *_is_not_released(promotion, unit, known, change)]) or None

    return (check,)


def awaiting(plan: Plan, promotion: Promotion, known: Known) -> Plan:
    """The plan with what is not at the stage before it told as what it waits for: that is no failure of a registry."""
    unit = plan.unit
    if unit is None or known.released is not None or _is_first(promotion, unit):
        return plan
    actions = tuple(_awaiting(action, promotion, unit) for action in plan.actions)
    return replace(plan, actions=actions)


def _awaiting(action: Action, promotion: Promotion, unit: Unit) -> Action:
    image = next((one for one in promotion.images if action.rule == f"{promotion.name}/{one.name}"), None)
    if not isinstance(action, Failure) or action.kind != NotFoundError.kind or image is None:
        return action
    source, stage = promotion.stage(unit.source_stage), promotion.stage(unit.stage)
    return Waiting(
        rule=action.rule,
        place=action.place,
        source=Reference(source.repository_of(image), source.tag_of(unit.version)),
        destination=Reference(stage.repository_of(image), stage.tag_of(unit.version)),
        reason=f"{unit} has not come to {source.name} yet",
        hint=_bring_to(unit, source.name),
        waits_for=WaitsFor.STAGE,
    )


def _skips(promotion: Promotion, unit: Unit) -> list[str]:
    stage = promotion.stage(unit.stage)
    before = promotion.before(stage)
    if before is None or before.name == unit.source_stage:
        return []
    return [f"{unit.source_stage} is not the stage before {stage.name}: {_bring_to(unit, before.name)} comes first"]


def _is_held(unit: Unit, known: Known) -> list[str]:
    hold = known.hold
    if hold is None or hold.version == unit.version:
        return []
    why = f" ({hold.reason})" if hold.reason else ""
    return [f"{unit.stage} is held at {hold.version} by {hold.who.name}{why}: `imagesync hold --release` ends that"]


def _is_not_released(promotion: Promotion, unit: Unit, known: Known, change: Change) -> list[str]:
    """Only what a record says has come to a stage as a whole may leave it again."""
    if _is_first(promotion, unit) or not isinstance(change, Copy | Attach):
        return []
    if known.released is None:
        return [f"{unit} has not come to {unit.source_stage} yet: {_bring_to(unit, unit.source_stage)} brings it there"]
    name = change.rule.removeprefix(f"{promotion.name}/")
    recorded, found = known.released.digests.get(name), change.source.digest
    if recorded == found or found is None:
        return []
    said = recorded.short if recorded is not None else "no digest"
    return [f"{change.source.repository} has {found.short} under this version, its record says {said}"]


def _is_first(promotion: Promotion, unit: Unit) -> bool:
    return promotion.stages[0].name == unit.source_stage


def _bring_to(unit: Unit, stage: str) -> str:
    return f"`imagesync promote SPEC {unit.promotion}:{unit.version} --to {stage}`"
