"""Offers: what an image's sources may have that speaks of it, and the search in those that have anything. Pure.

Without an attachment's tag in the list, and at a registry that lists no referrers, nothing more is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from imagesync.manifest import Content
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.found import Found, joined, unknown
from imagesync.plan.image import Image, Overview
from imagesync.plan.inventory import Broken, Head, Pair, Present
from imagesync.plan.promises import find_narrowing
from imagesync.plan.questions import Asking, HasReferrersApi, ListAttachmentTags, together
from imagesync.plan.referrers import list_entry
from imagesync.plan.search import Offer, find_attachments
from imagesync.reference import Digest, Reference, Tag
from imagesync.selection import IndexForm
from imagesync.spec.model import AttachmentType


def attachments_of(
    image: Image, manifests: Collection[Digest], overview: Overview
) -> Asking[dict[Pair, Found | Broken]]:
    """What speaks of the image, or of one of its manifests, for each pair of repositories. Where these are not known
    they are read at the destination."""
    if not image.pairs:
        return {}
    offers = yield from _offers(image, overview)
    broken: dict[Pair, Found | Broken] = {}
    searched: dict[Pair, Offer] = {}
    for pair in image.pairs:
        offer = offers[pair]
        if isinstance(offer, Broken):
            broken[pair] = offer
        elif offer.tags or offer.has_api:
            searched[pair] = offer
    if not searched:
        return broken
    try:
        subjects = manifests or (yield from _subjects_there(image, overview.heads))
    except CannotRead as error:
        return broken | dict.fromkeys(searched, unknown(error.broken))
    results = yield from together([find_attachments(pair, subjects, offer) for pair, offer in searched.items()])
    return broken | dict(zip(searched, results, strict=True))


def with_list_entries(
    image: Image, root: Content, found: Mapping[Pair, Found | Broken]
) -> Asking[dict[Pair, Found | Broken]]:
    """What was found, and the entry of an image that names a subject itself in the list of that."""
    entries = yield from together([list_entry(pair, root) for pair in image.pairs])
    return {pair: _both(found.get(pair, Found()), entry) for pair, entry in zip(image.pairs, entries, strict=True)}


def _both(one: Found | Broken, other: Found | Broken) -> Found | Broken:
    broken = next((each for each in (one, other) if isinstance(each, Broken)), None)
    return broken or joined(each for each in (one, other) if isinstance(each, Found))


def _offers(image: Image, overview: Overview) -> Asking[dict[Pair, Offer | Broken]]:
    """What the source may have that speaks of the image: one tag list for each repository of the run, and whether its
    registry lists referrers."""
    source, pairs = image.root.repository, image.pairs
    listing = ListAttachmentTags(source)
    probe = HasReferrersApi(source.registry, source, image.digest, "source")
    known = overview.attachment_tags.get(source)
    is_probed = any(AttachmentType.REFERRERS in pair.kinds for pair in pairs)
    answers = yield (*([listing] if known is None else []), *([probe] if is_probed else []))
    tags = answers[listing] if known is None else known
    return {pair: _offer(tags, AttachmentType.REFERRERS in pair.kinds and answers[probe]) for pair in pairs}


def _offer(tags: frozenset[Tag] | Broken, has_api: bool | Broken) -> Offer | Broken:
    if isinstance(tags, Broken):
        return unknown(tags)
    return unknown(has_api) if isinstance(has_api, Broken) else Offer(tags, has_api)


def _subjects_there(image: Image, heads: Mapping[Reference, Head]) -> Asking[tuple[Digest, ...]]:
    """The image's manifests where its tag is equal on both sides: read at the destination, which counts no pulls.

    A manifest without children says nothing more than its digest.
    """
    there = image.kept[0].destination
    head = heads[there]
    assert isinstance(head, Present)  # noqa: S101 - narrows: a tag that is equal is there
    digest, place = head.descriptor.digest, Place(there.repository, "destination")
    if image.platforms.index is IndexForm.SPARSE:
        return (yield from find_narrowing(place, digest, image.platforms)).manifests
    if not head.descriptor.is_index:
        return (digest,)
    contents = yield from read_contents(place, {digest: None}, lambda entry: entry.is_index)
    listed = (entry.digest for content in contents.values() for entry in content.successors() if entry.is_manifest)
    own = () if digest != image.digest else (digest,)  # an index that was narrowed: no source speaks of that
    return tuple(dict.fromkeys((*own, *listed)))
