"""Looking: what is asked of a destination about one manifest or blob. How far a blob is looked into, the class says."""

from __future__ import annotations

from functools import partial
from typing import Any

from imagesync.cancellation import Cancellation
from imagesync.errors import AuthenticationError
from imagesync.lazy import dataclass
from imagesync.manifest import Content, Descriptor
from imagesync.plan.findings import Finding
from imagesync.plan.inventory import Broken, Unreadable
from imagesync.plan.judgement import judge_bytes, judge_manifest, judge_size
from imagesync.plan.order import is_large
from imagesync.plan.questions import HasBlob, Part, Question, ReadManifest, parts_of
from imagesync.reference import Digest, Repository
from imagesync.store import BlobReader, Pushed, Stores
from imagesync.survey import answer, fetch_manifest, or_broken
from imagesync.transfer.blob import BlobCopy
from imagesync.transfer.meter import Meter


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at a part, and what has to be looked at because of it."""

    finding: Finding | None
    below: tuple[Part, ...] = ()


class Looking:
    """Asks for every manifest, and for the size of every blob."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._read_before: dict[tuple[Repository, Digest], Content | Broken] = {}

    @property
    def bytes_read(self) -> int:
        """Of blobs, so far."""
        return 0

    def look(self, part: Part) -> Looked:
        """Ask for one part. Raises Cancelled, nothing else."""
        return self._manifest(part) if isinstance(part, ReadManifest) else Looked(self._blob(part))

    def answer(self, question: Question) -> Any:
        """Answer what a search for attachments asks. What a destination has is read there, whatever a cache says, and
        kept until it is looked at: it is read once. What it refuses to say is not taken for absent, as a plan does."""
        if not isinstance(question, ReadManifest) or question.side == "source":
            found = answer(question, self.stores)
            return Broken(found.reason, AuthenticationError.kind) if isinstance(found, Unreadable) else found
        found = self._read_before[question.repository, question.digest] = self._read_manifest(question)
        return found

    def is_heavy(self, _part: Part) -> bool:
        """Whether looking moves many bytes."""
        return False

    def _manifest(self, part: ReadManifest) -> Looked:
        found = self._read_before.pop((part.repository, part.digest), None) or self._read_manifest(part)
        listed = () if isinstance(found, Broken) else found.successors()
        below = parts_of(part.repository, (entry for entry in listed if entry.digest not in part.left_out))
        return Looked(judge_manifest(part, found), below)

    def _read_manifest(self, part: ReadManifest) -> Content | Broken:
        destination = self.stores.destination(part.repository)
        return or_broken(lambda: fetch_manifest(destination, part.digest), "destination")

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
