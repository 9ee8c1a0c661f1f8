"""Promoting: what the commands that move a release share. It is a plan; here that is made, and carried out whole."""

from __future__ import annotations

import argparse
import os
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.files import read_file
from imagesync.cli.remembering import Memory, open_memory
from imagesync.gates.soak import soaks_by_sight
from imagesync.keeping.clock import now
from imagesync.lazy import dataclass, field, replace
from imagesync.pipeline import make_plan, with_gates
from imagesync.plan.actions import Attach, Blocked, Copy, Keep, Waiting
from imagesync.plan.in_place import judge_in_place
from imagesync.plan.review import ReviewedPlan, Reviewer, review
from imagesync.promotion.commands import Commands
from imagesync.promotion.door import Door, Known
from imagesync.promotion.records import Records
from imagesync.promotion.rules import Told, find_promotion, rollback_rules, rules_of
from imagesync.spec.model import SpecFile
from imagesync.spec.release import release_from_text, release_path
from imagesync.survey import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imagesync.cli.session import Session
    from imagesync.executor import Executor
    from imagesync.executor.together import Milestones
    from imagesync.plan.actions import Plan
    from imagesync.plan.outcome import Outcome
    from imagesync.plan.unit import Unit
    from imagesync.promotion.journal import Journal
    from imagesync.promotion.record import Record
    from imagesync.spec.model import Spec
    from imagesync.spec.stages import Promotion


@dataclass(frozen=True, slots=True)
class Release:
    """A release that is to come to a stage, and what is on record of its promotion by now."""

    promotion: Promotion
    unit: Unit
    records: Records
    known: Known
    commands: Commands
    memory: Memory = field(default_factory=partial(Memory, None))
    """What was written to the stage, and what was seen at the first one."""
    is_kept_waiting: bool = False
    """Whether the run does something else between its plan and its first tag: what is on record may be old by then."""

    @property
    def reviewers(self) -> tuple[Reviewer, ...]:
        return (self.door.reviewer,)

    @property
    def door(self) -> Door:
        return Door(self.promotion, self.unit, self.known, self.commands)

    def remember_sights(self, plan: Plan) -> None:
        """Of what was seen at the stage before, whatever holds it back: that starts the clock of some gates."""
        if not any(map(soaks_by_sight, self.promotion.stage(self.unit.stage).gates)):
            return
        actions = (action.copy if isinstance(action, Blocked) else action for action in plan.actions)
        self.memory.saw(action.source for action in actions if isinstance(action, Copy | Keep | Waiting))
        self.memory.save()


def open_release(session: Session, unit: Unit) -> Release:
    """A release that is to move. Raises UsageError where the spec has no such promotion or stage, StoreError where a
    journal or the state cannot be read."""
    records = Records(find_promotion(session.spec, unit.promotion), session.stores)
    return release_of(session, unit, records, memory=open_memory(session))


def look_at_release(session: Session, unit: Unit, records: Records) -> Release:
    """A release of which is only to be told whether it might move: what was written is not asked for. Raises
    StoreError, as above."""
    stage = find_promotion(session.spec, unit.promotion).stage(unit.stage)
    is_asked = any(map(soaks_by_sight, stage.gates))
    return release_of(session, unit, records, memory=open_memory(session) if is_asked else Memory(None))


def release_of(session: Session, unit: Unit, records: Records, *, memory: Memory) -> Release:
    """A release with what is on record of it, and what is remembered. Raises StoreError."""
    promotion = find_promotion(session.spec, unit.promotion)
    commands = Commands(session.spec.name, promotion.name)
    return Release(promotion, unit, records, records.known(unit), commands, memory)


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
    plan = _judged_in_place(session, release, plan, spec)
    return release.door.with_refused(replace(plan, unit=release.unit, pulls=session.pulls()))


def _judged_in_place(session: Session, release: Release, plan: Plan, spec: Spec) -> Plan:
    """With what gates say of tags that are right already and not on record."""
    unit, promotion = release.unit, release.promotion
    stage = promotion.stage(unit.stage)
    if not stage.gates or not any(isinstance(action, Keep | Attach) for action in plan.actions):
        return plan
    on_record = {f"{promotion.name}/{name}": one for name, one in release.records.digests(stage, unit.version).items()}
    asking = judge_in_place(plan, spec.rules, (on_record, release.memory.known))
    return ask(asking, session.stores, session.tasks)


def carry_out_release(arguments: argparse.Namespace, session: Session, release: Release, plan: Plan) -> int:
    """Review the plan of a release and do all of it or nothing; shows what became of it, returns the exit code."""
    from imagesync.cli.apply import published, told  # noqa: PLC0415 - which carries out plans of releases as well
    from imagesync.cli.session import shown_progress  # noqa: PLC0415
    from imagesync.executor import Executor  # noqa: PLC0415

    release.memory.begin()
    release.remember_sights(plan)
    reviewed = review(plan, release.reviewers)
    executor = Executor(session.stores, session.tasks, session.cancellation)
    with shown_progress(arguments, session, executor.meter) as progress:
        outcomes = told(move(session, release, reviewed, executor), progress, release.memory)
    return release.memory.settled(published(arguments, session, reviewed.plan, outcomes))


def move(session: Session, release: Release, reviewed: ReviewedPlan, executor: Executor) -> Iterator[Outcome]:
    """Do what a review has left of a release, all of it or nothing, and put it on record."""
    from imagesync.executor.together import Together  # noqa: PLC0415 - not for a plan

    yield from Together(executor, _milestones(session, release, reviewed.plan)).carry_out(reviewed)


def plan_rollback(session: Session, release: Release, record: Record) -> Plan:
    """As `plan_release`, of the tag alone that says what the stage runs: it goes back to what a record tells of."""
    spec = replace(session.spec, rules=rollback_rules(release.promotion, record), is_part=True)
    return replace(make_plan(spec, session.stores, session.tasks), unit=release.unit, pulls=session.pulls())


def check_saved(session: Session, plan: Plan) -> None:
    """Raise PlanFileError for a saved plan of a release that the spec does not yield. Nothing is read."""
    from imagesync.plan.conformity import check_same_spec, check_yielded  # noqa: PLC0415 - few plans are saved
    from imagesync.promotion.saved import check_unit  # noqa: PLC0415

    unit = unit_of(plan)
    spec = with_rules(session.spec, unit)
    check_same_spec(plan, spec)
    check_yielded(plan, spec)
    check_unit(plan, find_promotion(spec, unit.promotion), spec.rules)


def plan_saved(session: Session, release: Release, plan: Plan) -> Plan:
    """A saved plan without what it says is in place, and is not any more. What stands at the door and what gates have
    to know is asked anew."""
    from imagesync.cli.heads import heads_of  # noqa: PLC0415 - few plans are saved
    from imagesync.promotion.saved import tags_in_place, with_moved  # noqa: PLC0415

    plan = with_moved(plan, heads_of(session, tags_in_place(plan)))
    spec = with_rules(session.spec, release.unit, release.known.entered)
    plan = release.door.with_refused(_judged_in_place(session, release, plan, spec))
    return with_gates(plan, spec, release.memory.state, stores=session.stores, tasks=session.tasks)


def unit_of(plan: Plan) -> Unit:
    """What moves by a plan that is one unit."""
    assert plan.unit is not None  # noqa: S101 - narrows: others are no releases
    return plan.unit


def _milestones(session: Session, release: Release, plan: Plan) -> Milestones:
    from imagesync.cli.who import who_runs  # noqa: PLC0415 - not for a plan
    from imagesync.executor.together import NoMilestones  # noqa: PLC0415
    from imagesync.plan.together import takes_long  # noqa: PLC0415
    from imagesync.promotion.recording import Recording, make_draft  # noqa: PLC0415

    draft = make_draft(plan, release.promotion, who_runs(os.environ), at=now())
    stage = release.promotion.stage(release.unit.stage)
    if not plan.copies() and release.records.is_recorded(stage, draft.record):
        return NoMilestones()
    is_later = release.is_kept_waiting or takes_long(plan)
    opened = partial(_opened_anew if is_later else _opened, release)
    return Recording(draft, opened, session.stores, clock=now)


def _opened(release: Release) -> Journal:
    """The journal of the stage, as it was read a moment ago."""
    return release.records.journal(release.promotion.stage(release.unit.stage))


def _opened_anew(release: Release) -> Journal:
    """The journal as it is by now: while content was brought and gates were asked, or what came before in the run,
    somebody may have held the stage, or gone back. Raises HeldError."""
    records = release.records.anew()
    replace(release, known=records.known(release.unit)).door.check_open()
    return records.journal(release.promotion.stage(release.unit.stage))
