"""Records of a promotion's stages: each stage's journal, opened once, and what it tells of the stage. Reads stores.

What counts is looked for from the latest entry back. Where records are signed, one that is not is passed over; where
they are not, what is none ends the command: somebody has written into the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import dropwhile, takewhile

from imagesync.errors import InvalidManifest
from imagesync.gates.soak import soaks_by_record
from imagesync.plan.unit import Move, Occasion, Unit
from imagesync.promotion.door import Known
from imagesync.promotion.entries import HOLDS, MOVES, Entry, Kind
from imagesync.promotion.journal import Journal
from imagesync.promotion.record import Record
from imagesync.promotion.seal import seal_of
from imagesync.reference import Digest, Repository, Tag
from imagesync.spec.stages import Promotion, Stage
from imagesync.store import Stores

_Read = dict[tuple[Repository, Tag], Record | None]


class Records:
    """What is on record of one promotion. Raises StoreError, and InvalidManifest for an entry that is none."""

    def __init__(self, promotion: Promotion, stores: Stores, read: _Read | None = None) -> None:
        self._promotion = promotion
        self._stores = stores
        self._seal = seal_of(promotion)
        self._journals: dict[Repository, Journal] = {}
        self._read: _Read = {} if read is None else read

    def anew(self) -> Records:
        """The same as of now: journals are listed again, and of their entries, which nobody writes twice, only those
        are read that were not."""
        return Records(self._promotion, self._stores, self._read)

    def journal(self, stage: Stage) -> Journal:
        if stage.journal not in self._journals:
            store = self._stores.destination(stage.journal)
            self._journals[stage.journal] = Journal(stage.journal, store, self._seal)
        return self._journals[stage.journal]

    def entries(self, stage: Stage) -> tuple[Entry, ...]:
        return self.journal(stage).entries(self._promotion.name, stage.name)

    def last(self, stage: Stage) -> Record | None:
        """What the stage came to last, as a whole."""
        return next(self._finished(stage), None)

    def promoted(self, stage: Stage) -> Record | None:
        """What was promoted to the stage last, whether it has gone back from that since or not."""
        return next((record for record in self.finished(stage) if record.move is Move.PROMOTION), None)

    def finished(self, stage: Stage) -> Iterator[Record]:
        """All that the stage came to as a whole, the latest first; each is read when it is asked for."""
        return self._finished(stage)

    def digests(self, stage: Stage, version: Tag) -> Mapping[str, Digest]:
        """What the stage's gates have let in as this version the last time, be it that it has not finished, by the
        names of images."""
        entries = (entry for entry in reversed(self.entries(stage)) if entry.kind in MOVES and entry.may_be_of(version))
        records = (record for entry in entries if (record := self.read(stage, entry)) is not None)
        return next((record.digests for record in records if record.version == version), {})

    def begun(self, stage: Stage) -> Record | None:
        """What has begun last at the stage, if it has not finished, and nothing after it. What was withdrawn has left
        all as it was."""
        entries = self.entries(stage)
        withdrawn = {one.move: one for one in entries if one.kind is Kind.WITHDRAWN}
        moves = (one for one in reversed(entries) if one.kind in MOVES and self._counts(stage, one))
        left = (one for one in moves if one.move not in withdrawn or not self._counts(stage, withdrawn[one.move]))
        entry = next(left, None)
        return self.read(stage, entry) if entry is not None and entry.kind is Kind.STARTED else None

    def hold(self, stage: Stage) -> Record | None:
        """The hold that stands; None where there is none, or it was released."""
        found = (one for one in reversed(self.entries(stage)) if one.kind in HOLDS)
        entry = next((one for one in found if self._counts(stage, one)), None)
        return self.read(stage, entry) if entry is not None and entry.kind is Kind.HOLD else None

    def released(self, stage: Stage, version: Tag) -> Record | None:
        """How a version came to the stage, the last time; None where it never did as a whole."""
        return next((record for record in self._finished(stage, version) if record.version == version), None)

    def gone_back(self, stage: Stage, released: Record) -> Record | None:
        """How the stage went back from what has been released to something else, if that is what came next."""
        finished = [entry for entry in self.entries(stage) if entry.kind is Kind.FINISHED]
        later = list(dropwhile(lambda entry: entry.move != released.entry, finished))[1:]
        following = next((record for entry in later if (record := self.read(stage, entry)) is not None), None)
        if following is None or following.move is not Move.ROLLBACK or following.version == released.version:
            return None
        return following

    def left(self, stage: Stage, version: Tag) -> Record | None:
        """How the stage went back from a version when it had it last; None where it did not, or never had it."""
        released = self.released(stage, version)
        return self.gone_back(stage, released) if released is not None else None

    def entered(self, stage: Stage, released: Record) -> datetime:
        """When what has been released came to the stage: a record that says the same again starts no clock anew, one
        of anything else in between does."""
        finished = (entry for entry in reversed(self.entries(stage)) if entry.kind is Kind.FINISHED)
        since = dropwhile(lambda entry: not entry.may_be_of(released.version), finished)
        entries = takewhile(lambda entry: entry.may_be_of(released.version), since)
        records = (record for entry in entries if (record := self.read(stage, entry)) is not None)
        same = takewhile(lambda record: record.digests == released.digests, records)
        return min((record.at for record in same), default=released.at)

    def before(self, stage: Stage, version: Tag) -> Record | None:
        """What had come to the stage, as a whole and by a promotion, before a version did."""
        promoted = (record for record in self._finished(stage) if record.move is Move.PROMOTION)
        is_found = False
        for record in promoted:
            if is_found and record.version != version:
                return record
            is_found = is_found or record.version == version
        return None

    def is_recorded(self, stage: Stage, record: Record) -> bool:
        """Whether this is what the stage came to last, and nothing has begun since."""
        last = self.last(stage)
        is_same = last is not None and (last.version, last.digests) == (record.version, record.digests)
        return is_same and self.begun(stage) is None

    def known(self, unit: Unit) -> Known:
        """What matters at the door of the unit's stage."""
        source, stage = self._promotion.stage(unit.source_stage), self._promotion.stage(unit.stage)
        is_first = self._promotion.before(source) is None
        released = None if is_first else self.released(source, unit.version)
        is_auto = unit.occasion is Occasion.AUTO
        runs, left = (self.last(stage), self.left(stage, unit.version)) if is_auto else (None, None)
        if released is None:
            return Known(None, self.hold(stage), runs=runs, left=left)
        is_soaking = any(map(soaks_by_record, stage.gates))
        entered = self.entered(source, released) if is_soaking else None
        return Known(released, self.hold(stage), entered, self.gone_back(source, released), runs, left)

    def read(self, stage: Stage, entry: Entry) -> Record | None:
        """The record of an entry; None where it does not count. Each is read once."""
        key = (stage.journal, entry.tag)
        if key not in self._read:
            try:
                self._read[key] = self.journal(stage).read(entry)
            except InvalidManifest:
                if not self._seal.is_signed:
                    raise
                self._read[key] = None
        return self._read[key]

    def _finished(self, stage: Stage, version: Tag | None = None) -> Iterator[Record]:
        """What the stage came to as a whole, the latest first; where a version is looked for, what may be of it."""
        for entry in reversed(self.entries(stage)):
            is_asked = version is None or entry.may_be_of(version)
            record = self.read(stage, entry) if entry.kind is Kind.FINISHED and is_asked else None
            if record is not None:
                yield record

    def _counts(self, stage: Stage, entry: Entry) -> bool:
        """Whether an entry counts; unsigned ones do as they are, so nothing has to be read."""
        return not self._seal.is_signed or self.read(stage, entry) is not None
