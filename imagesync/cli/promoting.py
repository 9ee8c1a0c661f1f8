"""Promoting: what the commands that move a release share. It is a plan; here that is made, and carried out whole."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.files import read_file
from imagesync.cli.remembering import Memory, open_memory
from imagesync.gates.soak import soaks_by_sight
from imagesync.keeping.clock import now
from imagesync.pipeline import make_plan, with_gates
from imagesync.plan.actions import Blocked, Copy, Keep, Waiting
from imagesync.plan.review import ReviewedPlan, Reviewer, review
from imagesync.promotion.door import Door, Known
from imagesync.promotion.records import Records
from imagesync.promotion.rules import Told, find_promotion, rollback_rules, rules_of
from imagesync.spec.model import SpecFile
from imagesync.spec.release import release_from_text, release_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imagesync.cli.session import Session
    from imagesync.executor import Executor
    from imagesync.executor.together import Milestones
    from imagesync.plan.actions import Plan
    from imagesync.plan.outcome import Outcome
    from imagesync.plan.unit import Unit
    from imagesync.promotion.record import Record
    from imagesync.spec.model import Spec
    from imagesync.spec.stages import Promotion, Stage


@dataclass(frozen=True, slots=True)
class Release:
    """A release that is to come to a stage, and what is on record of its promotion by now."""

    promotion: Promotion
    unit: Unit
    records: Records
    known: Known
    memory: Memory = field(default_factory=partial(Memory, None))
    """What was seen at the first stage, where a gate of the stage asks for that."""

    @property
    def reviewers(self) -> tuple[Reviewer, ...]:
        return (self.door.reviewer,)

    @property
    def door(self) -> Door:
        return Door(self.promotion, self.unit, self.known)

    def remember_sights(self, plan: Plan) -> None:
        """Of what was seen at the stage before, whatever holds it back: that starts the clock of some gates."""
        self.memory.begin()
        actions = (action.copy if isinstance(action, Blocked) else action for action in plan.actions)
        self.memory.saw(action.source for action in actions if isinstance(action, Copy | Keep | Waiting))
        self.memory.save()


def open_release(session: Session, unit: Unit) -> Release:
    """Raises UsageError where the spec has no such promotion or stage, StoreError where a journal cannot be read."""
    promotion = find_promotion(session.spec, unit.promotion)
    return release_on_record(session, unit, Records(promotion, session.stores))


def release_on_record(session: Session, unit: Unit, records: Records) -> Release:
    """The same, where some of its records have been read already."""
    promotion = find_promotion(session.spec, unit.promotion)
    return Release(promotion, unit, records, records.known(unit), _memory(session, promotion.stage(unit.stage)))


def _memory(session: Session, stage: Stage) -> Memory:
    return open_memory(session) if any(map(soaks_by_sight, stage.gates)) else Memory(None)


def with_rules(spec: Spec, unit: Unit, entered: datetime | None = None) -> Spec:
    """The spec of this one unit: what it yields is what may move. Where there is a release file of its version, that is
    one of the spec's files, and says what the version is; `entered` is when it came to the stage before. Raises
    ReleaseError."""
    promotion, name = find_promotion(spec, unit.promotion), release_path(unit.promotion, unit.version)
    path = Path(spec.directory) / name
    if not path.is_file():
        return replace(spec, rules=rules_of(promotion, unit, Told(entered=entered)), is_part=True)
    text = read_file(str(path))
    release = release_from_text(text, promotion, unit.version, name=str(path))
    rules = rules_of(promotion, unit, Told(release, entered))
    file = SpecFile(name, sha256(text.encode()).hexdigest())
    return replace(spec, rules=rules, files=(*spec.files, file), is_part=True)


def plan_release(session: Session, release: Release) -> Plan:
    """Read both sides of every image; writes nothing. Each tag is resolved once, and what it is then is what moves."""
    spec = with_rules(session.spec, release.unit, release.known.entered)
    plan = make_plan(spec, session.stores, session.tasks, state=release.memory.state)
    return release.door.with_what_waits(replace(plan, unit=release.unit, pulls=session.pulls()))


def carry_out_release(arguments: argparse.Namespace, session: Session, release: Release, plan: Plan) -> int:
    """Review the plan of a release and do all of it or nothing; shows what became of it, returns the exit code."""
    from imagesync.cli.apply import published, told  # noqa: PLC0415 - which carries out plans of releases as well
    from imagesync.cli.session import shown_progress  # noqa: PLC0415
    from imagesync.executor import Executor  # noqa: PLC0415

    release.remember_sights(plan)
    reviewed = review(plan, release.reviewers)
    executor = Executor(session.stores, session.tasks, session.cancellation)
    with shown_progress(arguments, session, executor.meter) as progress:
        outcomes = told(move(session, release, reviewed, executor), progress, Memory(None))
    return release.memory.settled(published(arguments, session, reviewed.plan, outcomes))


def move(session: Session, release: Release, reviewed: ReviewedPlan, executor: Executor) -> Iterator[Outcome]:
    """Do what a review has left of a release, all of it or nothing, and put it on record."""
    from imagesync.executor.together import Together  # noqa: PLC0415 - not for a plan

    yield from Together(executor, _milestones(session, release, reviewed.plan)).carry_out(reviewed)


def plan_rollback(session: Session, release: Release, record: Record) -> Plan:
    """As `plan_release`, of the tag alone that says what the stage runs: it goes back to what a record tells of."""
    spec = replace(session.spec, rules=rollback_rules(release.promotion, record), is_part=True)
    return replace(make_plan(spec, session.stores, session.tasks), unit=release.unit, pulls=session.pulls())


def check_release_file(session: Session, plan: Plan) -> None:
    """Raise PlanFileError for a saved plan of a release that the spec does not yield, or that is of another spec."""
    from imagesync.plan.conformity import check_same_spec, check_yielded  # noqa: PLC0415 - few plans are saved

    spec = with_rules(session.spec, unit_of(plan))
    check_same_spec(plan, spec)
    check_yielded(plan, spec)


def plan_again(session: Session, release: Release, plan: Plan) -> Plan:
    """A saved plan with what its gates have to know by now, and what stands at the door."""
    spec, state = with_rules(session.spec, release.unit, release.known.entered), release.memory.state
    return with_gates(release.door.with_what_waits(plan), spec, state, stores=session.stores, tasks=session.tasks)


def unit_of(plan: Plan) -> Unit:
    """What moves by a plan that is one unit."""
    assert plan.unit is not None  # noqa: S101 - narrows: others are no releases
    return plan.unit


def _milestones(session: Session, release: Release, plan: Plan) -> Milestones:
    from imagesync.cli.who import who_runs  # noqa: PLC0415 - not for a plan
    from imagesync.executor.together import NoMilestones  # noqa: PLC0415
    from imagesync.promotion.recording import Recording, make_draft  # noqa: PLC0415

    draft = make_draft(plan, release.promotion, who_runs(os.environ), at=now())
    stage = release.promotion.stage(release.unit.stage)
    if not plan.copies() and release.records.is_recorded(stage, draft.record):
        return NoMilestones()
    return Recording(draft, release.records.journal(stage), session.stores, clock=now)
