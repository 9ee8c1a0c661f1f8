"""Upcoming releases: what is ahead of each stage, and what `promote --dry-run` would say of the next one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from imagesync.cli.first_stage import first_stage_of
from imagesync.cli.promoting import look_at_release, plan_release
from imagesync.errors import Cancelled, ImagesyncError, StoreError
from imagesync.lazy import dataclass, replace
from imagesync.plan.review import review
from imagesync.plan.unit import Unit
from imagesync.promotion.ahead import Ahead, ahead_in_lists, ahead_on_record
from imagesync.promotion.upcoming import Upcoming, unread, upcoming_of
from imagesync.reference import Tag

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.promotion.record import Record
    from imagesync.promotion.records import Records
    from imagesync.promotion.standing import StageStanding
    from imagesync.spec.stages import Promotion, Stage

MOST_RECORDS = 5
"""So many are read at most to tell what is ahead."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Looks ahead of the stages of one promotion; writes nothing."""

    session: Session
    promotion: Promotion
    records: Records

    def of(self, standing: StageStanding) -> StageStanding:
        """The standing with all that is ahead, and with what keeps the next release back. Raises Cancelled, and
        StoreError where a journal cannot be read."""
        stage = self.promotion.stage(standing.stage)
        before = self.promotion.before(stage)
        if before is None:
            return standing
        standing = replace(standing, ahead=self._ahead(before, standing.released))
        version = standing.next_version
        return replace(standing, upcoming=self._upcoming(version, stage, before)) if version is not None else standing

    def _ahead(self, before: Stage, released: Record | None) -> Ahead:
        if self.promotion.before(before) is not None:
            return ahead_on_record(islice(self.records.finished(before), MOST_RECORDS), released)
        try:
            return ahead_in_lists(self.promotion, first_stage_of(self.session, self.promotion), released)
        except StoreError as error:
            return Ahead(unknown=str(error))

    def _upcoming(self, version: Tag, stage: Stage, before: Stage) -> Upcoming:
        """By the plan that `promote` makes, of which each image is judged by itself."""
        unit = Unit(
            promotion=self.promotion.name,
            version=version,
            stage=stage.name,
            source_stage=before.name,
            current=stage.current,
        )
        try:
            release = look_at_release(self.session, unit, self.records)
            plan = plan_release(self.session, release)
        except Cancelled:
            raise
        except ImagesyncError as error:
            return unread(version, error)
        reviewed = review(replace(plan, unit=None), release.reviewers).plan
        approving = release.commands.approve(version, stage.name)
        return upcoming_of(version, reviewed, dict.fromkeys(_counting_approvals(stage), f"`{approving}` says yes"))


def _counting_approvals(stage: Stage) -> Iterator[str]:
    """The names of the gates at which somebody has to say yes."""
    from imagesync.gates.approval import Approval  # noqa: PLC0415 - few stages have one

    yield from (gate.name for gate in stage.gates if isinstance(gate.check, Approval))
