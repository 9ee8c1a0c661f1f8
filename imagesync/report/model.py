"""Report: a plan and what became of it, its counts and its exit code. No text is made here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from imagesync.errors import Place
from imagesync.lazy import dataclass, field
from imagesync.plan.actions import (
    Action,
    Assumed,
    Attach,
    Blocked,
    Conflict,
    Copy,
    Delete,
    Drifted,
    Failure,
    Keep,
    Plan,
    Skip,
    Spared,
    Waiting,
)
from imagesync.plan.creating import CreateRepository
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.parts import as_one
from imagesync.plan.settled import blocked, in_conflict, settled, waiting
from imagesync.plan.summary import is_drifted, moved_of, summarise
from imagesync.reference import Reference

CANCELLED_EXIT_CODE = 130
BLOCKED_EXIT_CODE = 3
PENDING_EXIT_CODE = 2
FAILED_EXIT_CODE = 1
_WORST_FIRST = (4, FAILED_EXIT_CODE, BLOCKED_EXIT_CODE, PENDING_EXIT_CODE)
_AT_LEAST = {
    Status.FAILED: FAILED_EXIT_CODE,
    Status.BLOCKED: BLOCKED_EXIT_CODE,
    Status.STALE: BLOCKED_EXIT_CODE,
    Status.CANCELLED: CANCELLED_EXIT_CODE,
}
CHANGES = (Status.COPIED, Status.ATTACHED, Status.DELETED)
"""What a run has done to destinations."""
_RANKS = (Status.FAILED, Status.CANCELLED, Status.STALE, Status.BLOCKED, Status.WAITING, Status.SKIPPED)


class Traffic(Protocol):
    """What was sent to a host and came from it: requests by kind, bytes of bodies, and how often it went wrong."""

    @property
    def requests(self) -> Mapping[str, int]: ...

    @property
    def bytes_read(self) -> int: ...

    @property
    def bytes_written(self) -> int: ...

    @property
    def retries(self) -> int: ...

    @property
    def pauses(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Report:
    """A run: its plan, the outcomes in the order they came, how long it took, and the traffic of each host."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    seconds: float
    traffic: Mapping[str, Traffic] = field(default_factory=dict)

    def in_order(self) -> tuple[Outcome, ...]:
        """The outcomes in the order of the plan, which is the spec's; what the plan does not name comes last."""
        positions = {subject_of(action): position for position, action in enumerate(self.plan.actions)}
        last = len(self.plan.actions)
        return tuple(sorted(self.outcomes, key=lambda outcome: positions.get(subject_of(outcome.action), last)))

    @property
    def requests(self) -> int:
        return sum(sum(traffic.requests.values()) for traffic in self.traffic.values())

    def count(self, status: Status) -> int:
        return sum(outcome.status is status for outcome in self.outcomes)

    @property
    def added(self) -> int:
        """Tags that were not there before."""
        return sum(_is_addition(outcome) for outcome in self.outcomes)

    @property
    def updated(self) -> int:
        """Tags that pointed to something else before."""
        return self.count(Status.COPIED) - self.added

    def creations(self) -> tuple[CreateRepository, ...]:
        """What was made before anything was copied, each once, of what was copied."""
        copied = (outcome.action for outcome in self.in_order() if outcome.status is Status.COPIED)
        made = (copy.creates for copy in copied if isinstance(copy, Copy) and copy.creates is not None)
        return tuple(dict.fromkeys(made))

    @property
    def drifted(self) -> int:
        """Tags that another hand had changed, whatever became of them."""
        return sum(is_drifted(outcome.action) for outcome in self.outcomes)

    @property
    def upstream_moved(self) -> int:
        """Tags of sources that have left what a lock holds on to, whatever became of them."""
        return sum(moved_of(outcome.action) is not None for outcome in self.outcomes)

    @property
    def bytes_copied(self) -> int:
        return sum(outcome.bytes_copied for outcome in self.outcomes)

    @property
    def bytes_mounted(self) -> int:
        return sum(outcome.bytes_mounted for outcome in self.outcomes)

    @property
    def bytes_skipped(self) -> int:
        """What the destinations had already, of the images that were copied."""
        return sum(outcome.bytes_skipped for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """130 when something was cancelled, else the worst of the outcomes' own: 4, 1, 3, 2, 0."""
        if self.count(Status.CANCELLED):
            return CANCELLED_EXIT_CODE
        return worst_of({outcome.exit_code or _AT_LEAST.get(outcome.status, 0) for outcome in self.outcomes})


@dataclass(frozen=True, slots=True)
class Trouble:
    """One image that is not where it should be: which, where the spec names it, what happened, what to do."""

    status: Status
    subject: str
    source: str
    """Empty where the action does not know it."""
    reason: str
    hint: str | None
    kind: str
    rule: str
    place: Place
    exit_code: int = 0
    """What this alone is worth."""


def worst_of(codes: Collection[int]) -> int:
    """The exit code of what ended with all of these: 4, 1, 3, 2, 0; whatever else is there counts as 1."""
    known = next((code for code in _WORST_FIRST if code in codes), 0)
    return known or (FAILED_EXIT_CODE if any(codes) else 0)


def plan_exit_code(plan: Plan, detailed: bool) -> int:
    """1 with a Failure, 3 with a Blocked or a Waiting that says so; 2 for pending changes when `detailed`, else 0."""
    plan = as_one(plan)
    summary = summarise(plan)
    if summary.failed:
        return FAILED_EXIT_CODE
    if summary.blocked or any(isinstance(action, Waiting) and action.exit_code for action in plan.actions):
        return BLOCKED_EXIT_CODE
    return PENDING_EXIT_CODE if detailed and summary.changes else 0


def troubles_of_plan(plan: Plan) -> tuple[Trouble, ...]:
    """What cannot or may not be done, worst first, else in the order of the plan."""
    settled = (_settled(action) for action in plan.actions)
    return _worst_first(_trouble(outcome) for outcome in settled if outcome is not None)


def troubles_of_report(report: Report) -> tuple[Trouble, ...]:
    """What was not done, worst first, else in the order of the plan."""
    return _worst_first(_trouble(outcome) for outcome in report.in_order() if outcome.status in _RANKS)


def subject_of(action: Action) -> str:
    """What messages call an action: its destination where there is one."""
    return action.subject if isinstance(action, Skip | Failure) else str(action.destination)


def destination_of(action: Action) -> Reference | None:
    kinds = Copy | Attach | Keep | Assumed | Conflict | Drifted | Blocked | Waiting | Delete | Spared
    return action.destination if isinstance(action, kinds) else None


def source_of(action: Action) -> Reference | None:
    if isinstance(action, Blocked):
        return source_of(action.copy)
    kinds = Copy | Attach | Keep | Assumed | Conflict | Drifted | Waiting
    return action.source if isinstance(action, kinds) else None


def _settled(action: Action) -> Outcome | None:
    """What will become of an action that a run leaves alone; None for the others."""
    if isinstance(action, Failure):
        return Outcome(action, Status.FAILED, action.reason, action.hint, action.kind)
    if isinstance(action, Blocked):
        return blocked(action, action.reason)
    if isinstance(action, Conflict):
        return in_conflict(action, action)
    if isinstance(action, Drifted):
        return settled(action)
    if isinstance(action, Waiting):
        return waiting(action)
    return Outcome(action, Status.SKIPPED, action.reason) if isinstance(action, Skip) else None


def _trouble(outcome: Outcome) -> Trouble:
    action, source = outcome.action, source_of(outcome.action)
    return Trouble(
        status=outcome.status,
        subject=subject_of(action),
        source=str(source) if source is not None else "",
        reason=outcome.reason,
        hint=outcome.hint,
        kind=outcome.kind,
        rule=action.rule,
        place=action.place,
        exit_code=outcome.exit_code,
    )


def _worst_first(troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    return tuple(sorted(troubles, key=lambda trouble: _RANKS.index(trouble.status)))


def _is_addition(outcome: Outcome) -> bool:
    action = outcome.action
    return outcome.status is Status.COPIED and isinstance(action, Copy) and action.replaces is None
