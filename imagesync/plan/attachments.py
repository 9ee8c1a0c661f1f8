"""Attachments: which tags speak of a digest, of which type each is, and how many of them a plan adds, in words. Pure.

cosign keeps what it makes of a digest under tags that are named after it. So does a registry without the referrers
API with the list of referrers (distribution spec, "Referrers Tag Schema").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from imagesync.manifest import Descriptor
from imagesync.reference import Digest, Tag
from imagesync.selection import ATTACHMENT_TAG
from imagesync.spec.model import AttachmentType

RECORD_TYPE = "application/vnd.imagesync.promotion.v1+json"
"""Of referrers that say how an image came to a stage. They speak of that stage alone, and never travel."""
_ENDINGS = {
    AttachmentType.SIGNATURES: ".sig",
    AttachmentType.ATTESTATIONS: ".att",
    AttachmentType.SBOMS: ".sbom",
    AttachmentType.REFERRERS: "",
}
_NOUNS = {
    AttachmentType.SIGNATURES: ("signature", "signatures"),
    AttachmentType.ATTESTATIONS: ("attestation", "attestations"),
    AttachmentType.SBOMS: ("SBOM", "SBOMs"),
    AttachmentType.REFERRERS: ("referrer", "referrers"),
}


def tag_of(digest: Digest, kind: AttachmentType) -> Tag:
    """The tag under which attachments of this type stand that speak of a digest."""
    return Tag(f"{digest.as_tag}{_ENDINGS[kind]}")


def tags_of(digests: Iterable[Digest], kinds: Collection[AttachmentType]) -> dict[Tag, AttachmentType]:
    """Every tag that may speak of one of these digests."""
    return {tag_of(digest, kind): kind for digest in digests for kind in _ENDINGS if kind in kinds}


def attachment_tags(listed: Iterable[Tag]) -> frozenset[Tag]:
    """Those of a tag list that may be attachments."""
    return frozenset(tag for tag in listed if ATTACHMENT_TAG.fullmatch(tag))


def kind_of(tag: Tag | None) -> AttachmentType | None:
    """The type of what stands under a tag, or has none; None for a tag that speaks of no digest."""
    if tag is None:
        return AttachmentType.REFERRERS
    if not ATTACHMENT_TAG.fullmatch(tag):
        return None
    _, dot, word = tag.partition(".")
    return next((kind for kind, ending in _ENDINGS.items() if ending == dot + word), None)


def is_record(descriptor: Descriptor) -> bool:
    """Whether this is a record, by what whoever lists it says. Who lists something may as well leave it out: nothing
    is lost by believing that."""
    return descriptor.artifact_type == RECORD_TYPE


def in_words(counts: Iterable[tuple[AttachmentType, int]]) -> str:
    """`2 signatures, 1 referrer to add`; empty where there are none."""
    total: Counter[AttachmentType] = Counter()
    for kind, count in counts:
        total[kind] += count
    parts = [counted(kind, total[kind]) for kind in AttachmentType if total[kind]]
    return f"{', '.join(parts)} to add" if parts else ""


def counted(kind: AttachmentType, count: int) -> str:
    """`1 signature`."""
    return f"{count} {_NOUNS[kind][count != 1]}"
