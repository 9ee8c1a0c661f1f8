"""Deleting: takes tags away, by their names where the registry can, else by digest where that takes nothing else along.

The deletions of one repository come one after another: each looks at what those before it have left.
"""

from __future__ import annotations

from collections.abc import Iterable

from imagesync.cancellation import Cancellation
from imagesync.errors import ImagesyncError, NotFoundError, UnsupportedError
from imagesync.executor.blame import blamed_on
from imagesync.executor.recheck import STALE_EXIT_CODE
from imagesync.plan.actions import Delete
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.settled import blocked, failed
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.store import Stores, Writable

GONE_ALREADY = "it was gone already"
GONE_ALONG = "it went with its digest, which another tag had too"


class Deleting:
    """Carries out the deletions of one run; called by its tasks."""

    def __init__(self, stores: Stores, cancellation: Cancellation) -> None:
        self._stores = stores
        self._cancellation = cancellation
        self._going: dict[Reference, Delete] = {}
        self._gone: set[Reference] = set()
        self._gone_digests: set[tuple[Repository, Digest]] = set()
        """Deleted by this run, with every tag on them."""
        self._digests: dict[Repository, dict[Tag, Digest]] = {}
        """What the tags of a repository point to, of those where that had to be asked."""
        self._without_tags: set[str] = set()
        """Registries that delete by digest alone."""

    def expect(self, deletions: Iterable[Delete]) -> None:
        """These are on their way: what one of them takes along is no loss, once its own turn could have come."""
        self._going.update((delete.destination, delete) for delete in deletions)

    def delete(self, delete: Delete) -> Outcome:
        """Take one tag away. Raises Cancelled; every other error is the outcome, so that others go on."""
        self._cancellation.check()
        left = self._left(delete, delete.after)
        if left is not None:
            return Outcome(delete, Status.SKIPPED, f"it speaks of tag {left}, which is still there")
        try:
            with blamed_on("destination"):
                return self._delete(delete, self._stores.destination(delete.destination.repository))
        except ImagesyncError as error:
            self._cancellation.check()
            return failed(delete, error)

    def _delete(self, delete: Delete, store: Writable) -> Outcome:
        """Read the tag right before: a registry has no compare-and-set, this comes as close as it gets."""
        tag = _tag_of(delete)
        now = _digest_of(store, tag)
        if now is None:
            is_ours = (delete.destination.repository, delete.digest) in self._gone_digests
            return self._deleted(delete, GONE_ALONG if is_ours else GONE_ALREADY)
        if now != delete.digest:
            reason = (
                f"the tag pointed to {delete.digest.short} when the prune was planned, and points to {now.short} now"
            )
            return Outcome(delete, Status.STALE, reason, "prune again", exit_code=STALE_EXIT_CODE)
        return self._deleted(delete) if self._goes_by_tag(tag, delete, store) else self._delete_digest(delete, store)

    def _goes_by_tag(self, tag: Tag, delete: Delete, store: Writable) -> bool:
        """Delete the tag alone; False where the registry cannot. One that does not know a tag which it has just named
        is one that cannot."""
        if delete.destination.repository.registry in self._without_tags:
            return False
        try:
            store.delete_tag(tag)
        except NotFoundError:
            return _digest_of(store, tag) is None
        except UnsupportedError:
            self._without_tags.add(delete.destination.repository.registry)
            return False
        return True

    def _delete_digest(self, delete: Delete, store: Writable) -> Outcome:
        """Delete what the tag points to, with every tag on it."""
        reason = self._reason_to_stay(delete, store)
        if reason is not None:
            return blocked(delete, f"{delete.destination.repository.registry} deletes by digest alone, and {reason}")
        try:
            store.delete_manifest(delete.digest)
        except NotFoundError:
            return self._deleted(delete, GONE_ALREADY)
        self._gone_digests.add((delete.destination.repository, delete.digest))
        return self._deleted(delete)

    def _reason_to_stay(self, delete: Delete, store: Writable) -> str | None:
        """What else would be lost with this digest."""
        holder = self._left(delete, delete.listed_by)
        if holder is not None:
            return f"tag {holder} needs {delete.digest.short}"
        same = [tag for tag, digest in self._read_all(delete, store).items() if digest == delete.digest]
        staying = [tag for tag in same if not self._may_go(Reference(delete.destination.repository, tag))]
        return f"tag {staying[0]} has {delete.digest.short} too" if staying else None

    def _may_go(self, destination: Reference) -> bool:
        """Whether a tag is to go, and what it speaks of is gone: else that may turn out to stay."""
        delete = self._going.get(destination)
        return delete is not None and self._left(delete, delete.after) is None

    def _read_all(self, delete: Delete, store: Writable) -> dict[Tag, Digest]:
        """What every tag of the repository points to: asked once a run, and of tags that came later when they are
        seen."""
        known = self._digests.setdefault(delete.destination.repository, {})
        for tag in store.list_tags():
            self._cancellation.check()
            if tag not in known and (digest := _digest_of(store, tag)) is not None:
                known[tag] = digest
        return known

    def _left(self, delete: Delete, tags: Iterable[Tag]) -> Tag | None:
        """The first of these tags of its repository that this run has not deleted."""
        repository = delete.destination.repository
        return next((tag for tag in tags if Reference(repository, tag) not in self._gone), None)

    def _deleted(self, delete: Delete, reason: str = "") -> Outcome:
        self._gone.add(delete.destination)
        self._digests.get(delete.destination.repository, {}).pop(_tag_of(delete), None)
        return Outcome(delete, Status.DELETED, reason)


def _tag_of(delete: Delete) -> Tag:
    assert delete.destination.tag is not None  # noqa: S101 - narrows: what is deleted is a tag
    return delete.destination.tag


def _digest_of(store: Writable, tag: Tag) -> Digest | None:
    """What a tag points to; None where it is not there, or is listed and points to nothing."""
    try:
        return store.resolve(tag).digest
    except NotFoundError:
        return None
