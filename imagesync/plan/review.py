"""Review: the only door from a Plan to a ReviewedPlan, which is all that the executor takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from imagesync.plan.actions import Action, Blocked, Copy, Plan

Reviewer = Callable[[Copy], str | None]
"""Says why a copy may not be carried out, or None when it may."""


@dataclass(frozen=True, slots=True)
class ReviewedPlan:
    """A plan in which every Copy may be carried out; made by `review` alone."""

    plan: Plan


def review(plan: Plan, reviewers: tuple[Reviewer, ...] = ()) -> ReviewedPlan:
    """Ask every reviewer about every copy; one that is refused becomes Blocked, with all the reasons."""
    return ReviewedPlan(replace(plan, actions=tuple(_reviewed(action, reviewers) for action in plan.actions)))


def approved_by(approved: Plan) -> Reviewer:
    """Allow only what an approved plan holds: same destination, source digest and replaced digest (`--approved`)."""
    held = {(copy.destination, copy.root.digest, copy.replaces) for copy in approved.copies()}

    def check(copy: Copy) -> str | None:
        if (copy.destination, copy.root.digest, copy.replaces) in held:
            return None
        return "not in the approved plan"

    return check


def _reviewed(action: Action, reviewers: tuple[Reviewer, ...]) -> Action:
    if not isinstance(action, Copy):
        return action
    reasons = [reason for reviewer in reviewers if (reason := reviewer(action)) is not None]
    return Blocked(copy=action, reason="; ".join(reasons)) if reasons else action
