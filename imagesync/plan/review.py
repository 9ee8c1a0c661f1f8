"""Review: the only door from a Plan to a ReviewedPlan, which is all that the executor takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from imagesync.plan.actions import Action, Attach, Blocked, Copy, Delete, Plan
from imagesync.plan.together import held_together
from imagesync.reference import Digest, Reference

Change = Copy | Attach | Delete
Reviewer = Callable[[Change], str | None]
"""Says why a copy, what is attached to a tag, or a deletion may not be carried out, or None when it may."""


@dataclass(frozen=True, slots=True)
class ReviewedPlan:
    """A plan in which every Change may be carried out; made by `review` alone."""

    plan: Plan


def review(plan: Plan, reviewers: tuple[Reviewer, ...] = ()) -> ReviewedPlan:
    """Ask every reviewer about every change; one that is refused becomes Blocked, with all the reasons. In a unit it
    blocks all others."""
    reviewed = replace(plan, actions=tuple(_reviewed(action, reviewers) for action in plan.actions))
    return ReviewedPlan(held_together(reviewed))


def approved_by(approved: Plan) -> Reviewer:
    """Allow only what an approved plan holds: same destination, source digest, replaced digest, and no attachment more
    (`--approved`)."""
    held = {_identity(one): _attachments(one) for one in approved.actions if isinstance(one, Copy | Attach)}

    def check(change: Change) -> str | None:
        if isinstance(change, Delete) or _identity(change) not in held:
            return "not in the approved plan"
        if not _attachments(change) <= held[_identity(change)]:
            return "has attachments that are not in the approved plan"
        return None

    return check


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
    reasons = [reason for reviewer in reviewers if (reason := reviewer(action)) is not None]
    return Blocked(copy=action, reason="; ".join(reasons)) if reasons else action
