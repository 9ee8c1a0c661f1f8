"""What a spec says of promotions: images that move as one unit, along an ordered row of stages. Values, no YAML."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagesync.errors import Place, UsageError
from imagesync.gates import Gate
from imagesync.lazy import dataclass
from imagesync.reference import Repository, Tag, make_repository
from imagesync.selection import Retag
from imagesync.settings import Secret
from imagesync.spec.model import KEEP_TAG, NOTHING_IMMUTABLE, AttachmentType, Immutable
from imagesync.spec.names import SourceName

if TYPE_CHECKING:
    from imagesync.signature import PublicKey


@dataclass(frozen=True, slots=True)
class PromotedImage:
    """One image of the unit: what messages and records call it, and its repository below that of every stage."""

    name: str
    place: Place
    below: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a release is once it has come so far, and what its tags are called there."""

    name: str
    place: Place
    root: SourceName
    """What the images' repositories are below."""
    journal: Repository
    """Where the records of this stage are entered."""
    retag: Retag = KEEP_TAG
    immutable: Immutable = NOTHING_IMMUTABLE
    gates: tuple[Gate, ...] = ()
    """What every image has to pass to come here."""
    current: Tag | None = None
    """The tag that says what this stage runs; None: nothing says so but the records."""
    attachments: frozenset[AttachmentType]
    is_automatic: bool = False
    """Whether `apply` promotes to it what is due."""

    def repository_of(self, image: PromotedImage) -> Repository:
        return make_repository(self.root.registry, posixpath.join(self.root.prefix, image.below))

    def tag_of(self, version: Tag) -> Tag:
        """What a version is called here. Raises InvalidReference where that is no tag."""
        return self.retag.apply(version)


KEY_PASSWORD = Secret.from_environment("COSIGN_PASSWORD")
"""Where cosign looks for the password of a key, unless something else is said."""


@dataclass(frozen=True, slots=True)
class RecordSigning:
    """The key that signs records, read when one is written, and the public half by which they count."""

    key: Secret
    public: PublicKey
    name: str
    """The file of the public half, as the spec writes it."""
    password: Secret = KEY_PASSWORD
    """What opens the key, where it has a password."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """Images that move as one unit, and the stages that they go through, in this order."""

    name: str
    place: Place
    images: tuple[PromotedImage, ...]
    stages: tuple[Stage, ...]
    signing: RecordSigning | None = None

    def repositories(self) -> Iterator[Repository]:
        """Where its images and its records are, at every stage."""
        for stage in self.stages:
            yield stage.journal
            yield from map(stage.repository_of, self.images)

    def signs_at(self, repository: Repository) -> bool:
        """Whether it signs the records of what it brings there."""
        return self.signing is not None and repository in self.repositories()

    def stage(self, name: str) -> Stage:
        """Raises UsageError where there is none of this name."""
        found = next((stage for stage in self.stages if stage.name == name), None)
        if found is None:
            known = ", ".join(stage.name for stage in self.stages)
            raise UsageError(f"{self.name} has no stage {name!a}", hint=f"there is: {known}")
        return found

    @property
    def automatic(self) -> tuple[Stage, ...]:
        """The stages that take by themselves what is due."""
        return tuple(stage for stage in self.stages if stage.is_automatic)

    def before(self, stage: Stage) -> Stage | None:
        """The stage that releases come from; None for the first, which promotes from nowhere."""
        position = self.stages.index(stage)
        return self.stages[position - 1] if position else None

    def after(self, stage: Stage) -> Stage | None:
        return next(iter(self.stages[self.stages.index(stage) + 1 :]), None)
