"""The door of a stage: why a release may not come in yet, and what would let it. Pure; what is known is given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from imagesync.errors import HeldError, NotFoundError
from imagesync.lazy import dataclass, replace
from imagesync.plan.actions import Action, Attach, Blocked, Copy, Delete, Failure, Keep, Plan, Waiting, WaitsFor
from imagesync.plan.review import Change
from imagesync.plan.together import HELD_EXIT_CODE
from imagesync.plan.unit import Move, Unit
from imagesync.promotion.commands import Commands
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
    gone_back: Record | None = None
    """How the stage that it comes from went back from it; None where it did not."""
    runs: Record | None = None
    """What the stage that it comes to runs; read where nobody has asked for just this release."""
    left: Record | None = None
    """How that stage went back from it; read as above."""


@dataclass(frozen=True, slots=True)
class Door:
    """What a unit has to pass to come to its stage; a stage that goes back to what it ran has none."""

    promotion: Promotion
    unit: Unit
    known: Known
    commands: Commands

    def reviewer(self, change: Change) -> str | None:
        """Why a change may not be made, and what would let it; None where it may."""
        return None if isinstance(change, Delete) else self._reason(change)

    def check_open(self) -> None:
        """Raise HeldError for what has closed the door since the release was planned."""
        reason = "; ".join(self._is_closed()) if self.unit.move is Move.PROMOTION else ""
        if reason:
            raise HeldError(reason)

    def with_refused(self, plan: Plan) -> Plan:
        """The plan with what no change comes of and still may not be on record: an image that is not at the stage
        before, which is no failure of a registry, and one that is in place by another hand."""
        # An image that is not there yet is one thing to wait for, however many tags it is to get.
        return replace(plan, actions=tuple(dict.fromkeys(map(self._or_refused, plan.actions))))

    def _or_refused(self, action: Action) -> Action:
        if isinstance(action, Keep | Waiting | Blocked):
            reason = self.reviewer(action.copy) if isinstance(action, Blocked) else self._reason(action)
            return action if reason is None else _refused_too(action, reason)
        if not isinstance(action, Failure) or action.kind != NotFoundError.kind:
            return action
        if _is_first(self.promotion, self.unit):
            return action
        image = next(one for one in self.promotion.images if action.rule == f"{self.promotion.name}/{one.name}")
        source = self.promotion.stage(self.unit.source_stage)
        tag = Reference(source.repository_of(image), source.tag_of(self.unit.version))
        return _refused(action, tag, parse_reference(action.subject), self._missing(action.reason))

    def _reason(self, action: Copy | Attach | Keep | Waiting) -> str | None:
        if self.unit.move is Move.ROLLBACK:
            return None
        reasons = (*self._skips(), *self._is_closed(), *self._is_not_released(action))
        return "; ".join(reasons) or None

    def _skips(self) -> Iterator[str]:
        unit, before = self.unit, self.promotion.before(self.promotion.stage(self.unit.stage))
        if before is not None and before.name != unit.source_stage:
            typed = self.commands.promote(unit.version, before.name)
            yield f"{unit.source_stage} is not the stage before {unit.stage}: `{typed}` comes first"

    def _is_closed(self) -> Iterator[str]:
        """What may come to be at any moment, be it that the plan is made."""
        yield from (*self._is_held(), *self._goes_back())
        if self.known.gone_back is not None:
            yield self._left(self.known.gone_back)

    def _is_held(self) -> Iterator[str]:
        hold, stage = self.known.hold, self.unit.stage
        if hold is not None and hold.version != self.unit.version:
            why = f" ({hold.reason})" if hold.reason else ""
            typed = self.commands.end_hold(stage)
            yield f"{stage} is held at {hold.version} by {hold.who.name}{why}: `{typed}` ends that"

    def _goes_back(self) -> Iterator[str]:
        """A saved plan may be older than what has come since; who asks for a release may go back."""
        runs = self.known.runs
        if runs is not None and is_newer(runs.version, self.unit.version):
            yield f"{self.unit.stage} runs {runs.version} by now, and no release goes back by itself"
        left = self.known.left
        if left is not None:
            why = f" ({left.reason})" if left.reason else ""
            yield f"{self.unit.stage} went back from {self.unit.version} to {left.version}{why}, and nobody asks for it"

    def _is_not_released(self, change: Copy | Attach | Keep | Waiting) -> Iterator[str]:
        """Only what a record says has come to a stage as a whole may leave it again."""
        if _is_first(self.promotion, self.unit):
            return
        if self.known.released is None:
            yield self._missing("")
            return
        name = change.rule.removeprefix(f"{self.promotion.name}/")
        recorded, found = self.known.released.digests.get(name), change.source.digest
        if recorded != found and found is not None:
            said = recorded.short if recorded is not None else "no digest"
            yield f"{change.source.repository} has {found.short} under this version, its record says {said}"

    def _left(self, back: Record) -> str:
        """What a stage has gone back from is not at it any more, though its tag is there."""
        unit, why = self.unit, f" ({back.reason})" if back.reason else ""
        typed = self.commands.promote(unit.version, unit.source_stage)
        gone = f"{unit.source_stage} has gone back from {unit} to {back.version}{why}"
        return f"{gone}; promote it there again first: `{typed}`"

    def _missing(self, found: str) -> str:
        """Why there is nothing that could come from the stage before, and what brings it there. `found` is what was
        seen there."""
        unit, stage = self.unit, self.unit.source_stage
        typed = self.commands.promote(unit.version, stage)
        if self.known.released is None:
            return f"{unit} has not come to {stage} yet; promote it there first: `{typed}`"
        return f"{found}, though on record {unit} came to {stage}; promote it there again first: `{typed}`"


def _refused_too(action: Keep | Waiting | Blocked, reason: str) -> Action:
    """What a gate holds back already is told both: who sees to the one should know of the other."""
    if isinstance(action, Keep):
        return _refused(action, action.source, action.destination, reason)
    both = action.reason if reason in action.reason else f"{action.reason}; {reason}"
    if isinstance(action, Blocked):
        return replace(action, reason=both)
    return replace(action, reason=both, exit_code=HELD_EXIT_CODE, waits_for=WaitsFor.STAGE)


def _refused(action: Action, source: Reference, destination: Reference, reason: str) -> Waiting:
    return Waiting(
        rule=action.rule,
        place=action.place,
        source=source,
        destination=destination,
        reason=reason,
        waits_for=WaitsFor.STAGE,
    )


def _is_first(promotion: Promotion, unit: Unit) -> bool:
    return promotion.stages[0].name == unit.source_stage
