"""Images: one digest of a source with all that it is wanted for, and which of them have to be looked into. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from imagesync.lazy import dataclass, field, replace
from imagesync.plan.attachments import attachment_tags
from imagesync.plan.diff import differs, is_equal, is_open, pair_of, pinned
from imagesync.plan.inventory import Broken, Head, Listed, Pair, Present
from imagesync.plan.wants import Listings, Want, Wanted
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.selection import EVERY_PLATFORM, Platforms
from imagesync.state import NOTHING_REMEMBERED, State


@dataclass(frozen=True, slots=True)
class Image:
    """One digest of a source, the place to read it, and the wants that differ from it at their destination.

    `kept` are those that do not, of which attachments may be missing all the same; and those of which that is not
    known before the image is narrowed, as all of an image are in the same way.
    """

    root: Reference
    wants: tuple[Want, ...] = ()
    kept: tuple[Want, ...] = ()
    platforms: Platforms = EVERY_PLATFORM

    @property
    def is_narrowed(self) -> bool:
        """Whether some of its platforms are kept or required, rather than all copied as they are."""
        return self.platforms != EVERY_PLATFORM

    @property
    def is_retagged(self) -> bool:
        """Whether all that becomes of it is another tag in its own repository, and no gate has to see more of it."""
        stays = all(want.source.repository == want.destination.repository for want in self.wants)
        return stays and not self.is_narrowed and not any(want.gates for want in self.wants)

    @property
    def all_wants(self) -> tuple[Want, ...]:
        return (*self.wants, *self.kept)

    def sorted_by(self, heads: Mapping[Reference, Head]) -> Image:
        """The image with its wants where they belong by now; without those that neither differ nor are right."""
        kept = tuple(want for want in self.all_wants if is_equal(want, heads))
        return replace(self, wants=tuple(want for want in self.all_wants if differs(want, heads)), kept=kept)

    @property
    def digest(self) -> Digest:
        digest = self.root.digest
        assert digest is not None  # noqa: S101 - narrows: an image's root is pinned
        return digest

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Between which repositories its attachments go, each once."""
        pairs = map(pair_of, self.all_wants)
        return tuple(dict.fromkeys(pair for pair in pairs if pair is not None))

    @property
    def destinations(self) -> tuple[Repository, ...]:
        """The repositories that get it from another registry, each once."""
        moves = (want for want in self.wants if want.source.repository.registry != want.destination.repository.registry)
        return tuple(dict.fromkeys(want.destination.repository for want in moves))


AttachmentTags = Mapping[Repository, frozenset[Tag] | Broken]
"""The tags of source repositories that may be attachments, as far as they are known."""


def attachment_tags_of(listings: Listings) -> AttachmentTags:
    """What may be attachments of some tag lists: said once, since every image of a repository asks."""
    return {one: listed if isinstance(listed, Broken) else attachment_tags(listed) for one, listed in listings.items()}


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of the whole spec before an image is looked into: heads, `fresh`, which is what `perhaps_empty`
    says, and of the tag lists that a filter asked for what may be attachments. `incomplete` are tags of which an audit
    has found something missing; `state` tells when something was first seen; `perhaps_missing` are repositories that
    may have to be created first."""

    heads: Mapping[Reference, Head]
    fresh: Mapping[Repository, int] = field(default_factory=dict)
    attachment_tags: AttachmentTags = field(default_factory=dict)
    incomplete: Collection[Reference] = ()
    state: State = NOTHING_REMEMBERED
    perhaps_missing: frozenset[Repository] = frozenset()


def images_of(wants: Iterable[Wanted], heads: Mapping[Reference, Head]) -> tuple[Image, ...]:
    """The images that have to be looked into, in the order of their first wants: those of tags that differ, or that
    may lack attachments."""
    found: dict[tuple[Repository, Digest, Platforms], Image] = {}
    for want in wants:
        source = heads.get(want.source) if isinstance(want, Want) else None
        if isinstance(want, Want) and isinstance(source, Present) and has_to_be_looked_into(want, heads):
            platforms = want.rule.platforms
            key = (want.source.repository, source.descriptor.digest, platforms)
            image = found.get(key, Image(pinned(want.source, source), platforms=platforms))
            found[key] = _with_want(image, want, heads)
    return tuple(found.values())


def _with_want(image: Image, want: Want, heads: Mapping[Reference, Head]) -> Image:
    if differs(want, heads):
        return replace(image, wants=(*image.wants, want))
    return replace(image, kept=(*image.kept, want))


def has_to_be_looked_into(want: Wanted, heads: Mapping[Reference, Head]) -> bool:
    if not isinstance(want, Want):
        return False
    if is_equal(want, heads):
        return pair_of(want) is not None
    return differs(want, heads) or is_open(want, heads)


def perhaps_empty(images: Iterable[Image], heads: Mapping[Reference, Head]) -> dict[Repository, int]:
    """The destination repositories that hold none of the tags that are wanted there, and how many images each gets."""
    held = _held(heads)
    return Counter(one for image in images for one in image.destinations if one not in held)


def perhaps_missing(images: Iterable[Image], heads: Mapping[Reference, Head]) -> frozenset[Repository]:
    """The repositories that get something, and hold none of the tags that are wanted there."""
    return frozenset(want.destination.repository for image in images for want in image.wants) - _held(heads)


def _held(heads: Mapping[Reference, Head]) -> set[Repository]:
    return {reference.repository for reference, head in heads.items() if isinstance(head, Present | Listed)}
