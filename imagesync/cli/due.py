"""What is due at the stages that take releases by themselves, read and planned before anything is written: so a release
goes one stage a run, and what a sync entry brings to a first stage goes on in the next run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.advancing import Advance, Ready, failure_at
from imagesync.cli.promoting import plan_release, release_on_record
from imagesync.errors import NotFoundError
from imagesync.plan.inventory import Broken
from imagesync.plan.review import Reviewer, review
from imagesync.promotion.due import due_at, takes_from_first, unit_of_due
from imagesync.promotion.records import Records
from imagesync.promotion.versions import Offer, offer_of_first
from imagesync.spec.release import released_versions
from imagesync.survey.answers import or_broken

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.plan.actions import Failure
    from imagesync.plan.unit import Due, Unit
    from imagesync.reference import Repository, Tag
    from imagesync.spec.stages import Promotion, Stage

Reviewers = tuple[Reviewer, ...]
_JOURNAL = "journal"


def advance_of(session: Session, promotions: Sequence[Promotion], reviewers: Reviewers = ()) -> Advance:
    """What these promotions move by themselves, planned and reviewed. Raises Cancelled."""
    automatic = [promotion for promotion in promotions if promotion.automatic]
    offers = _first_offers(session, automatic)
    looking = [_Looking(session, promotion, offers.get(promotion.name, Offer(None))) for promotion in automatic]
    session.tasks.results([session.tasks.add(one.look, hosts=one.hosts) for one in looking])
    for one in looking:
        one.plan(reviewers)
    return Advance(
        tuple(ready for one in looking for ready in one.ready),
        tuple(due for one in looking for due in one.due),
        tuple(failure for one in looking for failure in one.failures),
    )


class _Looking:
    """One promotion: its records are read once for all of its stages. `first` is what its first stage has."""

    def __init__(self, session: Session, promotion: Promotion, first: Offer | Broken) -> None:
        self._session, self._promotion, self._first = session, promotion, first
        self._records = Records(promotion, session.stores)
        self.due: list[Due] = []
        self.ready: list[Ready] = []
        self.failures: list[Failure] = []

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(stage.journal.registry for stage in self._promotion.stages)

    def look(self) -> None:
        """See what is due."""
        for stage in self._promotion.automatic:
            found = self._due(stage)
            if isinstance(found, Broken):
                self.failures.append(failure_at(self._promotion, stage, found))
            else:
                self.due.append(found)

    def plan(self, reviewers: Reviewers) -> None:
        """Plan what is due, each release by itself."""
        for due in self.due:
            if due.version is None:
                continue
            unit = unit_of_due(self._promotion, due, due.version)
            found = or_broken(partial(self._planned, unit, reviewers), _JOURNAL)
            if isinstance(found, Broken):
                self.failures.append(failure_at(self._promotion, self._promotion.stage(due.stage), found))
            else:
                self.ready.append(found)

    def _due(self, stage: Stage) -> Due | Broken:
        first = self._first if takes_from_first(self._promotion, stage) else Offer(None)
        if isinstance(first, Broken):
            return first
        return or_broken(lambda: due_at(self._promotion, stage, self._records, first), _JOURNAL)

    def _planned(self, unit: Unit, reviewers: Reviewers) -> Ready:
        release = release_on_record(self._session, unit, self._records)
        planned = plan_release(self._session, release)
        return Ready(release, planned, review(planned, (*release.reviewers, *reviewers)))


def _first_offers(session: Session, promotions: Sequence[Promotion]) -> Mapping[str, Offer | Broken]:
    """What the first stage of each has, where another takes it from there by itself: a tag list for each image."""
    asked = [one for one in promotions if any(takes_from_first(one, stage) for stage in one.automatic)]
    repositories = {repository: None for one in asked for repository in _firsts(one).values()}
    tasks = [session.tasks.add(partial(_tags, session, one), hosts=[one.registry]) for one in repositories]
    lists = dict(zip(repositories, session.tasks.results(tasks), strict=True))
    return {one.name: _first_offer(session, one, lists) for one in asked}


def _first_offer(
    session: Session, promotion: Promotion, lists: Mapping[Repository, Sequence[Tag] | Broken]
) -> Offer | Broken:
    found: dict[str, Sequence[Tag]] = {}
    for name, repository in _firsts(promotion).items():
        tags = lists[repository]
        if isinstance(tags, Broken):
            return tags
        found[name] = tags
    files = Path(session.spec.directory, "releases").glob("*.yaml")
    released = released_versions(promotion.name, (path.name for path in files))
    return offer_of_first(promotion.stages[0], found, released)


def _firsts(promotion: Promotion) -> dict[str, Repository]:
    return {image.name: promotion.stages[0].repository_of(image) for image in promotion.images}


def _tags(session: Session, repository: Repository) -> Sequence[Tag] | Broken:
    def read() -> Sequence[Tag]:
        try:
            return session.stores.source(repository).list_tags()
        except NotFoundError:
            return ()

    return or_broken(read, "source")
