"""Review: the only door from a Plan to a ReviewedPlan, which is all that the executor takes."""

from __future__ import annotations

from collections.abc import Callable

from imagesync.gates import Ruling, Verdict
from imagesync.lazy import dataclass, replace
from imagesync.plan.actions import Action, Attach, Blocked, Copy, Delete, Keep, Plan, Waiting, WaitsFor
from imagesync.plan.parts import as_one, units_of
from imagesync.plan.summary import verdicts_of
from imagesync.reference import Digest, Reference

Change = Copy | Attach | Delete
Reviewer = Callable[[Change], str | None]
"""Says why a copy, what is attached to a tag, or a deletion may not be carried out, or None when it may."""


@dataclass(frozen=True, slots=True)
class ReviewedPlan:
    """A plan in which every Change may be carried out; made by `review` alone."""

    plan: Plan


def review(plan: Plan, reviewers: tuple[Reviewer, ...] = ()) -> ReviewedPlan:
    """Ask its gates about every copy, and every reviewer about every change. One that is refused becomes Blocked, with
    all the reasons; one that a gate wants later becomes Waiting. In a unit either holds all others."""
    reviewed = replace(plan, actions=tuple(_reviewed(action, reviewers) for action in plan.actions))
    if reviewed.unit is None:
        return ReviewedPlan(reviewed)
    from imagesync.plan.together import held_together  # noqa: PLC0415 - few plans are one unit

    return ReviewedPlan(held_together(reviewed))


def approved_by(approved: Plan) -> Reviewer:
    """Allow only what an approved plan holds: same destination, source digest, replaced digest, and no attachment or
    repository more (`--approved`)."""
    held = {_identity(one): _attachments(one) for one in as_one(approved).actions if isinstance(one, Copy | Attach)}

    created = frozenset(as_one(approved).creations())

    def check(change: Change) -> str | None:
        if isinstance(change, Delete) or _identity(change) not in held:
            return "not in the approved plan"
        if isinstance(change, Copy) and change.creates is not None and change.creates not in created:
            return f"the approved plan does not create {change.creates.what} {change.creates.repository}"
        if not _attachments(change) <= held[_identity(change)]:
            return "has attachments that are not in the approved plan"
        return None

    return check


def recorded_as_approved(plan: Plan, approved: Plan) -> Plan:
    """The plan of a unit; where an approved plan does not hold that, what is in place holds it back as well: to put it
    on record is a deed of its own."""
    unit = plan.unit
    named = {(one.unit.promotion, one.unit.version, one.unit.stage) for one in units_of(approved) if one.unit}
    if unit is None or (unit.promotion, unit.version, unit.stage) in named:
        return plan
    return replace(plan, actions=tuple(_unapproved(one) if isinstance(one, Keep) else one for one in plan.actions))


def _unapproved(action: Keep) -> Waiting:
    return Waiting(
        rule=action.rule,
        place=action.place,
        source=action.source,
        destination=action.destination,
        reason="not in the approved plan",
        waits_for=WaitsFor.STAGE,
    )


def _identity(change: Copy | Attach) -> tuple[Reference, Digest | None, Digest | None]:
    """A tag that stays is one that replaces itself."""
    if isinstance(change, Copy):
        return (change.destination, change.root.digest, change.replaces)
    return (change.destination, change.found, change.found)


def _attachments(change: Copy | Attach) -> frozenset[tuple[Reference, Digest]]:
    return frozenset((copy.destination, copy.root.digest) for copy in change.attachments)


def _reviewed(action: Action, reviewers: tuple[Reviewer, ...]) -> Action:
    if not isinstance(action, Copy | Attach | Delete):
        return action
    action = _judged(action)
    held = [verdict for verdict in verdicts_of(action) if verdict.ruling.holds_back]
    refusals = [reason for reviewer in reviewers if (reason := reviewer(action)) is not None]
    if refusals or any(verdict.ruling is Ruling.BLOCKED for verdict in held):
        return Blocked(copy=action, reason="; ".join([*map(str, held), *refusals]), hint=_hint(held))
    return _waiting(action, held) if held and isinstance(action, Copy) else action


def _judged(change: Change) -> Change:
    """A copy with what its gates say of it, without what they say it by; one that was judged keeps what was said."""
    if not isinstance(change, Copy) or change.gated is None:
        return change
    return replace(change, verdicts=change.gated.verdicts(), gated=None)


def _waiting(copy: Copy, held: list[Verdict]) -> Waiting:
    """A later run does the rest."""
    return Waiting(
        rule=copy.rule,
        place=copy.place,
        source=copy.source,
        destination=copy.destination,
        reason="; ".join(map(str, held)),
        hint=_hint(held),
        exit_code=0,
        waits_for=WaitsFor.GATE,
        verdicts=copy.verdicts,
    )


def _hint(held: list[Verdict]) -> str | None:
    return "; ".join(dict.fromkeys(verdict.hint for verdict in held if verdict.hint)) or None
