"""Together: carries out a plan that is one unit. All content first, then its tags, between two milestones.

Tags cannot change at once in a registry. So nothing is begun of which the whole is not known to go well, and what was
begun is told by the first milestone until an end is reached: all of it is there, or none was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from imagesync.errors import HeldError, ImagesyncError
from imagesync.executor import Executor
from imagesync.lazy import replace
from imagesync.plan.actions import Action, Attach, Copy, Delete, Failure, Plan
from imagesync.plan.inventory import str_without_hint
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.review import ReviewedPlan
from imagesync.plan.settled import failed, settled
from imagesync.plan.together import ARRIVED, because_of, content_key, held, steps_of, subject_of, takes_long
from imagesync.reference import Reference

_LEFT_ALONE = (Status.STALE, Status.BLOCKED)
"""What became of a tag that was surely not written."""
_AGAIN = "run the same command again: it finishes what is not finished"


class Milestones(Protocol):
    """What is put on record before the first tag of a unit is written, and after the last; or, where none was written
    after all, that nothing came of it. All raise StoreError, and the first HeldError where that tag may not be written
    by now."""

    def started(self) -> None: ...

    def finished(self) -> None: ...

    def withdrawn(self) -> None: ...


class NoMilestones:
    """For a unit that is in place, and on record."""

    def started(self) -> None:
        pass

    def finished(self) -> None:
        pass

    def withdrawn(self) -> None:
        pass


class Together:
    """One unit on its way: whatever does not arrive holds all that was not begun."""

    def __init__(self, executor: Executor, milestones: Milestones) -> None:
        self._executor = executor
        self._milestones = milestones
        self._holding: Action | None = None
        self._brought: dict[object, Outcome] = {}
        self._told: set[Reference] = set()
        self._has_started = False
        self._may_have_written = False

    def carry_out(self, reviewed: ReviewedPlan) -> Iterator[Outcome]:
        """Do what a review has allowed, all of it or nothing; yields an outcome for each action, and one more for a
        milestone that was not reached."""
        whole = plan = reviewed.plan
        if plan.from_file:
            plan, outcomes = self._executor.look_again(plan)
            yield from self._noted(outcomes)
        steps = steps_of(plan)
        yield from self._bring(steps.content, plan)
        if self._holding is None and takes_long(whole):
            yield from self._noted(self._executor.look_at_tags(plan.copies()))
        if self._holding is None:
            yield from self._reach(self._milestones.started, whole)
            self._has_started = self._holding is None
        yield from self._write(steps.versions, plan)
        yield from self._write(steps.currents, plan)
        if self._holding is None:
            yield from self._reach(self._milestones.finished, whole)
        elif self._has_started and not self._may_have_written:
            yield from self._reach(self._milestones.withdrawn, whole)

    def _bring(self, content: Plan, plan: Plan) -> Iterator[Outcome]:
        """All that the tags need; the outcomes of actions that are no tags to write."""
        if self._holding is not None:
            yield from self._hold_back(content.actions, plan)
            return
        by_digest = {copy.destination for copy in content.copies()}
        for outcome in self._executor.carry_out(ReviewedPlan(content)):
            if isinstance(outcome.action, Copy) and outcome.action.destination in by_digest:
                self._brought[content_key(outcome.action)] = outcome
            else:
                yield from self._noted([outcome])
        for copy in plan.copies():
            found = self._brought.get(content_key(copy))
            if found is not None and found.status not in ARRIVED:
                self._brought[content_key(copy)] = replace(found, bytes_copied=0, bytes_mounted=0, bytes_skipped=0)
                yield from self._noted([replace(found, action=copy)])

    def _write(self, tags: Plan, plan: Plan) -> Iterator[Outcome]:
        """Write these tags, all that they need being there; nothing once something holds them."""
        left = [copy for copy in tags.copies() if copy.destination not in self._told]
        planned = {copy.destination: copy for copy in plan.copies()}
        if self._holding is not None:
            yield from self._hold_back([planned[copy.destination] for copy in left], plan)
            return
        for outcome in self._executor.carry_out(ReviewedPlan(replace(tags, actions=tuple(left)))):
            if isinstance(outcome.action, Copy):
                self._may_have_written = self._may_have_written or outcome.status not in _LEFT_ALONE
                yield from self._noted([self._with_content(outcome, planned[outcome.action.destination])])

    def _with_content(self, outcome: Outcome, copy: Copy) -> Outcome:
        """The outcome of a tag, with what was moved for it; the first tag of some content has that."""
        found = self._brought.pop(content_key(copy), outcome)
        return replace(
            outcome,
            action=copy,
            reason=outcome.reason or found.reason,
            bytes_copied=found.bytes_copied,
            bytes_mounted=found.bytes_mounted,
            bytes_skipped=found.bytes_skipped,
            seconds=found.seconds,
        )

    def _reach(self, milestone: Callable[[], None], plan: Plan) -> Iterator[Outcome]:
        """Put a milestone on record."""
        try:
            milestone()
        except HeldError as error:
            yield from self._noted([failed(_not_let_in(plan, error), error)])
        except ImagesyncError as error:
            yield from self._noted([settled(_unrecorded(plan, error))])

    def _hold_back(self, actions: Iterable[Action], plan: Plan) -> Iterator[Outcome]:
        reason = because_of(plan, subject_of(self._holding)) if self._holding is not None else ""
        for action in actions:
            if isinstance(action, Copy) and action.destination.tag is not None:
                yield self._with_content(held(action, reason), action)
            elif isinstance(action, Attach):
                yield held(action, reason)
            elif not isinstance(action, Copy | Attach | Delete):
                yield settled(action)

    def _noted(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        for outcome in outcomes:
            if isinstance(outcome.action, Copy):
                self._told.add(outcome.action.destination)
            if outcome.status not in ARRIVED and self._holding is None:
                self._holding = outcome.action
            yield outcome


def _unrecorded(plan: Plan, error: ImagesyncError) -> Failure:
    """A milestone that could not be put on record: what stands behind it is not known to have happened."""
    return replace(_not_let_in(plan, error), hint=f"{error.hint}; then {_AGAIN}" if error.hint else _AGAIN)


def _not_let_in(plan: Plan, error: ImagesyncError) -> Failure:
    """Why a milestone was not reached."""
    unit = plan.unit
    assert unit is not None  # noqa: S101 - narrows: what moves together is one
    return Failure(
        rule=unit.promotion,
        place=plan.actions[0].place,
        subject=f"the record of {unit} at {unit.stage}",
        reason=str_without_hint(error),
        kind=error.kind,
        hint=error.hint,
    )
