"""Records as referrers: written so that whoever has an image's digest finds how it came to be there, and read again.

A registry that lists no referrers leaves the list to its clients, under a tag that is named after the digest
(distribution spec, "Referrers Tag Schema"): it is read, added to, written, and looked at once more where others are
known to write it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from imagesync.errors import InvalidManifest, NotFoundError, StoreError
from imagesync.manifest import Content, Descriptor, Index
from imagesync.plan.attachments import RECORD_TYPE, tag_of
from imagesync.plan.uniting import index_of_referrer, unite
from imagesync.promotion.artifact import is_proved, record_of, write_record
from imagesync.promotion.record import Record
from imagesync.promotion.seal import NoSeal, Seal
from imagesync.reference import Digest, Tag
from imagesync.spec.model import AttachmentType
from imagesync.store import Readable, Writable

MOST_WRITES = 5
"""How often a list is written that others write at the same time."""
MAX_RECORDS = 1000


def refer(store: Writable, artifact: Content, subject: Descriptor, *, is_first: bool) -> None:
    """Let the artifact of a record speak of a digest; `is_first` says that nothing proves the repository to have what
    records need. Raises StoreError."""
    push = partial(store.push_referrer, artifact, subject.digest)
    if not write_record(store, push, is_first=is_first):
        _add_to_list(store, artifact, tag_of(subject.digest, AttachmentType.REFERRERS))


def records_on(store: Readable, subject: Digest, seals: Mapping[str, Seal]) -> tuple[Record, ...]:
    """The records that speak of a digest, the oldest first; what is damaged, of another, or does not count by the seal
    of its promotion is left out. Raises StoreError."""
    listed = store.list_referrers(subject)
    entries = listed if listed is not None else _listed_under(store, tag_of(subject, AttachmentType.REFERRERS))
    wanted = [entry.digest for entry in entries if entry.artifact_type in (RECORD_TYPE, None)][-MAX_RECORDS:]
    contents = (store.fetch_manifest(digest) for digest in wanted)
    found = (_record(content, seals) for content in contents if _speaks_of(content, subject))
    return tuple(sorted((record for record in found if record is not None), key=lambda record: record.at))


def _speaks_of(content: Content, subject: Digest) -> bool:
    return content.subject is not None and content.subject.digest == subject


def _record(content: Content, seals: Mapping[str, Seal]) -> Record | None:
    try:
        record = record_of(content)
        is_counted = is_proved(content, seals.get(record.promotion, NoSeal()))
    except InvalidManifest:
        return None
    is_its_own = content.subject is not None and content.subject.digest in record.digests.values()
    return record if is_counted and is_its_own else None


def _add_to_list(store: Writable, artifact: Content, tag: Tag) -> None:
    """A list that begins with this record is not looked at again: no other run of ours is at it, since whatever comes
    to a second stage, or back to one, has a record already."""
    new = index_of_referrer(artifact)
    for _ in range(MOST_WRITES):
        there = _read(store, tag)
        if there is None:
            store.push_manifest(new, tag)
            return
        united = unite(there, new)
        if united is there:
            return
        store.push_manifest(united, tag)
        if store.resolve(tag).digest == united.digest:
            return
    hint = "run the same command again when they are done"
    raise StoreError(f"others have written the list of referrers, {MOST_WRITES} times in a row", hint=hint)


def _listed_under(store: Readable, tag: Tag) -> tuple[Descriptor, ...]:
    there = _read(store, tag)
    return there.successors() if isinstance(there, Index) else ()


def _read(store: Readable | Writable, tag: Tag) -> Content | None:
    try:
        return store.fetch_manifest(tag)
    except NotFoundError:
        return None
