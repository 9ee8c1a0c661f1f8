"""Upcoming releases: what is ahead of each stage, and what `promote --dry-run` would say of the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from imagesync.cli.first_stage import first_stage_of
from imagesync.cli.promoting import look_at_release, plan_release
from imagesync.errors import Cancelled, ImagesyncError, InvalidManifest, StoreError
from imagesync.lazy import dataclass, replace
from imagesync.plan.review import review
from imagesync.plan.unit import Unit
from imagesync.promotion.ahead import Ahead, FirstStage, ahead_in_lists, ahead_on_record
from imagesync.promotion.due import due_at
from imagesync.promotion.upcoming import Upcoming, unread, upcoming_of
from imagesync.reference import Tag

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.promotion.records import Records
    from imagesync.promotion.standing import StageStanding
    from imagesync.spec.stages import Promotion, Stage

MOST_RECORDS = 5
"""So many are read at most to tell what is ahead."""
_NOT_ASKED = FirstStage(())


@dataclass(frozen=True, slots=True)
class Outlook:
    """Looks ahead of the stages of one promotion; writes nothing."""

    session: Session
    promotion: Promotion
    records: Records

    def of(self, standing: StageStanding) -> StageStanding:
        """The standing with all that is ahead, and with what keeps the next release back. Raises Cancelled."""
        stage = self.promotion.stage(standing.stage)
        before = self.promotion.before(stage)
        if before is None or standing.error is not None:
            return standing
        standing = or_unknown(standing, partial(self._with_ahead, standing, before))
        version = standing.next_version
        return replace(standing, upcoming=self._upcoming(version, stage, before)) if version is not None else standing

    def _with_ahead(self, standing: StageStanding, before: Stage) -> StageStanding:
        if self.promotion.before(before) is not None:
            found = islice(self.records.finished(before), MOST_RECORDS)
            ahead = ahead_on_record(found, standing.released)
            return with_due(self.promotion, self.records, replace(standing, ahead=ahead))
        first = first_stage_of(self.session, self.promotion)
        ahead = ahead_in_lists(self.promotion, first, standing.released)
        return with_due(self.promotion, self.records, replace(standing, ahead=ahead), first)

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
        return upcoming_of(version, reviewed, dict(_approvals(stage, approving)))


def or_unknown(standing: StageStanding, look: Callable[[], StageStanding]) -> StageStanding:
    """What a look adds to a standing; where that cannot be read, that nobody knows what is ahead: it ends nothing."""
    try:
        return look()
    except (StoreError, InvalidManifest) as error:
        return replace(standing, ahead=Ahead(unknown=str(error)))


def with_due(
    promotion: Promotion, records: Records, standing: StageStanding, first: FirstStage = _NOT_ASKED
) -> StageStanding:
    """The standing that says whether its next release comes by itself; `first` is what there is at the first stage."""
    stage, version = promotion.stage(standing.stage), standing.next_version
    if not stage.is_automatic or version is None or standing.error is not None:
        return standing
    return replace(standing, is_due=due_at(promotion, stage, records, first).version == version)


def _approvals(stage: Stage, approving: str) -> Iterator[tuple[str, str]]:
    """The names of the gates at which somebody has to say yes, each with how that is said."""
    from imagesync.gates.approval import Approval  # noqa: PLC0415 - few stages have one
    from imagesync.gates.trusted import TrustedKey  # noqa: PLC0415

    for gate in stage.gates:
        if isinstance(gate.check, Approval):
            signers = gate.check.signers
            ways = [" --key FILE" if isinstance(one, TrustedKey) else " --to-sign DIRECTORY" for one in signers] or [""]
            yield gate.name, f"{' or '.join(f'`{approving}{way}`' for way in dict.fromkeys(ways))} says yes"
