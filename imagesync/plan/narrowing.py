"""Narrowing: a root and the platforms that are kept of it in, what the destination's tag should point to out. Pure.

Of an index entries are removed, and nothing else: what is left keeps its order, its fields, and fields that nobody
knows. The same bytes come of the same index, and the very bytes of the source where nothing is removed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress

from imagesync.errors import InvalidManifest, PlatformError
from imagesync.lazy import dataclass
from imagesync.manifest import REFERENCE_DIGEST, Content, Descriptor, Index, parse_manifest
from imagesync.platform import Platform
from imagesync.reference import Digest
from imagesync.selection import IndexForm, Platforms

_SHOWN = 20
_NO_PLATFORM = "the image names no platform"
_REQUIRED = "`require_platforms` demands it: copy the image when its source has it, or demand less"
_KEPT = "keep one of these, or leave the image out"
_Image = tuple[Descriptor, Platform]
"""An index entry, or the manifest itself, and what it runs on."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What becomes of a source: the `root` that a tag should point to, and what its index lists and is not brought.

    `written` is the root where that had to be made: no source has it.
    """

    source: Content
    root: Descriptor
    left_out: frozenset[Digest] = frozenset()
    written: Index | None = None

    @property
    def manifests(self) -> tuple[Digest, ...]:
        """The root and what it lists, as far as a source has them: what may be spoken of, with a signature for one."""
        listed = (entry.digest for entry in _entries(self.source) if entry.is_manifest)
        own = () if self.written is not None else (self.root.digest,)
        return tuple(dict.fromkeys([*own, *(digest for digest in listed if digest not in self.left_out)]))


def narrow(source: Content, platforms: Platforms, found: Mapping[Digest, Platform]) -> Narrowing:
    """Keep what `platforms` says. `found` are platforms that image configs name, of entries that name none.

    Raises PlatformError where nothing is kept, or not what is required; InvalidManifest for an index that cannot be
    written anew.
    """
    images = _images_of(source, found)
    missing = platforms.missing_of(platform for _, platform in images)
    if missing:
        raise PlatformError(f"{', '.join(map(str, missing))} is missing: {_listed(images)}", hint=_REQUIRED)
    if not platforms.keep:
        return Narrowing(source, source.descriptor)
    kept = [(entry, platform) for entry, platform in images if platforms.keeps(platform)]
    if not kept:
        raise PlatformError(f"`platforms` keeps {platforms}, and nothing is that: {_listed(images)}", hint=_KEPT)
    if not isinstance(source, Index):
        return Narrowing(source, source.descriptor)
    if platforms.index is IndexForm.FLATTEN:
        return _flattened(source, kept)
    return _without_the_rest(source, [entry for entry, _ in kept], platforms.index)


def is_attestation(entry: Descriptor) -> bool:
    """Whether an index entry is no image, and speaks of another of the same index, as BuildKit's attestations do."""
    has_platform = entry.platform is not None and not entry.platform.is_unknown
    return REFERENCE_DIGEST in entry.annotations and not has_platform


def is_silent(entry: Descriptor) -> bool:
    """Whether an index entry may be an image and does not say for which platform."""
    return entry.platform is None and entry.is_manifest and not is_attestation(entry)


def names_of_kept(source: Content, root: Content, left_out: Collection[Digest] = ()) -> tuple[str, ...]:
    """The platforms that a root brings of its source's, as the source's index names them."""
    brought = {entry.digest for entry in _entries(root)} - set(left_out) if isinstance(root, Index) else {root.digest}
    entries = [entry for entry in _entries(source) if entry.digest in brought and entry.platform is not None]
    return tuple(str(entry.platform) for entry in entries if entry.platform and not entry.platform.is_unknown)


def _images_of(source: Content, found: Mapping[Digest, Platform]) -> list[_Image]:
    """The images of an index, or the one, each with its platform; what names none is no image."""
    entries = source.manifests if isinstance(source, Index) else (source.descriptor,)
    named = [(entry, entry.platform or found.get(entry.digest)) for entry in entries]
    return [(entry, platform) for entry, platform in named if platform is not None and not platform.is_unknown]


def _flattened(source: Index, kept: Sequence[_Image]) -> Narrowing:
    """The one manifest that is kept; of two for the very same platform the first, as a client would take it."""
    if len({platform for _, platform in kept}) > 1:
        raise PlatformError(
            f"`index: flatten` keeps one platform, and several are that: {_listed(kept)}",
            hint="name one of them exactly, or let the index be rewritten",
        )
    root, _ = kept[0]
    return Narrowing(source, root, frozenset(entry.digest for entry in source.manifests) - {root.digest})


def _without_the_rest(source: Index, images: Sequence[Descriptor], form: IndexForm) -> Narrowing:
    """Images that are kept, and attestations of them; a sparse index lists the others too."""
    kept, subjects = set(images), {entry.digest for entry in images}
    stays = [entry in kept or _speaks_of(entry, subjects) for entry in source.manifests]
    brought = {entry.digest for entry in compress(source.manifests, stays)}
    left_out = frozenset(entry.digest for entry in source.manifests) - brought
    if all(stays) or form is IndexForm.SPARSE:
        return Narrowing(source, source.descriptor, left_out)
    written = _rewritten(source, stays)
    return Narrowing(source, written.descriptor, left_out, written)


def _speaks_of(entry: Descriptor, subjects: Collection[Digest]) -> bool:
    return is_attestation(entry) and entry.annotations[REFERENCE_DIGEST] in subjects


def _rewritten(source: Index, stays: Sequence[bool]) -> Index:
    """The index without the other entries. Its bytes are a promise: see FORMAT_VERSION."""
    document = json.loads(source.raw)
    document["manifests"] = list(compress(document["manifests"], stays))
    try:
        raw = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidManifest("the index holds half of a character, and cannot be written anew") from error
    written = parse_manifest(raw, source.media_type)
    assert isinstance(written, Index)  # noqa: S101 - narrows: it still has entries
    return written


def _entries(content: Content) -> Iterable[Descriptor]:
    return content.manifests if isinstance(content, Index) else ()


def _listed(images: Iterable[_Image]) -> str:
    """`there is linux/amd64, linux/arm64`."""
    names = list(dict.fromkeys(str(platform) for _, platform in images))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there is {', '.join(names[:_SHOWN])}{more}" if names else _NO_PLATFORM
