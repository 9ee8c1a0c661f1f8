"""Advancing: the releases that a run over a whole spec moves beside its sync entries, since they are due at a stage
with `auto`, or stand in a saved plan. Each is planned, reviewed and carried out as `promote` does it.

A release that cannot be read or moved holds up nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagesync.errors import ImagesyncError
from imagesync.lazy import dataclass, replace
from imagesync.plan.actions import Failure, Plan
from imagesync.plan.inventory import Broken
from imagesync.plan.settled import settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imagesync.cli.promoting import Release
    from imagesync.cli.session import Session
    from imagesync.executor import Executor
    from imagesync.plan.outcome import Outcome
    from imagesync.plan.review import ReviewedPlan
    from imagesync.plan.unit import Due
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
        if not self.ready:
            return
        from imagesync.cli.promoting import move  # noqa: PLC0415 - few runs move a release

        is_alone = len(self.ready) == 1 and not session.spec.rules
        for one in self.ready:
            one.release.remember_sights(one.planned)
            try:
                release = one.release if is_alone else replace(one.release, is_kept_waiting=True)
                yield from move(session, release, one.reviewed, executor)
            except ImagesyncError as error:
                stage = one.release.promotion.stage(one.release.unit.stage)
                yield settled(failure_at(one.release.promotion, stage, Broken.from_error(error)))


NOTHING = Advance()


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
