"""Advancing: the releases that a run over a whole spec moves beside its sync entries, since they are due at a stage
with `auto`, or stand in a saved plan. Each is planned, reviewed and carried out as `promote` does it.

A release that cannot be read or moved holds up nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imagesync.cli.promoting import Release, move, plan_saved, release_of, unit_of
from imagesync.errors import ImagesyncError
from imagesync.plan.actions import Failure, Plan
from imagesync.plan.inventory import Broken
from imagesync.plan.review import ReviewedPlan, review
from imagesync.plan.settled import settled
from imagesync.plan.unit import Due
from imagesync.promotion.records import Records
from imagesync.promotion.rules import find_promotion
from imagesync.survey.answers import or_broken

if TYPE_CHECKING:
    from imagesync.cli.remembering import Memory
    from imagesync.cli.session import Session
    from imagesync.executor import Executor
    from imagesync.plan.outcome import Outcome
    from imagesync.spec.stages import Promotion, Stage


@dataclass(frozen=True, slots=True)
class Ready:
    """A release that is planned and reviewed."""

    release: Release
    planned: Plan
    reviewed: ReviewedPlan


@dataclass(frozen=True, slots=True)
class Advance:
    """The releases of one run, what is due by itself, and what could not be read."""

    ready: tuple[Ready, ...] = ()
    due: tuple[Due, ...] = ()
    failures: tuple[Failure, ...] = ()

    def beside(self, plan: Plan) -> Plan:
        """The plan of the sync entries, and all this."""
        units = tuple(one.reviewed.plan for one in self.ready)
        return replace(plan, actions=(*plan.actions, *self.failures), units=units, due=self.due)

    def carry_out(self, session: Session, executor: Executor) -> Iterator[Outcome]:
        """Move one release after the other; what ends one ends no other."""
        yield from map(settled, self.failures)
        for one in self.ready:
            one.release.remember_sights(one.planned)
            try:
                yield from move(session, one.release, one.reviewed, executor)
            except ImagesyncError as error:
                stage = one.release.promotion.stage(one.release.unit.stage)
                yield settled(failure_at(one.release.promotion, stage, Broken.from_error(error)))


def advance_of_file(session: Session, plans: Sequence[Plan], memory: Memory) -> Advance:
    """The releases of a saved plan that was checked, as their gates and records have it by now. Raises Cancelled."""
    ready = [_saved(session, plan, memory) for plan in plans]
    failures = tuple(one for one in ready if isinstance(one, Failure))
    return Advance(tuple(one for one in ready if isinstance(one, Ready)), failures=failures)


def _saved(session: Session, plan: Plan, memory: Memory) -> Ready | Failure:
    unit = unit_of(plan)
    promotion = find_promotion(session.spec, unit.promotion)

    def read() -> Ready:
        release = release_of(session, unit, Records(promotion, session.stores), memory=memory)
        planned = plan_saved(session, release, plan)
        return Ready(release, planned, review(planned, release.reviewers))

    found = or_broken(read, "journal")
    return failure_at(promotion, promotion.stage(unit.stage), found) if isinstance(found, Broken) else found


def failure_at(promotion: Promotion, stage: Stage, broken: Broken) -> Failure:
    """Nothing is known of what a stage is to get, or nothing became of it."""
    return Failure(
        rule=promotion.name,
        place=stage.place,
        subject=f"{promotion.name}/{stage.name}",
        reason=broken.reason,
        kind=broken.kind,
        hint=broken.hint,
    )
