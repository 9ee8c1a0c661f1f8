"""Looking: what is asked of a destination about one manifest or blob. How far a blob is looked into, the class says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from imagesync.cancellation import Cancellation
from imagesync.manifest import Content, Descriptor
from imagesync.plan.findings import Finding
from imagesync.plan.inventory import Broken
from imagesync.plan.judgement import judge_bytes, judge_manifest, judge_size
from imagesync.plan.order import is_large
from imagesync.plan.questions import HasBlob, ReadManifest
from imagesync.reference import Repository
from imagesync.store import BlobReader, Pushed, Stores
from imagesync.survey import fetch_manifest, or_broken
from imagesync.transfer.blob import BlobCopy
from imagesync.transfer.meter import Meter

Part = ReadManifest | HasBlob
"""A manifest or blob of one repository."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at a part, and what has to be looked at because of it."""

    finding: Finding | None
    below: tuple[Part, ...] = ()


class Looking:
    """Asks for every manifest, and for the size of every blob."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores

    @property
    def bytes_read(self) -> int:
        """Of blobs, so far."""
        return 0

    def look(self, part: Part) -> Looked:
        """Ask for one part. Raises Cancelled, nothing else."""
        return self._manifest(part) if isinstance(part, ReadManifest) else Looked(self._blob(part))

    def is_heavy(self, _part: Part) -> bool:
        """Whether looking moves many bytes."""
        return False

    def _manifest(self, part: ReadManifest) -> Looked:
        destination = self.stores.destination(part.repository)
        answer = or_broken(lambda: fetch_manifest(destination, part.digest), "destination")
        return Looked(judge_manifest(part, answer), () if isinstance(answer, Broken) else _below(part, answer))

    def _blob(self, part: HasBlob) -> Finding | None:
        destination = self.stores.destination(part.repository)
        return judge_size(part, or_broken(lambda: destination.blob_size(part.digest), "destination"))


class DeepLooking(Looking):
    """Reads every blob besides, and hashes it; `meter` tells how far that is."""

    def __init__(self, stores: Stores, meter: Meter, cancellation: Cancellation) -> None:
        super().__init__(stores)
        self._meter = meter
        self._cancellation = cancellation

    @property
    def bytes_read(self) -> int:
        return self._meter.moved_bytes

    def is_heavy(self, part: Part) -> bool:
        return isinstance(part, HasBlob) and is_large(part.blob)

    def _blob(self, part: HasBlob) -> Finding | None:
        finding = super()._blob(part)
        if finding is not None:
            return finding
        self._meter.expect_bytes(part.blob.size_bytes)
        return judge_bytes(part, or_broken(partial(self._read, part), "destination"))

    def _read(self, part: HasBlob) -> Descriptor:
        """Read a blob to its end, as a copy would: what is cut goes on where it was, what is wrong is read twice."""
        work = BlobCopy(self.stores.source(part.repository), self._meter, self._cancellation)
        work.run(part.blob, _Nowhere())
        return part.blob


class _Nowhere:
    """A destination that takes every byte and keeps none."""

    def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:  # noqa: ARG002
        with read(0) as pieces:
            for _ in pieces:
                pass
        return Pushed.UPLOADED


def _below(part: ReadManifest, content: Content) -> tuple[Part, ...]:
    """What a manifest or index needs. Content that its descriptors embed has to be there as well."""
    return tuple(
        ReadManifest(part.repository, entry.digest)
        if entry.is_manifest
        else HasBlob(part.repository, entry.digest, replace(entry, data=None))
        for entry in content.successors()
        if entry.digest not in part.left_out
    )
