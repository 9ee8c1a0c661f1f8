"""Outcome: what became of one action. The executor makes them, report counts and prints them."""

from __future__ import annotations

from enum import Enum

from imagesync.lazy import dataclass
from imagesync.plan.actions import Action


class Status(Enum):
    """What became of an action."""

    COPIED = "copied"
    ATTACHED = "attached"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    ASSUMED = "assumed"
    SKIPPED = "skipped"
    BLOCKED = "blocked"
    WAITING = "waiting"
    STALE = "stale"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One action and what became of it.

    `reason` says why it was not copied; `hint` what to do about it; `kind` is the error's class. `bytes_copied`
    and `bytes_mounted` count what this action moved itself, not what another image brought there in this run;
    `bytes_skipped` is what the destination had already.
    """

    action: Action
    status: Status
    reason: str = ""
    hint: str | None = None
    kind: str = ""
    exit_code: int = 0
    bytes_copied: int = 0
    bytes_mounted: int = 0
    bytes_skipped: int = 0
    seconds: float = 0.0
