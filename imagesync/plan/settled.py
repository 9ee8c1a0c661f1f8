"""Outcomes that need no store: of actions that ask for nothing to be done, and of what an error ended. Pure."""

from __future__ import annotations

from imagesync.errors import Cancelled, ImagesyncError, ImmutableError
from imagesync.plan.actions import (
    Action,
    Assumed,
    Blocked,
    Conflict,
    Copy,
    Delete,
    Drifted,
    Failure,
    Keep,
    Skip,
    Spared,
    Waiting,
)
from imagesync.plan.inventory import str_without_hint
from imagesync.plan.outcome import Outcome, Status

BLOCKED_EXIT_CODE = 3


def settled(action: Keep | Assumed | Conflict | Drifted | Skip | Failure | Blocked | Waiting | Spared) -> Outcome:
    """The outcome of an action that asks for nothing to be done."""
    if isinstance(action, Keep | Spared):
        return Outcome(action, Status.UNCHANGED, action.reason if isinstance(action, Spared) else "")
    if isinstance(action, Assumed):
        return Outcome(action, Status.ASSUMED)
    if isinstance(action, Conflict):
        return in_conflict(action, action)
    if isinstance(action, Skip | Drifted | Blocked):
        return blocked(action, action.reason) if isinstance(action, Blocked) else _skipped(action)
    if isinstance(action, Waiting):
        return waiting(action)
    is_cancelled = action.kind == Cancelled.kind
    status, code = (Status.CANCELLED, Cancelled.exit_code) if is_cancelled else (Status.FAILED, 1)
    return Outcome(action, status, action.reason, action.hint, action.kind, exit_code=code)


def _skipped(action: Skip | Drifted) -> Outcome:
    more = (action.hint, action.kind) if isinstance(action, Drifted) else ()
    return Outcome(action, Status.SKIPPED, action.reason, *more)


def waiting(action: Waiting) -> Outcome:
    """The outcome of what waits, be it for a later run or for somebody."""
    status = Status.BLOCKED if action.is_refused else Status.WAITING
    return Outcome(action, status, action.reason, action.hint, exit_code=action.exit_code)


def blocked(action: Blocked | Delete, reason: str) -> Outcome:
    """The outcome of what may not be done, by a reviewer's word or since the registry cannot do it without harm."""
    hint, kind = (action.hint, action.kind) if isinstance(action, Blocked) else (None, "")
    return Outcome(action, Status.BLOCKED, reason, hint, kind, exit_code=BLOCKED_EXIT_CODE)


def in_conflict(action: Conflict | Copy, conflict: Conflict) -> Outcome:
    """The outcome of an action that would have moved an immutable tag, as if the registry had refused it."""
    return Outcome(
        action,
        Status.BLOCKED,
        conflict.reason,
        conflict.hint,
        ImmutableError.kind,
        exit_code=ImmutableError.exit_code,
    )


def failed(action: Action, error: ImagesyncError) -> Outcome:
    """The outcome of an action that an error ended."""
    status = Status.CANCELLED if isinstance(error, Cancelled) else Status.FAILED
    return Outcome(action, status, str_without_hint(error), error.hint, error.kind, exit_code=error.exit_code)
