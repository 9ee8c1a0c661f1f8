"""Saved releases: those of a plan file, as their gates, their records and the spec have it by now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imagesync.cli.advancing import Advance, Ready, failure_at
from imagesync.cli.promoting import plan_saved, release_of, unit_of
from imagesync.plan.actions import Failure, Plan
from imagesync.plan.inventory import Broken
from imagesync.plan.review import review
from imagesync.promotion.records import Records
from imagesync.promotion.rules import find_promotion
from imagesync.survey.answers import or_broken

if TYPE_CHECKING:
    from imagesync.cli.remembering import Memory
    from imagesync.cli.session import Session


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
