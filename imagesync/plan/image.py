"""Images: one digest of a source with all that it is wanted for, and which of them have to be looked into. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from imagesync.plan.attachments import attachment_tags
from imagesync.plan.diff import differs, is_equal, pair_of, pinned
from imagesync.plan.inventory import Broken, Head, Listed, Pair, Present
from imagesync.plan.wants import Listings, Want, Wanted
from imagesync.reference import Digest, Reference, Repository, Tag


@dataclass(frozen=True, slots=True)
class Image:
    """One digest of a source, the place to read it, and the wants that differ from it at their destination.

    `kept` are those that do not, of which attachments may be missing all the same.
    """

    root: Reference
    wants: tuple[Want, ...] = ()
    kept: tuple[Want, ...] = ()

    @property
    def digest(self) -> Digest:
        digest = self.root.digest
        assert digest is not None  # noqa: S101 - narrows: an image's root is pinned
        return digest

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Between which repositories its attachments go, each once."""
        pairs = (pair_of(want) for want in (*self.wants, *self.kept))
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
    says, and of the tag lists that a filter asked for what may be attachments."""

    heads: Mapping[Reference, Head]
    fresh: Mapping[Repository, int] = field(default_factory=dict)
    attachment_tags: AttachmentTags = field(default_factory=dict)


def images_of(wants: Iterable[Wanted], heads: Mapping[Reference, Head]) -> tuple[Image, ...]:
    """The images that have to be looked into, in the order of their first wants: those of tags that differ, or that
    may lack attachments."""
    found: dict[tuple[Repository, Digest], Image] = {}
    for want in wants:
        source = heads.get(want.source) if isinstance(want, Want) else None
        if isinstance(want, Want) and isinstance(source, Present) and has_to_be_looked_into(want, heads):
            key = (want.source.repository, source.descriptor.digest)
            image = found.get(key, Image(pinned(want.source, source)))
            found[key] = _with_want(image, want, heads)
    return tuple(found.values())


def _with_want(image: Image, want: Want, heads: Mapping[Reference, Head]) -> Image:
    if differs(want, heads):
        return replace(image, wants=(*image.wants, want))
    return replace(image, kept=(*image.kept, want))


def has_to_be_looked_into(want: Wanted, heads: Mapping[Reference, Head]) -> bool:
    if not isinstance(want, Want):
        return False
    return differs(want, heads) or (is_equal(want, heads) and pair_of(want) is not None)


def perhaps_empty(images: Iterable[Image], heads: Mapping[Reference, Head]) -> dict[Repository, int]:
    """The destination repositories that hold none of the tags that are wanted there, and how many images each gets."""
    held = {reference.repository for reference, head in heads.items() if isinstance(head, Present | Listed)}
    return Counter(one for image in images for one in image.destinations if one not in held)
