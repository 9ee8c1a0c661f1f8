"""Records of a promotion's stages: each stage's journal, opened once, and what it tells of the stage. Reads stores."""

from __future__ import annotations

from imagesync.plan.unit import Move, Unit
from imagesync.promotion.door import Known
from imagesync.promotion.entries import Entry, Kind, last_finished, standing_hold, unfinished
from imagesync.promotion.journal import Journal
from imagesync.promotion.record import Record
from imagesync.reference import Repository, Tag
from imagesync.spec.stages import Promotion, Stage
from imagesync.store import Stores


class Records:
    """What is on record of one promotion. Raises StoreError, and InvalidManifest for an entry that is none."""

    def __init__(self, promotion: Promotion, stores: Stores) -> None:
        self._promotion = promotion
        self._stores = stores
        self._journals: dict[Repository, Journal] = {}

    def journal(self, stage: Stage) -> Journal:
        if stage.journal not in self._journals:
            store = self._stores.destination(stage.journal)
            self._journals[stage.journal] = Journal(stage.journal, store)
        return self._journals[stage.journal]

    def entries(self, stage: Stage) -> tuple[Entry, ...]:
        return self.journal(stage).entries(self._promotion.name, stage.name)

    def read(self, stage: Stage, entry: Entry | None) -> Record | None:
        """The record of an entry, where there is one."""
        return self.journal(stage).read(entry) if entry is not None else None

    def last(self, stage: Stage) -> Record | None:
        """What the stage came to last, as a whole."""
        return self.read(stage, last_finished(self.entries(stage)))

    def begun(self, stage: Stage) -> Record | None:
        """What has begun at the stage and has not finished."""
        return self.read(stage, unfinished(self.entries(stage)))

    def hold(self, stage: Stage) -> Record | None:
        return self.read(stage, standing_hold(self.entries(stage)))

    def released(self, stage: Stage, version: Tag) -> Record | None:
        """How a version came to the stage, the last time; None where it never did as a whole."""
        entries = (entry for entry in reversed(self.entries(stage)) if entry.may_be_of(version))
        records = (self.journal(stage).read(entry) for entry in entries if entry.kind is Kind.FINISHED)
        return next((record for record in records if record.version == version), None)

    def before(self, stage: Stage, version: Tag) -> Record | None:
        """What had come to the stage, as a whole and by a promotion, before a version did."""
        is_found = False
        for entry in reversed(self.entries(stage)):
            record = self.journal(stage).read(entry) if entry.kind is Kind.FINISHED else None
            if record is None or record.move is not Move.PROMOTION:
                continue
            if is_found and record.version != version:
                return record
            is_found = is_found or record.version == version
        return None

    def is_recorded(self, stage: Stage, record: Record) -> bool:
        """Whether this is what the stage came to last, and nothing has begun since."""
        last = self.last(stage)
        is_same = last is not None and (last.version, last.digests) == (record.version, record.digests)
        return is_same and unfinished(self.entries(stage)) is None

    def known(self, unit: Unit) -> Known:
        """What matters at the door of the unit's stage."""
        source, stage = self._promotion.stage(unit.source_stage), self._promotion.stage(unit.stage)
        is_first = self._promotion.before(source) is None
        return Known(None if is_first else self.released(source, unit.version), self.hold(stage))
