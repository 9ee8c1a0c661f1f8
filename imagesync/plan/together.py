"""Together: in a plan that is one unit one tag that may not move holds all others, and content comes first. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from imagesync.lazy import dataclass, replace
from imagesync.manifest import Content, Index
from imagesync.plan.actions import Action, Attach, Blocked, Copy, Delete, Failure, Keep, Plan, Skip, Waiting, WaitsFor
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.summary import verdicts_of
from imagesync.plan.unit import Occasion
from imagesync.reference import Digest, Reference, Repository

HELD_EXIT_CODE = 3
"""As for a blocked copy."""
ARRIVED = (Status.COPIED, Status.ATTACHED, Status.UNCHANGED)
"""What became of something that is where it should be now."""


def held_together(plan: Plan) -> Plan:
    """The plan with every change held back, if it is one unit and something of it cannot or may not be done. What waits
    in it is told by the exit code where somebody has asked for just this; else a later run does the rest."""
    if plan.unit is None:
        return plan
    if plan.unit.occasion is Occasion.ASKED:
        plan = replace(plan, actions=tuple(map(_noticed, plan.actions)))
    holding = [action for action in plan.actions if not isinstance(action, Copy | Attach | Keep)]
    if not holding:
        return plan
    is_later = all(isinstance(action, Waiting) and not action.exit_code for action in holding)
    hold = _waits if is_later else _blocked
    cause = next((action for action in holding if is_later or not isinstance(action, Waiting)), holding[0])
    reason = because_of(plan, subject_of(cause))
    actions = (hold(action, reason) if isinstance(action, Copy | Attach) else action for action in plan.actions)
    return replace(plan, actions=tuple(actions))


def _noticed(action: Action) -> Action:
    return replace(action, exit_code=HELD_EXIT_CODE) if isinstance(action, Waiting) else action


def _blocked(change: Copy | Attach, reason: str) -> Blocked:
    return Blocked(copy=change, reason=reason)


def _waits(change: Copy | Attach, reason: str) -> Waiting:
    return Waiting(
        rule=change.rule,
        place=change.place,
        source=change.source,
        destination=change.destination,
        reason=reason,
        exit_code=0,
        waits_for=WaitsFor.GATE,
        verdicts=verdicts_of(change),
    )


def because_of(plan: Plan, holding: str) -> str:
    """Why something of a unit stays that could move by itself."""
    name = plan.unit.promotion if plan.unit is not None else "it"
    return f"{name} moves as one unit, and {holding} does not"


def subject_of(action: Action) -> str:
    """What an action is about."""
    return action.subject if isinstance(action, Skip | Failure) else str(action.destination)


def held(action: Copy | Attach, reason: str) -> Outcome:
    """The outcome of a change that was held back by another of its unit."""
    return Outcome(action, Status.BLOCKED, reason, exit_code=HELD_EXIT_CODE)


@dataclass(frozen=True, slots=True)
class Steps:
    """A plan in the order in which a unit moves: what all tags need, the tags of versions, what says which is current.

    The first writes no tag of the plan; each step is begun when all of the one before it is there.
    """

    content: Plan
    versions: Plan
    currents: Plan


def steps_of(plan: Plan) -> Steps:
    """Cut a plan that is one unit into its steps."""
    current = plan.unit.current if plan.unit is not None else None
    tags = [copy for copy in plan.copies() if copy.destination.tag != current]
    currents = [copy for copy in plan.copies() if copy.destination.tag == current]
    others = [action for action in plan.actions if not isinstance(action, Copy | Delete)]
    content = replace(plan, actions=(*_contents_of(plan.copies()), *others), from_file=False)
    return Steps(content, _tags_alone(plan, tags), _tags_alone(plan, currents))


def takes_long(plan: Plan) -> bool:
    """Whether much may have happened since the tags of a plan were read, once they are to be written: content was
    brought, or gates were asked."""
    return any(copy.bytes_to_copy for copy in plan.copies()) or any(map(verdicts_of, plan.actions))


def content_key(copy: Copy) -> tuple[Repository, Digest]:
    """What makes two copies bring the same: a version and the current tag of one repository."""
    return (copy.destination.repository, copy.root.digest)


def _contents_of(copies: Iterable[Copy]) -> Iterable[Copy]:
    """What the tags need, by digest, each once; within one repository it is there."""
    found: dict[tuple[Repository, Digest], Copy] = {}
    for copy in copies:
        if copy.source.repository != copy.destination.repository:
            found.setdefault(content_key(copy), _by_digest(copy))
    return found.values()


def _by_digest(copy: Copy) -> Copy:
    repository, digest = content_key(copy)
    return replace(
        copy, destination=Reference(repository, None, digest), replaces=None, previous=None, is_immutable=False
    )


def _tags_alone(plan: Plan, copies: Iterable[Copy]) -> Plan:
    """The tags of these copies, all that they need being there."""
    actions = (
        replace(copy, missing=(), present_bytes=0, attachments=(), left_out=_children(plan.contents[copy.root.digest]))
        for copy in copies
    )
    return replace(plan, actions=tuple(actions), from_file=False)


def _children(root: Content) -> tuple[Digest, ...]:
    return tuple(entry.digest for entry in root.successors()) if isinstance(root, Index) else ()
