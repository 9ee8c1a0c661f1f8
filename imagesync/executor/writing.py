"""Writing: manifests and indexes by digest, the root under its tag, and what is repaired when one is refused."""

from __future__ import annotations

from imagesync.cancellation import Cancellation
from imagesync.errors import IntegrityError, StoreError, UnsupportedError
from imagesync.executor.blame import blamed_on
from imagesync.executor.delivery import Delivery
from imagesync.executor.recheck import left_alone, left_with_version
from imagesync.manifest import Content, Index, Manifest
from imagesync.plan.actions import Copy
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Digest, Tag
from imagesync.store import Stores
from imagesync.tasks import Task

_LACKS_CHILDREN = frozenset(
    {"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "MANIFEST_INVALID", "UNSUPPORTED"}
)
"""What registries say to an index that lists manifests which they do not have."""
_NOT_SPARSE = "this registry may take no sparse index: `index: rewrite` writes one that lists just what is there"
_ARRIVED_WRONG = frozenset({"MANIFEST_INVALID", "DIGEST_INVALID"})


class Writing:
    """Writes the manifests of one run; called by its tasks, once what a manifest needs has been brought."""

    def __init__(self, stores: Stores, delivery: Delivery, cancellation: Cancellation) -> None:
        self._stores = stores
        self._delivery = delivery
        self._cancellation = cancellation

    def push(self, copy: Copy, node: Content, tag: Tag | None = None) -> int:
        """Write a manifest or index, by its digest where there is no tag; returns how many bytes had to be brought
        once more for it."""
        self._cancellation.check()
        if self._push(copy, node, tag):
            return 0
        brought_bytes = self._bring_what_is_missing(copy, node)
        self._push(copy, node, tag, is_last=True)
        return brought_bytes

    def write_tag(self, copy: Copy, root: Content, *, is_read_again: bool) -> Outcome:
        """Write the root under its tag. Where the tag may have moved it is read right before each try to write it."""
        brought_bytes = 0
        if copy.previous is not None and copy.replaces is not None:
            self._keep(copy, copy.replaces, copy.previous)
        for is_last in (False, True):
            reason_not_to = left_alone(copy, self._stores) if is_read_again else None
            if reason_not_to is not None:
                return reason_not_to
            self._cancellation.check()
            if self._push(copy, root, copy.destination.tag, is_last=is_last):
                break
            brought_bytes = self._bring_what_is_missing(copy, root)
        return Outcome(copy, Status.COPIED, bytes_copied=brought_bytes)

    def write_alias(self, version: Task[Outcome], copy: Copy, root: Content, *, is_read_again: bool) -> Outcome:
        """Write the root under an alias, unless the tag of its version, which was to be written before, was not."""
        reason_not_to = left_with_version(copy, version.result())
        return reason_not_to or self.write_tag(copy, root, is_read_again=is_read_again)

    def _keep(self, copy: Copy, replaced: Digest, previous: Tag) -> None:
        """Give what will be replaced a tag of its own, which is all that keeps some registries from deleting it."""
        with blamed_on("destination"):
            content = self._stores.destination(copy.destination.repository).fetch_manifest(replaced)
            self._push_twice(copy, content, previous)

    def _push(self, copy: Copy, node: Content, tag: Tag | None, *, is_last: bool = False) -> bool:
        """Write a manifest; False where the registry lacks one of its blobs, unless this `is_last` try."""
        with blamed_on("destination"):
            try:
                self._push_twice(copy, node, tag)
            except StoreError as error:
                if copy.left_out and isinstance(node, Index) and error.code in _LACKS_CHILDREN:
                    error.hint = _NOT_SPARSE
                if is_last or error.code != "MANIFEST_BLOB_UNKNOWN" or not isinstance(node, Manifest):
                    raise
                return False
        return True

    def _push_twice(self, copy: Copy, node: Content, tag: Tag | None) -> None:
        """Write a manifest, once more where it seems to have arrived with other bytes than it was sent with."""
        destination = self._stores.destination(copy.destination.repository)
        try:
            destination.push_manifest(node, tag)
        except StoreError as error:
            is_wrong = isinstance(error, IntegrityError) or error.code in _ARRIVED_WRONG
            if not is_wrong or isinstance(error, UnsupportedError):
                raise
            destination.push_manifest(node, tag)

    def _bring_what_is_missing(self, copy: Copy, node: Content) -> int:
        """A repair, once a manifest: a mount that was none, or a blob that was collected since it was seen. Returns
        how many bytes that took."""
        destination = self._stores.destination(copy.destination.repository)
        brought_bytes = 0
        for blob in node.successors():
            with blamed_on("destination"):
                is_there = destination.has_blob(blob)
            if not is_there:
                self._delivery.bring_again(copy, blob)
                brought_bytes += blob.size_bytes
        return brought_bytes
