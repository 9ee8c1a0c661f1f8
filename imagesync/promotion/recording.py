"""Recording: the records of one unit on its way, made of its plan and entered as it comes to its milestones.

That it has begun stands in the journal alone: on the images stands what is true of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from imagesync.lazy import dataclass, replace
from imagesync.manifest import Descriptor
from imagesync.plan.actions import Attach, Copy, Keep, Plan
from imagesync.plan.file import plan_to_json
from imagesync.plan.summary import verdicts_of
from imagesync.plan.unit import Move
from imagesync.promotion.artifact import make_artifact
from imagesync.promotion.entries import Entry, Kind, make_letters, next_moment
from imagesync.promotion.journal import Journal
from imagesync.promotion.record import Moved, Record, Who, record_to_json
from imagesync.promotion.referring import refer
from imagesync.reference import Digest, Reference
from imagesync.spec.stages import Promotion
from imagesync.store import Stores

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Draft:
    """What both records say, and what the images are, where the plan knows."""

    record: Record
    subjects: dict[Digest, Descriptor]


def make_draft(plan: Plan, promotion: Promotion, who: Who, *, at: datetime) -> Draft:
    """Of a reviewed plan, nothing of which is blocked."""
    unit = plan.unit
    assert unit is not None  # noqa: S101 - narrows: what moves together is one
    record = Record(
        kind=Kind.STARTED,
        promotion=unit.promotion,
        stage=unit.stage,
        version=unit.version,
        at=at,
        who=who,
        move=unit.move,
        source_stage=unit.source_stage,
        images=tuple(moved for image in promotion.images for moved in _moved(plan, f"{promotion.name}/{image.name}")),
        plan=sha256(plan_to_json(_without_cost(plan)).encode()).hexdigest(),
        ticket=unit.ticket,
        reason=unit.reason,
    )
    return Draft(record, {copy.root.digest: copy.root for copy in plan.copies()})


def _moved(plan: Plan, rule: str) -> list[Moved]:
    actions = [action for action in plan.actions if action.rule == rule and isinstance(action, Copy | Attach | Keep)]
    if not actions:
        return []
    first = actions[0]
    digest = first.root.digest if isinstance(first, Copy) else first.found
    assert digest is not None  # noqa: S101 - narrows: a plan pins what it moves or keeps
    source = Reference(first.source.repository, first.source.tag)
    tags = tuple(action.destination.tag for action in actions if action.destination.tag is not None)
    verdicts = tuple(dict.fromkeys(verdict for action in actions for verdict in verdicts_of(action)))
    return [Moved(rule.partition("/")[2], str(source), first.destination.repository, digest, tags, verdicts)]


def _without_cost(plan: Plan) -> Plan:
    """What it has cost to make a plan, and what its spec has warned of, is not what was carried out."""
    return replace(plan, pulls=(), warnings=(), found=())


class Recording:
    """Implements executor.together.Milestones. `open_journal` gives the journal once the unit may come in, and raises
    HeldError where it may not by then."""

    def __init__(self, draft: Draft, open_journal: Callable[[], Journal], stores: Stores, *, clock: Clock) -> None:
        self._draft = draft
        self._open_journal = open_journal
        self._stores = stores
        self._clock = clock
        self._journal: Journal | None = None
        self._entry: Entry | None = None

    def started(self) -> None:
        self._journal = self._open_journal()
        self._entry = begin(replace(self._draft.record, at=self._clock()), self._journal)

    def finished(self) -> None:
        """On every image first: once the journal has it, all of it is done."""
        assert self._journal is not None and self._entry is not None  # noqa: S101, PT018 - narrows: it has started
        record = replace(self._draft.record, kind=Kind.FINISHED, at=self._clock(), entry=self._entry.move)
        is_first = not any(one.kind is Kind.FINISHED for one in self._journal.entries(record.promotion, record.stage))
        for image in record.images:
            store = self._stores.destination(image.repository)
            subject = self._draft.subjects.get(image.digest) or store.resolve(image.digest)
            refer(store, make_artifact(record, self._journal.seal, subject), subject, is_first=is_first)
        self._journal.enter(replace(self._entry, kind=Kind.FINISHED), record)

    def withdrawn(self) -> None:
        """A rollback has set its hold by then: that is not taken back, so the stage is to go where it says."""
        if self._draft.record.move is Move.ROLLBACK:
            return
        assert self._journal is not None and self._entry is not None  # noqa: S101, PT018 - as above
        record = replace(self._draft.record, kind=Kind.WITHDRAWN, at=self._clock(), entry=self._entry.move)
        self._journal.enter(replace(self._entry, kind=Kind.WITHDRAWN), record)


def begin(record: Record, journal: Journal) -> Entry:
    """Enter a record that others may follow; its entry comes after all that there are. Raises StoreError."""
    moment = next_moment(journal.entries(record.promotion, record.stage), record.at)
    letters = make_letters(record.version, record_to_json(record))
    entry = Entry(record.promotion, record.stage, moment, letters, record.kind)
    journal.enter(entry, replace(record, entry=entry.move))
    return entry
