"""Answers: what a store says to each question about an image, or a Broken that says why it does not."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from imagesync.errors import (
    AuthenticationError,
    BudgetError,
    Cancelled,
    ImagesyncError,
    IntegrityError,
    InternalError,
    NotFoundError,
    StoreError,
)
from imagesync.manifest import Content
from imagesync.plan.attachments import attachment_tags
from imagesync.plan.creating import CreateRepository
from imagesync.plan.inventory import Absent, Broken, Head, NotRead, Present, Unreadable, Whole
from imagesync.plan.questions import (
    FindMissing,
    HasBlob,
    HasReferrersApi,
    IsEmpty,
    ListAllTags,
    ListAttachmentTags,
    ListReferrers,
    MayRead,
    OfStore,
    Question,
    ReadBlob,
    ReadCreated,
    ReadHead,
    ReadManifest,
    ReadPlatform,
    ReadPushTimes,
    Side,
    Surrounding,
)
from imagesync.platform import Platform
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.store import ManifestFetcher, Readable, Resolver, Stores, TagLister, Writable
from imagesync.survey.blobs import read_blob
from imagesync.survey.configs import read_platform
from imagesync.survey.dating import created_of, set_aside

V = TypeVar("V")


def nobody_stops() -> None:
    """What is looked at meanwhile by what no run can stop."""


def answer(question: Question, stores: Stores, check: Callable[[], None] = nobody_stops) -> Any:
    """Answer a question about one image, by what earlier runs have learnt where that says enough. `check` raises
    Cancelled once the run is to stop: what asks no store looks at that."""
    if not isinstance(question, Surrounding):
        return _of_store(question, stores)
    from imagesync.survey.surroundings import answer_here  # noqa: PLC0415 - few specs have gates

    return answer_here(question, check)


def _of_store(question: OfStore, stores: Stores) -> Any:
    if isinstance(question, ReadManifest | ReadPlatform | ReadBlob):
        return or_broken(lambda: _content(question, stores), question.side)
    if isinstance(question, ReadHead):
        store = partial(_store, question.repository, question.side, stores)
        return read_head(store, question.reference, question.side)
    if isinstance(question, ListAttachmentTags | ListAllTags):
        return _tags(question, stores)
    if isinstance(question, MayRead | ReadCreated | ReadPushTimes):
        return or_broken(lambda: _of_dates(question, stores), "source")
    if isinstance(question, HasReferrersApi | ListReferrers):
        return or_broken(lambda: _referrers(question, stores), question.side)
    return or_broken(lambda: _of_contents(question, stores), "destination")


def _store(repository: Repository, side: Side, stores: Stores) -> Readable | Writable:
    return stores.source(repository) if side == "source" else stores.destination(repository)


def _of_dates(question: MayRead | ReadCreated | ReadPushTimes, stores: Stores) -> Any:
    if isinstance(question, ReadPushTimes):
        return stores.push_times(question.repository.registry).push_times(question.repository, question.tags)
    return set_aside(question, stores) if isinstance(question, MayRead) else created_of(question, stores)


def _tags(question: ListAttachmentTags | ListAllTags, stores: Stores) -> Collection[Tag] | Broken:
    if isinstance(question, ListAllTags):
        return or_broken(lambda: _listed(stores.destination(question.repository)), "destination")
    return or_broken(lambda: attachment_tags(_listed(stores.source(question.repository))), "source")


def _listed(store: TagLister) -> tuple[Tag, ...]:
    """The tags of a repository; one that is not there, or has gone since its tag was read, has none."""
    try:
        return store.list_tags()
    except NotFoundError:
        return ()


def _referrers(question: HasReferrersApi | ListReferrers, stores: Stores) -> Any:
    listed = _store(question.repository, question.side, stores).list_referrers(question.digest)
    return listed is not None if isinstance(question, HasReferrersApi) else listed or ()


def read_head(open_store: Callable[[], Resolver], reference: Reference, side: str) -> Head:
    """What a tag or digest points to."""
    return _head(lambda: Present(open_store().resolve(reference.target)), side)


def read_wanted(open_store: Callable[[], Readable], reference: Reference, side: str) -> Head:
    """The same of what is to be copied: before that counts as missing it is asked for by GET. Some registries have no
    HEAD, and answer one with 404."""

    def read() -> Present:
        store = open_store()
        try:
            return Present(store.resolve(reference.target))
        except NotFoundError:
            with suppress(NotFoundError):
                return Present(fetch_manifest(store, reference.target).descriptor)
            raise

    return _head(read, side)


def read_whole(open_store: Callable[[], ManifestFetcher], reference: Reference, side: str) -> Head:
    """The same, with its manifest, by one request."""

    def read() -> Whole:
        content = fetch_manifest(open_store(), reference.target)
        return Whole(content.descriptor, content=content)

    return _head(read, side)


def _head(read: Callable[[], Present], side: str) -> Head:
    def found() -> Head:
        try:
            return read()
        except NotFoundError as error:
            return Absent(error.hint)
        except AuthenticationError as error:
            if side == "destination" and error.is_refusal:
                return Unreadable(error.message)
            raise

    return or_broken(found, side)


def _content(question: ReadManifest | ReadPlatform | ReadBlob, stores: Stores) -> Content | Platform | bytes | None:
    if isinstance(question, ReadBlob):
        return read_blob(stores.source(question.repository), question.blob, question.max_bytes)
    return _manifest(question, stores) if isinstance(question, ReadManifest) else read_platform(question, stores)


def _manifest(question: ReadManifest, stores: Stores) -> Content:
    known = stores.memory.manifest(question.digest)
    if known is None:
        known = fetch_manifest(_store(question.repository, question.side, stores), question.digest)
        stores.memory.keep_manifest(known)
    return known


def fetch_manifest(store: ManifestFetcher, target: Tag | Digest) -> Content:
    """Read a manifest; bytes that do not match their digest are read once more, as those of a blob are."""
    try:
        return store.fetch_manifest(target)
    except IntegrityError:
        return store.fetch_manifest(target)


def _missing(repository: Repository, stores: Stores) -> CreateRepository | None:
    creator = stores.creator(repository)
    if creator is None or not creator.is_missing():
        return None
    return CreateRepository(creator.makes, creator.what, creator.made_with)


def _of_contents(question: IsEmpty | HasBlob | FindMissing, stores: Stores) -> CreateRepository | bool | None:
    if isinstance(question, FindMissing):
        return _missing(question.repository, stores)
    return _is_empty(question, stores) if isinstance(question, IsEmpty) else _has_blob(question, stores)


def _has_blob(question: HasBlob, stores: Stores) -> bool:
    if stores.memory.holds(question.repository, question.digest):
        return True
    is_there = stores.destination(question.repository).has_blob(question.blob)
    if is_there:
        stores.memory.note(question.repository, question.digest)
    return is_there


def _is_empty(question: IsEmpty, stores: Stores) -> bool:
    """One tag list, and a look for what an earlier run may have left; it need not be there to be empty."""
    if stores.memory.knows(question.repository):
        return False
    destination = stores.destination(question.repository)
    try:
        has_tags = bool(destination.list_tags())
    except NotFoundError:
        has_tags = False
    return not has_tags and not any(destination.has_blob(blob) for blob in question.probes)


def or_broken(read: Callable[[], V], side: str) -> V | Broken:
    """What was read of this side, or why it was not. Raises Cancelled, nothing else."""
    try:
        return read()
    except Cancelled:
        raise
    except ImagesyncError as error:
        return _broken(error, side)
    except Exception as error:  # noqa: BLE001 - a mistake of ours fails one image, and says so
        return Broken.from_error(InternalError.of(error))


def _broken(error: ImagesyncError, side: str) -> Broken:
    if isinstance(error, StoreError):
        error.side = side
    if isinstance(error, BudgetError):
        return NotRead(error.message, error.kind, error.hint, 0 if error.is_deferred else error.exit_code)
    return Broken.from_error(error)
