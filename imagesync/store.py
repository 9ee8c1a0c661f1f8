"""What a repository can do, one method a Protocol; a registry, an OCI layout and an archive implement them.

Signatures and their meaning live here, and one function that stores share. Every method raises StoreError (or a
subclass) and nothing else; NotFoundError means that the store answered and the thing is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from enum import Enum
from typing import Protocol

from imagesync.errors import UnsupportedError
from imagesync.lazy import dataclass
from imagesync.manifest import Content, Descriptor
from imagesync.reference import Digest, Repository, RepositoryList, Tag

CHUNK_BYTES = 1024 * 1024
"""Bodies move in pieces of this many bytes: large enough that hashing and TLS release the interpreter lock."""

BlobReader = Callable[[int], AbstractContextManager[Iterator[bytes]]]
"""Opens a blob's bytes from this byte on; called again only for an upload that goes on where it was cut, or begins
anew. The caller verifies them; a reader that can be opened once raises StoreError the second time."""


def without_first(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    """The pieces without the first `count` bytes, for a store that can only be read from the beginning."""
    for piece in pieces:
        if count < len(piece):
            yield piece[count:] if count else piece
        count = max(0, count - len(piece))


class Pushed(Enum):
    """How a blob got where it is now."""

    PRESENT = "present"
    MOUNTED = "mounted"
    UPLOADED = "uploaded"


class Resolver(Protocol):
    def resolve(self, target: Tag | Digest) -> Descriptor:
        """What a tag or digest points to, by the cheapest request (distribution spec end-3, HEAD)."""
        ...


class ManifestFetcher(Protocol):
    def fetch_manifest(self, target: Tag | Digest) -> Content:
        """Read one manifest or index, exact bytes, hashed; by digest the bytes hash to that digest (end-3)."""
        ...


class BlobFetcher(Protocol):
    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> AbstractContextManager[Iterator[bytes]]:
        """Open a blob and yield its bytes in pieces of at most CHUNK_BYTES, unverified (end-2, GET).

        `from_byte` leaves out as many at the beginning, whether the server can do that or not.
        """
        ...


class BlobChecker(Protocol):
    def has_blob(self, blob: Descriptor) -> bool:
        """Whether the repository holds this blob at its right size (end-2, HEAD)."""
        ...


class BlobSizer(Protocol):
    def blob_size(self, digest: Digest) -> int | None:
        """How many bytes the repository says that a blob has (end-2, HEAD); None where it is not there."""
        ...


class BlobPusher(Protocol):
    def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        """Store one blob, in a single attempt: mount it from a repository of the same registry that holds it,
        else upload what `read` yields (end-11, end-4, end-5, end-6). `read` is not called when it was mounted."""
        ...


class ManifestPusher(Protocol):
    def push_manifest(self, content: Content, tag: Tag | None = None) -> None:
        """Write the exact bytes, under their digest or under a tag (end-7). All successors must be there."""
        ...


class ReferrerPusher(Protocol):
    def push_referrer(self, content: Content, subject: Digest) -> bool:
        """Write the exact bytes of what names `subject` as such, under their digest (end-7); whether the store lists
        it there by itself. Where it does not, clients keep the list, under a tag."""
        ...


class TagDeleter(Protocol):
    def delete_tag(self, tag: Tag) -> None:
        """Take a tag away, and nothing else: its manifest and the other tags on it stay (end-9). Raises NotFoundError
        where it is not there, UnsupportedError where the store cannot do it."""
        ...


class ManifestDeleter(Protocol):
    def delete_manifest(self, digest: Digest) -> None:
        """Remove a manifest and every tag on it (end-9). Raises as `delete_tag` does."""
        ...


class TagLister(Protocol):
    def list_tags(self) -> tuple[Tag, ...]:
        """All legal tags, sorted, each once (end-8a); in a TagList, where the list holds what is no tag."""
        ...


class ReferrerLister(Protocol):
    def list_referrers(self, digest: Digest) -> tuple[Descriptor, ...] | None:
        """The manifests that name this digest as their subject, each once (end-12a); None where the store makes no
        such list: then clients keep it, under a tag."""
        ...


class RepositoryLister(Protocol):
    def list_repositories(self, prefix: str) -> RepositoryList:
        """The repositories of a whole registry, folder or tar, those below `prefix` where it is not empty.

        Raises UnsupportedError where nothing lists them.
        """
        ...


class Creator(Protocol):
    """Makes what has to be there before one repository can be pushed to."""

    @property
    def makes(self) -> Repository:
        """The repository itself, or the project that it belongs to."""
        ...

    @property
    def what(self) -> str:
        """What the registry calls it: `repository`, `project`."""
        ...

    @property
    def made_with(self) -> str:
        """The settings that it is made with, in words; empty where they are the registry's own."""
        ...

    def is_missing(self) -> bool:
        """Whether it is not there, by one request."""
        ...

    def create(self) -> None:
        """Make it; one that is there already is left as it is."""
        ...


@dataclass(frozen=True, slots=True)
class PushTime:
    """When a registry got what a tag points to now, in UTC, as it says itself."""

    tag: Tag
    digest: Digest
    at: datetime


class PushTimes(Protocol):
    def push_times(self, repository: Repository, tags: Collection[Tag]) -> Mapping[Tag, PushTime]:
        """What a registry says of these tags, in one walk over its list; those of which it says nothing are left out.

        Raises UnsupportedError where a registry does not tell at all.
        """
        ...


class NoPushTimes:
    """Implements PushTimes where nobody tells: in a folder, or in a tar."""

    def push_times(self, repository: Repository, tags: Collection[Tag]) -> Mapping[Tag, PushTime]:  # noqa: ARG002
        message = "it does not say when tags were pushed"
        raise UnsupportedError(message, operation="list push times", reference=str(repository))


class Readable(Resolver, ManifestFetcher, BlobFetcher, BlobChecker, TagLister, ReferrerLister, Protocol):
    """A repository that is copied from."""


class Writable(
    Resolver,
    ManifestFetcher,
    BlobChecker,
    BlobSizer,
    BlobPusher,
    ManifestPusher,
    ReferrerPusher,
    TagDeleter,
    ManifestDeleter,
    TagLister,
    ReferrerLister,
    Protocol,
):
    """A repository that is copied to, and that things are deleted in."""


class Memory(Protocol):
    """What earlier runs have learnt. All of it is a hint: what is wrong of it is found out later, and put right."""

    def manifest(self, digest: Digest) -> Content | None:
        """The manifest or index with this digest, hashed; None where it is not known."""
        ...

    def keep_manifest(self, content: Content) -> None:
        """Remember a manifest that was read."""
        ...

    def created(self, config: Digest) -> str | None:
        """What the config with this digest says of when its image was made; None where that is not known."""
        ...

    def keep_created(self, config: Digest, text: str) -> None:
        """Remember what a config says of that."""
        ...

    def narrowed(self, source: Digest, keep: str) -> Digest | None:
        """What a digest became when only `keep` of its platforms was kept; None where that is not known."""
        ...

    def keep_narrowed(self, source: Digest, keep: str, narrowed: Digest) -> None:
        """Remember that."""
        ...

    def holds(self, repository: Repository, digest: Digest) -> bool:
        """Whether this repository held this blob."""
        ...

    def holder(self, registry: str, digest: Digest) -> Repository | None:
        """A repository of this registry that held this blob, to mount it from."""
        ...

    def knows(self, repository: Repository) -> bool:
        """Whether this repository held anything."""
        ...

    def note(self, repository: Repository, digest: Digest) -> None:
        """Remember that this repository holds this blob."""
        ...

    def forget(self, repository: Repository, digest: Digest) -> None:
        """It does not hold it after all."""
        ...


class NoMemory:
    """The memory of a run without a cache."""

    def manifest(self, digest: Digest) -> Content | None:  # noqa: ARG002
        return None

    def keep_manifest(self, content: Content) -> None:
        pass

    def created(self, config: Digest) -> str | None:  # noqa: ARG002
        return None

    def keep_created(self, config: Digest, text: str) -> None:
        pass

    def narrowed(self, source: Digest, keep: str) -> Digest | None:  # noqa: ARG002
        return None

    def keep_narrowed(self, source: Digest, keep: str, narrowed: Digest) -> None:
        pass

    def holds(self, repository: Repository, digest: Digest) -> bool:  # noqa: ARG002
        return False

    def holder(self, registry: str, digest: Digest) -> Repository | None:  # noqa: ARG002
        return None

    def knows(self, repository: Repository) -> bool:  # noqa: ARG002
        return False

    def note(self, repository: Repository, digest: Digest) -> None:
        pass

    def forget(self, repository: Repository, digest: Digest) -> None:
        pass


class Stores(Protocol):
    """Opens repositories by name; the same store each time for the same repository."""

    @property
    def memory(self) -> Memory:
        """What is known from earlier runs."""
        ...

    def counts_pulls(self, registry: str) -> bool:
        """Whether only so many manifests may be read there, as is known by now."""
        ...

    def reserve_pulls(self, registry: str, count: int) -> None:
        """Set so many manifests aside for what is read next. Raises BudgetError where they are more than are left."""
        ...

    def lister(self, registry: str) -> RepositoryLister:
        """Who lists what a registry holds, for one thread; another one each time."""
        ...

    def push_times(self, registry: str) -> PushTimes:
        """Who tells when a registry got what its tags point to, the same each time."""
        ...

    def creates(self, repository: Repository) -> bool:
        """Whether a destination's repository is to be made where it is not there."""
        ...

    def creator(self, repository: Repository) -> Creator | None:
        """Who makes a destination's repository that is not there; None where nobody is to. Raises StoreError."""
        ...

    def source(self, repository: Repository) -> Readable: ...

    def destination(self, repository: Repository) -> Writable: ...
