"""The actions of a plan: values that say what will be done to one destination tag, or why nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

from imagesync.errors import Place
from imagesync.gates import Ruling, Verdict
from imagesync.lazy import dataclass, field
from imagesync.manifest import Content, Descriptor
from imagesync.plan.creating import CreateRepository
from imagesync.plan.following import Carries, UpstreamMoved
from imagesync.plan.gated import Gated
from imagesync.plan.making import Found, Pulls
from imagesync.plan.unit import Due, Unit
from imagesync.reference import Digest, Reference, Tag
from imagesync.spec.model import SpecWarning


class Cause(Enum):
    """Why a destination's tag differs from its source, by what is remembered of it; see `drift`."""

    PENDING = "pending"
    DRIFTED = "drifted"
    UNOWNED = "unowned"


MADE_HERE = "digest made here: the archive has no manifest"
"""The note of a copy from what `docker save` wrote without a manifest."""
TOO_YOUNG = "age"
"""What a failure is called of a tag whose age has to be known, and is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Bring `source` to `destination` and let its tag point there.

    `source` has a digest, and the tag it was resolved from; `destination` has a tag. `replaces` is the digest
    that the destination's tag has now: another one at apply makes the action stale. `missing` are the blobs
    that the destination lacks; `present_bytes` counts those it already holds.
    """

    rule: str
    place: Place
    source: Reference
    destination: Reference
    root: Descriptor
    replaces: Digest | None = None
    platforms: tuple[str, ...] = ()
    missing: tuple[Descriptor, ...] = ()
    present_bytes: int = 0
    note: str = ""
    """Shown behind the line: `not readable, will try`."""
    previous: Tag | None = None
    """The tag that what it `replaces` gets there first, so that it is not lost."""
    is_immutable: bool = False
    """The destination's tag is never moved: whatever it points to right before it would be written, it keeps."""
    left_out: tuple[Digest, ...] = ()
    """What its index lists and is not brought: of a sparse index."""
    attachments: tuple[Copy, ...] = ()
    """What speaks of the image and is written before its tag. Those with a tag on both sides are united with what the
    destination has there; those without one at the source are added to the index under the destination's tag."""
    cause: Cause | None = None
    """Why what it `replaces` is there; None without a state, or where nothing is replaced."""
    moved: UpstreamMoved | None = None
    """Set where a lock or the spec holds on to what the source's tag has left."""
    carries: Carries | None = None
    """Set where the destination's tag is an alias: it is written after that of its version."""
    creates: CreateRepository | None = None
    """What has to be made before anything of it can be written."""
    gated: Gated | None = field(default=None, repr=False, compare=False)
    """Its gates and what they judge it by, until a review; None where it has none, and in a plan from a file."""
    verdicts: tuple[Verdict, ...] = ()
    """What its gates have said; none before a review."""

    @property
    def is_narrowed(self) -> bool:
        """What is written has another digest than the source: an index with fewer entries, or one image of it."""
        return self.root.digest != self.source.digest

    @property
    def is_made_here(self) -> bool:
        """The digest is imagesync's own; its note says so, in a plan from a file too."""
        return MADE_HERE in self.note

    @property
    def is_within_registry(self) -> bool:
        """Both sides are one registry: blobs are mounted, none is moved."""
        return self.source.repository.registry == self.destination.repository.registry

    @property
    def bytes_to_copy(self) -> int:
        """What has to be read and written; 0 within one registry, where blobs are mounted."""
        return 0 if self.is_within_registry else sum(blob.size_bytes for blob in self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """The destination's tag already has the source's digest, and lacks some of what speaks of the image."""

    rule: str
    place: Place
    source: Reference
    destination: Reference
    attachments: tuple[Copy, ...]
    note: str = ""
    """What is added: `2 signatures, 1 referrer to add`."""
    narrowed: Digest | None = None
    """What the source's digest becomes at the destination, where that is another."""
    moved: UpstreamMoved | None = None
    """As for a Copy."""
    verdicts: tuple[Verdict, ...] = ()
    """What gates have said of what is in place; only of a release that is to be put on record."""

    @property
    def found(self) -> Digest | None:
        """What the destination's tag points to, and stays."""
        return self.narrowed or self.source.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """The destination's tag already has the source's digest, or the one that a lock holds on to; or what narrowing
    makes of that."""

    rule: str
    place: Place
    source: Reference
    destination: Reference
    narrowed: Digest | None = None
    """As in Attach."""
    moved: UpstreamMoved | None = None
    """As for a Copy."""
    verdicts: tuple[Verdict, ...] = ()
    """What gates have said of what is in place; only of a release that is to be put on record."""

    @property
    def found(self) -> Digest | None:
        """What the destination's tag points to."""
        return self.narrowed or self.source.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """The destination's list has this tag, which is never moved: taken for right, and neither side was asked."""

    rule: str
    place: Place
    source: Reference
    destination: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """The destination's tag is never moved, and has another digest than the source: `found`, in place of `source`'s."""

    rule: str
    place: Place
    source: Reference
    destination: Reference
    found: Digest
    narrowed: Digest | None = None
    """What the source's digest would become, where that is another."""
    moved: UpstreamMoved | None = None
    """As for a Copy."""

    @property
    def reason(self) -> str:
        if self.narrowed is not None:
            return f"immutable tag has {self.found.short}, the source becomes {self.narrowed.short} when narrowed"
        wanted = self.source.digest.short if self.source.digest is not None else "another"
        whose = "the source" if self.moved is None else "the lock"
        return f"immutable tag has {self.found.short}, {whose} has {wanted}"

    @property
    def hint(self) -> str:
        return "bring it under another tag (`retag`), or delete the tag at the destination"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """Another hand has changed the destination's tag, and the spec wants it kept: `found`, in place of what was
    `wrote` there last and of the source's digest."""

    kind: ClassVar[str] = "drifted"

    rule: str
    place: Place
    source: Reference
    destination: Reference
    found: Digest
    wrote: Digest

    @property
    def reason(self) -> str:
        return f"drifted: the tag has {self.found.short}, imagesync wrote {self.wrote.short}"

    @property
    def hint(self) -> str:
        return "`on_drift: overwrite` brings the source's, and so does an apply after `imagesync adopt --differing`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Nothing to do for this image, and that is no failure: an empty selection with `on_empty: warn`."""

    rule: str
    place: Place
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """This image, or this tag of it, could not be planned; the others go on. `kind` is the error's."""

    rule: str
    place: Place
    subject: str
    reason: str
    kind: str
    hint: str | None = None


class WaitsFor(Enum):
    """What has to come before something that waits goes on."""

    PULLS = "pulls"
    """Manifests that a registry may be asked for."""
    AGE = "age"
    """That what it points to has stood for long enough."""
    VERSION = "version"
    """A version that is higher than what an alias carries."""
    KNOWLEDGE = "knowledge"
    """That somebody knows which version an alias carries."""
    STAGE = "stage"
    """A release at the stage before."""
    GATE = "gate"
    """What a gate wants: time to pass, or somebody's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """This tag differs and stays as it is for now, until what it waits for is there.

    `exit_code` is 3 where that is to be noticed, 0 where a later run does the rest.
    """

    rule: str
    place: Place
    source: Reference
    destination: Reference
    reason: str
    hint: str | None = None
    exit_code: int = 3
    waits_for: WaitsFor = WaitsFor.PULLS
    verdicts: tuple[Verdict, ...] = ()
    """As for a Copy."""

    @property
    def is_refused(self) -> bool:
        """Whether only somebody's deed lets it go on, which no later run does: it is told as what is blocked."""
        is_blocked = any(verdict.ruling is Ruling.BLOCKED for verdict in self.verdicts)
        return is_blocked or self.waits_for is WaitsFor.STAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Take a destination's tag away, which nothing wants any more; `digest` is what it has to point to until then."""

    rule: str
    place: Place
    destination: Reference
    digest: Digest
    listed_by: tuple[Tag, ...] = ()
    """Tags of the same repository that have this digest below them: while one is there it must not go by digest."""
    after: tuple[Tag, ...] = ()
    """Of what speaks of an image: the tags that have to be gone first."""
    note: str = ""
    """Shown behind the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """A destination's tag that imagesync has written and that stays in a prune, and why."""

    rule: str
    place: Place
    destination: Reference
    reason: str
    digest: Digest | None = None
    """What it points to, where that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A copy, or what else would change a destination, that review does not allow."""

    copy: Copy | Attach | Delete
    reason: str
    hint: str | None = None

    @property
    def rule(self) -> str:
        return self.copy.rule

    @property
    def place(self) -> Place:
        return self.copy.place

    @property
    def destination(self) -> Reference:
        return self.copy.destination

    @property
    def kind(self) -> str:
        """`gate` where a gate blocks it, empty where a reviewer does alone."""
        verdicts = self.copy.verdicts if isinstance(self.copy, Copy) else ()
        return "gate" if any(verdict.ruling is Ruling.BLOCKED for verdict in verdicts) else ""


Action = Copy | Attach | Keep | Assumed | Conflict | Drifted | Skip | Failure | Blocked | Waiting | Delete | Spared


class Purpose(Enum):
    """What a plan is made for: to bring what is wanted, or to delete what is not any more."""

    SYNC = "sync"
    PRUNE = "prune"


@dataclass(frozen=True, slots=True)
class SpecPin:
    """A spec file as it was when the plan was made: its path as written, and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, in the order of the spec. Data: printed, saved, compared, carried out later."""

    actions: tuple[Action, ...]
    contents: Mapping[Digest, Content] = field(default_factory=dict, repr=False)
    """The manifests and indexes of every Copy, by digest, so that apply reads none of them again."""
    specs: tuple[SpecPin, ...] = ()
    from_file: bool = False
    pulls: tuple[Pulls, ...] = ()
    """What making it has cost, at hosts where that is limited."""
    purpose: Purpose = Purpose.SYNC
    found: tuple[Found, ...] = ()
    """What the globs of the spec came to."""
    warnings: tuple[SpecWarning, ...] = ()
    """What of the spec came to nothing."""
    unit: Unit | None = None
    """Set where all of it moves together or not at all."""
    units: tuple[Plan, ...] = ()
    """What moves besides, each a plan with a unit of its own: none of them holds another."""
    due: tuple[Due, ...] = ()
    """What the stages that promote by themselves are to get."""

    def copies(self) -> tuple[Copy, ...]:
        """One for each tag that is to be written."""
        return tuple(action for action in self.actions if isinstance(action, Copy))

    def creations(self) -> tuple[CreateRepository, ...]:
        """What is made before, each once for all copies that need it."""
        return tuple(dict.fromkeys(copy.creates for copy in self.copies() if copy.creates is not None))

    def attachments(self) -> tuple[Copy, ...]:
        """What speaks of images and is to be brought, each destination once for what comes to it."""
        found: dict[tuple[Reference, Reference], Copy] = {}
        for action in self.actions:
            for copy in action.attachments if isinstance(action, Copy | Attach) else ():
                found.setdefault((copy.destination, copy.source), copy)
        return tuple(found.values())

    def all_copies(self) -> tuple[Copy, ...]:
        """Whatever manifests have to be brought for."""
        return (*self.copies(), *self.attachments())
