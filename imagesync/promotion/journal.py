"""The journal: a repository in which each record is a manifest under a tag of its own. It survives moved tags and
garbage collection, and nothing in it is ever written twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from imagesync.errors import InvalidManifest, NotFoundError, StoreError
from imagesync.promotion.artifact import RecordStore, is_proved, make_artifact, record_of, write_record
from imagesync.promotion.entries import Entry, entries_of
from imagesync.promotion.record import Record
from imagesync.promotion.seal import Seal
from imagesync.reference import Reference, Repository, Tag
from imagesync.store import TagLister


class JournalStore(RecordStore, TagLister, Protocol):
    """A repository that a journal can be kept in."""


class Journal:
    """One repository of entries. What it lists is asked once, and what is entered here is known besides. `seal` signs
    what is entered, and says what counts."""

    def __init__(self, repository: Repository, store: JournalStore, seal: Seal) -> None:
        self.seal = seal
        self._repository = repository
        self._store = store
        self._tags: list[Tag] | None = None

    def entries(self, promotion: str, stage: str) -> tuple[Entry, ...]:
        """The entries of one stage, in the order in which they came to be. Raises StoreError."""
        return entries_of(self._listed(), promotion, stage)

    def read(self, entry: Entry) -> Record:
        """The record of an entry. Raises StoreError, and InvalidManifest for what is none, or is of something else."""
        with self._blamed():
            content = self._store.fetch_manifest(entry.tag)
        try:
            record = record_of(content)
            named = (record.promotion, record.stage, record.kind, record.entry)
            if named != (entry.promotion, entry.stage, entry.kind, entry.move):
                raise InvalidManifest("it is a record of something else")
            if not is_proved(content, self.seal):
                raise InvalidManifest("it is not signed with the key of the spec")
        except InvalidManifest as error:
            name = Reference(self._repository, entry.tag)
            hint = "somebody else has written there; delete that tag, if the record may be lost"
            raise InvalidManifest(f"journal {name}: {error.message}", hint=hint) from error
        return record

    def enter(self, entry: Entry, record: Record) -> None:
        """Write a record. Raises StoreError."""
        artifact = make_artifact(record, self.seal)
        listed = self._listed()
        with self._blamed():
            write_record(self._store, partial(self._store.push_manifest, artifact, entry.tag), is_first=not listed)
        listed.append(entry.tag)

    def _listed(self) -> list[Tag]:
        if self._tags is None:
            with self._blamed():
                try:
                    self._tags = list(self._store.list_tags())
                except NotFoundError:
                    self._tags = []
        return self._tags

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            error.side = error.side or "journal"
            raise
