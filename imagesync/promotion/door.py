"""The door of a stage: why a release may not come in yet, and what would let it. Pure; what is known is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from imagesync.errors import NotFoundError
from imagesync.plan.actions import Action, Attach, Copy, Delete, Failure, Keep, Plan, Waiting, WaitsFor
from imagesync.plan.review import Change
from imagesync.plan.unit import Move, Unit
from imagesync.promotion.record import Record
from imagesync.promotion.versions import is_newer
from imagesync.reference import Reference, parse_reference
from imagesync.spec.stages import Promotion


@dataclass(frozen=True, slots=True)
class Known:
    """What the journals say that matters at the door."""

    released: Record | None = None
    """How the release came to the stage that it comes from; None where it never did, and for the first stage."""
    hold: Record | None = None
    """What holds the stage that it comes to."""
    entered: datetime | None = None
    """Since when it is at the stage that it comes from; read where a gate asks for it."""
    runs: Record | None = None
    """What the stage that it comes to runs; read where nobody has asked for just this release."""


@dataclass(frozen=True, slots=True)
class Door:
    """What a unit has to pass to come to its stage; a stage that goes back to what it ran has none."""

    promotion: Promotion
    unit: Unit
    known: Known

    def reviewer(self, change: Change) -> str | None:
        """Why a change may not be made, and what would let it; None where it may."""
        return None if isinstance(change, Delete) else self._reason(change)

    def with_what_waits(self, plan: Plan) -> Plan:
        """The plan with what no change comes of and still may not be on record: an image that is not at the stage
        before, which is no failure of a registry, and one that is in place by another hand."""
        # An image that is not there yet is one thing to wait for, however many tags it is to get.
        return replace(plan, actions=tuple(dict.fromkeys(map(self._or_waiting, plan.actions))))

    def _or_waiting(self, action: Action) -> Action:
        if isinstance(action, Keep):
            reason = self._reason(action)
            return action if reason is None else _waiting(action, action.source, action.destination, reason)
        if not isinstance(action, Failure) or action.kind != NotFoundError.kind:
            return action
        if self.known.released is not None or _is_first(self.promotion, self.unit):
            return action
        image = next(one for one in self.promotion.images if action.rule == f"{self.promotion.name}/{one.name}")
        source = self.promotion.stage(self.unit.source_stage)
        tag = Reference(source.repository_of(image), source.tag_of(self.unit.version))
        return _waiting(action, tag, parse_reference(action.subject), _not_come(self.unit))

    def _reason(self, action: Copy | Attach | Keep) -> str | None:
        if self.unit.move is Move.ROLLBACK:
            return None
        reasons = [
            *_skips(self.promotion, self.unit),
            *_is_held(self.unit, self.known),
            *_goes_back(self.unit, self.known),
            *_is_not_released(self.promotion, self.unit, self.known, action),
        ]
        return "; ".join(reasons) or None


def _waiting(action: Action, source: Reference, destination: Reference, reason: str) -> Waiting:
    return Waiting(
        rule=action.rule,
        place=action.place,
        source=source,
        destination=destination,
        reason=reason,
        waits_for=WaitsFor.STAGE,
    )


def _not_come(unit: Unit) -> str:
    return f"{unit} has not come to {unit.source_stage} yet: {_bring_to(unit, unit.source_stage)} brings it there"


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
    return [f"{unit.stage} is held at {hold.version} by {hold.who.name}{why}: {_release(unit)} ends that"]


def _goes_back(unit: Unit, known: Known) -> list[str]:
    """A saved plan may be older than what has come since; who asks for a release may go back."""
    if known.runs is None or not is_newer(known.runs.version, unit.version):
        return []
    return [f"{unit.stage} runs {known.runs.version} by now, and no release goes back by itself"]


def _is_not_released(promotion: Promotion, unit: Unit, known: Known, change: Copy | Attach | Keep) -> list[str]:
    """Only what a record says has come to a stage as a whole may leave it again."""
    if _is_first(promotion, unit):
        return []
    if known.released is None:
        return [_not_come(unit)]
    name = change.rule.removeprefix(f"{promotion.name}/")
    recorded, found = known.released.digests.get(name), change.source.digest
    if recorded == found or found is None:
        return []
    said = recorded.short if recorded is not None else "no digest"
    return [f"{change.source.repository} has {found.short} under this version, its record says {said}"]


def _is_first(promotion: Promotion, unit: Unit) -> bool:
    return promotion.stages[0].name == unit.source_stage


def _release(unit: Unit) -> str:
    return f"`imagesync hold SPEC {unit.promotion} --stage {unit.stage} --release`"


def _bring_to(unit: Unit, stage: str) -> str:
    return f"`imagesync promote SPEC {unit.promotion}:{unit.version} --to {stage}`"
