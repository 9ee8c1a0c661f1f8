"""Outcomes that need no store: of actions that ask for nothing to be done, and of what an error ended. Pure."""

from __future__ import annotations

from imagesync.errors import Cancelled, ImagesyncError
from imagesync.plan.actions import Action, Blocked, Failure, Keep, Skip, Waiting
from imagesync.plan.inventory import str_without_hint
from imagesync.plan.outcome import Outcome, Status


def settled(action: Keep | Skip | Failure | Blocked | Waiting) -> Outcome:
    """The outcome of an action that asks for nothing to be done."""
    if isinstance(action, Keep):
        return Outcome(action, Status.UNCHANGED)
    if isinstance(action, Skip):
        return Outcome(action, Status.SKIPPED, action.reason)
    if isinstance(action, Blocked):
        return Outcome(action, Status.BLOCKED, action.reason, exit_code=3)
    if isinstance(action, Waiting):
        return Outcome(action, Status.WAITING, action.reason, action.hint, exit_code=action.exit_code)
    if action.kind == Cancelled.kind:
        return Outcome(action, Status.CANCELLED, action.reason, action.hint, action.kind, Cancelled.exit_code)
    return Outcome(action, Status.FAILED, action.reason, action.hint, action.kind, exit_code=1)


def failed(action: Action, error: ImagesyncError) -> Outcome:
    """The outcome of an action that an error ended."""
    status = Status.CANCELLED if isinstance(error, Cancelled) else Status.FAILED
    return Outcome(action, status, str_without_hint(error), error.hint, error.kind, exit_code=error.exit_code)
