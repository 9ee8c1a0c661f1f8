"""The frozen Spec that the other rooms read: rules in the order of the file, settings, files. No YAML here."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

from imagesync.errors import Place
from imagesync.gates import Gate
from imagesync.lazy import dataclass, field, replace
from imagesync.reference import Digest, Repository, Tag
from imagesync.selection import EVERY_PLATFORM, Alias, Platforms, Retag, TagFilter, TagPattern
from imagesync.settings import Settings
from imagesync.spec.globs import RepositoryGlob
from imagesync.spec.pins import Lock

if TYPE_CHECKING:
    from imagesync.spec.stages import Promotion

KEEP_TAG = Retag()


class OnEmpty(Enum):
    """What a filter that keeps nothing means."""

    FAIL = "fail"
    WARN = "warn"


class OnDrift(Enum):
    """What becomes of a destination's tag that another hand has changed since it was written; the strictest last."""

    OVERWRITE = "overwrite"
    KEEP = "keep"
    FAIL = "fail"


class AttachmentType(Enum):
    """What may travel with an image: cosign's tags `.sig`, `.att` and `.sbom` of its digests, and OCI referrers."""

    SIGNATURES = "signatures"
    ATTESTATIONS = "attestations"
    SBOMS = "sboms"
    REFERRERS = "referrers"


ALL_ATTACHMENTS = frozenset(AttachmentType)
NO_ATTACHMENTS: frozenset[AttachmentType] = frozenset()


@dataclass(frozen=True, slots=True)
class Immutable:
    """Which tags of a destination are never moved once they are there."""

    patterns: tuple[TagPattern, ...] = ()
    trusts_list: bool = False
    """Whether such a tag is taken for right where the destination's tag list has it, whatever it points to."""

    def holds(self, tag: Tag | None) -> bool:
        return tag is not None and any(pattern.matches(tag) for pattern in self.patterns)


NOTHING_IMMUTABLE = Immutable()


@dataclass(frozen=True, slots=True)
class MostNumber:
    """So many tags of a repository may go at once."""

    number: int

    def of(self, tags: int) -> int:  # noqa: ARG002 - as for a share
        return self.number

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class MostPercent:
    """So large a share of a repository's tags may go at once, and always one."""

    percent: int

    def of(self, tags: int) -> int:
        return max(1, tags * self.percent // 100)

    def __str__(self) -> str:
        return f"{self.percent}%"


DEFAULT_MOST = MostPercent(20)


@dataclass(frozen=True, slots=True)
class Prune:
    """Tags of a destination that nothing wants any more may be deleted, but for those that `protect` holds.

    `most` of the tags there that imagesync has written may go at once; where more would, none does.
    """

    protect: tuple[TagPattern, ...] = ()
    most: MostNumber | MostPercent = DEFAULT_MOST


@dataclass(frozen=True, slots=True)
class Rule:
    """One image of one sync entry, all defaults applied: these tags of `source` belong into each destination.

    Either `tags` selects tags, or `digest` names the content; a digest is written to the one tag that `tags`
    names exactly (the tag it was written with, or `as_tag`).

    With a `glob` it is what the rules of all repositories that this finds have in common: `image` and `source` hold
    the glob, and `destinations` nothing yet.
    """

    entry: str
    """Name of the sync entry, or `sync[N]` where it has none."""
    image: str
    """The image's name as the spec writes it, without tag and digest."""
    place: Place
    source: Repository
    destinations: tuple[Repository, ...]
    tags: TagFilter
    digest: Digest | None = None
    retag: Retag = KEEP_TAG
    on_empty: OnEmpty = OnEmpty.FAIL
    immutable: Immutable = NOTHING_IMMUTABLE
    keep_previous: Retag | None = None
    """What a tag's digest is called at the destination once another takes its place; None: it is not kept."""
    attachments: frozenset[AttachmentType] = NO_ATTACHMENTS
    """What travels with the image; all of it, where a spec says nothing."""
    platforms: Platforms = EVERY_PLATFORM
    """Which platforms of an index are kept, and which an image must have."""
    on_drift: OnDrift = OnDrift.OVERWRITE
    """Anything else needs a state: without one nobody knows what was changed."""
    prune: Prune | None = None
    """None: nothing is deleted for this image. Anything else needs a state."""
    gates: tuple[Gate, ...] = ()
    """What an image has to fulfil before it is copied: those of the defaults, the entry and the image together."""
    glob: RepositoryGlob | None = None
    found_by: str = ""
    """The glob that found `source`, as the spec writes it."""
    is_read_at_once: bool = False
    """Whether the manifest of its source is read where others are asked for their digest alone: most often it is read
    anyway, as that of a release on its way."""
    named_tag: Tag | None = None
    """The tag that stands beside `digest`: looked at, so that a run can say where it went, and never taken."""

    aliases: tuple[Alias, ...] = ()
    """Tags of the destination that the highest selected version carries besides its own."""
    allow_backwards: bool = False
    """Whether an alias may move to a lower version than it carries, and from one that nobody knows."""
    lock: Lock | None = field(default=None, repr=False, hash=False)
    """What says which tags `source` has and what they point to, in place of the source."""

    def may_write(self, repository: Repository) -> bool:
        """Whether it writes there, as far as can be told while nobody knows what its glob finds."""
        return repository in self.destinations or (self.glob is not None and self.glob.may_write(repository))

    def for_repository(self, path: str) -> Rule:
        """The rule of one repository that its glob finds. Raises InvalidReference where that can be no image."""
        assert self.glob is not None  # noqa: S101 - narrows: there is nothing to find without one
        image = self.glob.image(path)
        return replace(
            self,
            image=image.written,
            source=image.repository,
            destinations=self.glob.destinations(image),
            glob=None,
            found_by=self.image,
        )

    def named(self, name: str) -> Rule | None:
        """This rule, or that of a repository, where `--only` calls it so. Raises InvalidReference as above."""
        if name in (self.entry, self.name):
            return self
        if self.glob is None or not name.startswith(f"{self.entry}/"):
            return None
        path = posixpath.join(self.glob.base, name.removeprefix(f"{self.entry}/"))
        return self.for_repository(path) if self.glob.matches(path) else None

    @property
    def name(self) -> str:
        """What `--only` and messages call it."""
        return f"{self.entry}/{self.image}"

    @property
    def locked(self) -> Mapping[Tag, Digest] | None:
        """The tags that a lock has of `source`; None without a lock, and where the spec says the digest."""
        is_free = self.lock is None or self.digest is not None
        return None if is_free or self.lock is None else self.lock.digests.get(str(self.source), {})

    @property
    def is_held(self) -> bool:
        """Whether what its tags are is said already, by the spec or a lock, and no tag is asked for it."""
        return self.digest is not None or self.lock is not None

    def digest_of(self, tag: Tag) -> Digest | None:
        """What a tag of the source is held at, by the spec or a lock; None where it is whatever it points to."""
        return self.digest if self.locked is None else self.locked.get(tag)

    def renamed(self, tag: Tag) -> Tag:
        """What a tag of the source is called at the destination. Raises InvalidReference where `retag` cannot say."""
        return self.retag.apply(tag, self.tags.version_of(tag), self.digest)

    def aliases_of(self, tag: Tag) -> frozenset[Tag]:
        """The aliases that a tag of the source carries where it is the highest version."""
        version = self.tags.version_of(tag)
        names = (alias.of(version) for alias in self.aliases) if version is not None else ()
        return frozenset(name for name in names if name is not None)


@dataclass(frozen=True, slots=True)
class SpecFile:
    """One file that was read, and the SHA-256 of its bytes as hex."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SpecWarning:
    """Something in the spec that parses and is surely not what was meant."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class StateFile:
    """The state is in a file; a relative path counts from Spec.directory."""

    path: str

    def __str__(self) -> str:
        return self.path


StatePlace = StateFile | Repository
"""Where the state is kept: in a file, or in a repository that holds nothing else."""


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything a run needs to know of what the user wrote."""

    rules: tuple[Rule, ...]
    settings: Settings
    files: tuple[SpecFile, ...]
    directory: str = "."
    """Where relative `oci:` paths in Repository.registry count from: the folder of the first file."""
    warnings: tuple[SpecWarning, ...] = ()
    state: StatePlace | None = None
    """None: nothing is remembered from run to run."""
    gates: tuple[Gate, ...] = ()
    """Those that have a name of their own."""
    left_out: tuple[Rule, ...] = ()
    """Rules that a command does not work on, and that have a say all the same in what it does to their tags."""
    is_part: bool = False
    """Whether some of its rules were left out: what the others have a use for is not known then."""
    promotions: tuple[Promotion, ...] = ()
    """Units that move along stages."""
    name: str = "sync.yaml"
    """The first file as it was named, for commands that a hint gives."""
