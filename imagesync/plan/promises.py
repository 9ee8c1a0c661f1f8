"""Promises: what the destination's tags should point to where a source is narrowed, and what is read to know it. Pure.

That is the source's index, where it is not remembered, and the config of an image that does not say in an index what
it runs on. A destination that has the source's digest is asked instead of the source: nobody counts pulls there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagesync.errors import ImagesyncError, InvalidManifest, PlatformError
from imagesync.manifest import IMAGE_CONFIG_TYPES, Content, Manifest
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.diff import is_equal
from imagesync.plan.image import Image, images_of
from imagesync.plan.inventory import Broken, Head, Present
from imagesync.plan.narrowing import Narrowing, is_silent, narrow
from imagesync.plan.questions import Asking, ReadPlatform, together
from imagesync.plan.wants import Wanted
from imagesync.platform import Platform
from imagesync.reference import Digest, Reference
from imagesync.selection import Platforms


def with_promises(
    image: Image, heads: Mapping[Reference, Head]
) -> Asking[tuple[Mapping[Reference, Head], Narrowing | None]]:
    """The image's heads with what its tags should point to, or why nobody can say. Nothing is read, and nothing
    narrowed, where its tags are known to be right."""
    if not image.is_narrowed or all(is_equal(want, heads) for want in image.all_wants):
        return heads, None
    head: Head
    try:
        narrowing = yield from find_narrowing(_place(image, heads), image.digest, image.platforms)
        head = Present(narrowing.root, narrowing.left_out)
    except CannotRead as error:
        narrowing, head = None, error.broken
    own = {one for want in image.all_wants for one in (want.source, want.asked, want.destination)}
    promised = {want.promise: head for want in image.all_wants}
    return {**{one: heads[one] for one in own if one in heads}, **promised}, narrowing


def promises_of(wants: Iterable[Wanted], heads: Mapping[Reference, Head]) -> Asking[Mapping[Reference, Head]]:
    """The heads of a whole spec, and what every narrowed source becomes of which a destination has the tag."""
    images = [image for image in images_of(wants, heads) if image.is_narrowed]
    results = yield from together([with_promises(image, heads) for image in images])
    return {**heads, **{key: head for found, _ in results for key, head in found.items()}}


def find_narrowing(place: Place, digest: Digest, platforms: Platforms) -> Asking[Narrowing]:
    """Read what a digest is, and narrow it. Raises CannotRead."""
    source = (yield from read_contents(place, {digest: None}, is_read=lambda _entry: False))[digest]
    silent = yield from _silent(place, source)
    found = yield from _platforms_of(place, silent)
    try:
        return narrow(source, platforms, found)
    except (PlatformError, InvalidManifest) as error:
        raise CannotRead(_broken(place, digest, error)) from error


def _silent(place: Place, source: Content) -> Asking[Mapping[Digest, Content]]:
    """The images that do not say in an index what they run on."""
    if isinstance(source, Manifest):
        return {source.digest: source}
    sizes: dict[Digest, int | None] = {}
    for entry in filter(is_silent, source.manifests):
        if entry.is_index:
            message = f"{entry.digest.short} is an index in an index, and does not say for which platform"
            hint = "copy it whole, without `platforms` and `require_platforms`"
            raise CannotRead(_broken(place, source.digest, PlatformError(message, hint=hint)))
        sizes[entry.digest] = entry.size_bytes
    return (yield from read_contents(place, sizes))


def _platforms_of(place: Place, contents: Mapping[Digest, Content]) -> Asking[dict[Digest, Platform]]:
    """What the configs of these images say that they run on; an artifact's says nothing."""
    asked = {
        digest: ReadPlatform(place.repository, content.config.digest, content.config, place.side)
        for digest, content in contents.items()
        if isinstance(content, Manifest) and content.config.media_type in IMAGE_CONFIG_TYPES
    }
    answers = yield tuple(asked.values())
    found = {digest: answers[question] for digest, question in asked.items()}
    for answer in found.values():
        if isinstance(answer, Broken):
            raise CannotRead(answer)
    return {digest: answer for digest, answer in found.items() if answer is not None}


def _place(image: Image, heads: Mapping[Reference, Head]) -> Place:
    """Where to read the image: where its tag has the source's digest, the destination will do."""
    for want in image.all_wants:
        head = heads[want.destination]
        if isinstance(head, Present) and head.descriptor.digest == image.digest:
            return Place(want.destination.repository, "destination", want.destination.tag)
    return Place(image.root.repository, "source", image.root.tag)


def _broken(place: Place, digest: Digest, error: ImagesyncError) -> Broken:
    reason = f"{place.side} {Reference(place.repository, place.tag, digest)}: {error.message}"
    return Broken(reason, error.kind, error.hint)
