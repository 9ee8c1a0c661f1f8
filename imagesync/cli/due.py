"""What is due at the stages that take releases by themselves, read and planned before anything is written: so a release
goes one stage a run, and what a sync entry brings to a first stage goes on in the next run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from imagesync.cli.advancing import Advance, Ready, failure_at
from imagesync.cli.first_stage import first_stage_of
from imagesync.cli.promoting import plan_release, release_of
from imagesync.errors import AuthenticationError
from imagesync.plan.inventory import Broken
from imagesync.plan.review import approved_by, recorded_as_approved, review
from imagesync.plan.unit import Due
from imagesync.promotion.ahead import FirstStage
from imagesync.promotion.due import due_at, takes_from_first, unit_of_due
from imagesync.promotion.records import Records
from imagesync.survey.answers import or_broken

if TYPE_CHECKING:
    from imagesync.cli.remembering import Memory
    from imagesync.cli.session import Session
    from imagesync.plan.actions import Failure, Plan
    from imagesync.plan.unit import Unit
    from imagesync.spec.stages import Promotion, Stage

_NOT_ASKED = FirstStage(())


def advance_of(
    session: Session, promotions: Sequence[Promotion], memory: Memory, *, approved: Plan | None = None
) -> Advance:
    """What these promotions move by themselves, planned and reviewed; where there is an approved plan, what that holds.
    Raises Cancelled."""
    looking = [_Looking(session, promotion, memory) for promotion in promotions]
    for one in looking:
        one.list_first()
    session.tasks.results([session.tasks.add(one.look, hosts=one.hosts) for one in looking])
    for one in looking:
        one.plan(approved)
    return Advance(
        tuple(ready for one in looking for ready in one.ready),
        tuple(due for one in looking for due in one.due),
        tuple(failure for one in looking for failure in one.failures),
    )


class _Looking:
    """One promotion: its records are read once for all of its stages."""

    def __init__(self, session: Session, promotion: Promotion, memory: Memory) -> None:
        self._session, self._promotion, self._memory = session, promotion, memory
        self._records = Records(promotion, session.stores)
        self._first: FirstStage | Broken = _NOT_ASKED
        self.due: list[Due] = []
        self.ready: list[Ready] = []
        self.failures: list[Failure] = []

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(stage.journal.registry for stage in self._promotion.stages)

    @property
    def _is_anonymous(self) -> bool:
        return self._session.spec.settings.anonymous

    def list_first(self) -> None:
        """See what is at the first stage, where another takes it from there by itself."""
        if any(takes_from_first(self._promotion, stage) for stage in self._promotion.automatic):
            self._first = or_broken(lambda: first_stage_of(self._session, self._promotion), "source")

    def look(self) -> None:
        """See what is due."""
        for stage in self._promotion.automatic:
            found = self._due(stage)
            if isinstance(found, Broken) and found.kind == AuthenticationError.kind and self._is_anonymous:
                self.due.append(Due(self._promotion.name, stage.name, None, "nobody is logged in here to see it"))
            elif isinstance(found, Broken):
                self.failures.append(failure_at(self._promotion, stage, found))
            else:
                self.due.append(found)

    def plan(self, approved: Plan | None) -> None:
        """Plan what is due, each release by itself."""
        for due in self.due:
            if due.version is None:
                continue
            unit = unit_of_due(self._promotion, due, due.version)
            found = or_broken(partial(self._planned, unit, approved), "journal")
            if isinstance(found, Broken):
                self.failures.append(failure_at(self._promotion, self._promotion.stage(due.stage), found))
            else:
                self.ready.append(found)

    def _due(self, stage: Stage) -> Due | Broken:
        first = self._first if takes_from_first(self._promotion, stage) else _NOT_ASKED
        if isinstance(first, Broken):
            return first
        return or_broken(lambda: due_at(self._promotion, stage, self._records, first), "journal")

    def _planned(self, unit: Unit, approved: Plan | None) -> Ready:
        release = release_of(self._session, unit, self._records, memory=self._memory)
        planned = plan_release(self._session, release)
        if approved is None:
            return Ready(release, planned, review(planned, release.reviewers))
        held = recorded_as_approved(planned, approved)
        return Ready(release, planned, review(held, (*release.reviewers, approved_by(approved))))
