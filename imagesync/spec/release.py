"""A release file: which tag and digest of each image make a version of a promotion. A text for review, like a lock.

Pure. Where it lies and what a promotion takes from it, others say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import partial

from imagesync.errors import InvalidReference, Problem, ReleaseError
from imagesync.lazy import dataclass
from imagesync.reference import Digest, Tag
from imagesync.spec.document import Map, Node, Scalar, parse_document
from imagesync.spec.nearness import near_words
from imagesync.spec.problems import Problems
from imagesync.spec.stages import Promotion
from imagesync.spec.unreadable import quoted

_KEYS = ("release", "version", "images")
_HEADER = "# What this release is made of: written by `imagesync release create`, taken by `imagesync promote`."
_ANEW = "write it anew with `imagesync release create`"
_FORM = re.compile(r"(?P<tag>[^@]+)@(?P<digest>[^@]+)")


@dataclass(frozen=True, slots=True)
class ReleasedImage:
    """An image of a release: its tag at the first stage, and what that is."""

    tag: Tag
    digest: Digest


@dataclass(frozen=True, slots=True)
class Release:
    """A version of a promotion whose images have versions of their own."""

    promotion: str
    version: Tag
    images: Mapping[str, ReleasedImage]


def release_path(promotion: str, version: Tag) -> str:
    """Where the file of a release lies, seen from the folder of the spec."""
    return f"releases/{promotion}-{version}.yaml"


def versions_filed(promotion: str, names: Collection[str]) -> tuple[Tag, ...]:
    """The versions of a promotion that have a file, by the names of the files in their folder."""
    texts = (name.removeprefix(f"{promotion}-").removesuffix(".yaml") for name in names)
    versions = (Tag(text) for text in texts if Tag.is_valid(text))
    return tuple(version for version in versions if release_path(promotion, version).rpartition("/")[2] in names)


def release_to_text(release: Release) -> str:
    """The text of the file: the same for the same release."""
    lines = [f'  "{name}": "{image.tag}@{image.digest}"' for name, image in release.images.items()]
    head = [_HEADER, f"release: {release.promotion}", f'version: "{release.version}"', "images:"]
    return "\n".join([*head, *lines, ""])


def release_from_text(text: str, promotion: Promotion, version: Tag, *, name: str) -> Release:
    """Read the file of this version of a promotion; `name` is what messages call it. Raises ReleaseError with
    everything that is wrong with it."""
    problems: list[Problem] = []
    root = parse_document(text, name, problems)
    release = _Reader(Problems(problems), promotion, version).read(root) if root is not None else None
    if problems or release is None:
        raise ReleaseError(problems)
    return release


class _Reader:
    def __init__(self, problems: Problems, promotion: Promotion, version: Tag) -> None:
        self._problems = problems
        self._promotion = promotion
        self._version = version

    def read(self, root: Node) -> Release | None:
        if not isinstance(root, Map):
            self._problems.say(root.place, f"a release is a map of {', '.join(_KEYS)}", _ANEW)
            return None
        self._check_keys(root)
        for key, wanted in (("release", self._promotion.name), ("version", self._version)):
            self._check_text(root.get(key), wanted)
        images = dict(self._images(root.get("images")))
        self._check_images(root)
        return Release(self._promotion.name, self._version, images)

    def _check_text(self, node: Node | None, wanted: str) -> None:
        found = self._text(node)
        if node is not None and found and found != wanted:
            self._problems.say(node.place, f"{found[:80]!a} stands where {wanted} was looked for", _ANEW)

    def _check_keys(self, root: Map) -> None:
        for name, key in root.keys.items():
            if name not in _KEYS:
                self._problems.say(key.place, f"unknown key {name!a}", f"allowed here: {', '.join(_KEYS)}")
        for name in _KEYS:
            if name not in root.values:
                self._problems.say(root.place, f"key {name!r} is missing", _ANEW)

    def _text(self, node: Node | None) -> str:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.text
        if node is not None:
            hint = f"quote it: {quoted(node.text)}" if isinstance(node, Scalar) else _ANEW
            self._problems.say(node.place, "text belongs here", hint)
        return ""

    def _images(self, node: Node | None) -> Iterator[tuple[str, ReleasedImage]]:
        for name, value in node.values.items() if isinstance(node, Map) else ():
            text = self._text(value)
            found = self._problems.parsed(partial(_image, text), value.place) if text else None
            if found is not None:
                yield name, found

    def _check_images(self, root: Map) -> None:
        """A release is all of its images."""
        known = [image.name for image in self._promotion.images]
        node = root.get("images")
        written = node.keys if isinstance(node, Map) else {}
        for name, key in written.items():
            if name not in known:
                near = near_words(name, known)
                hint = f"did you mean {near[0]}?" if near else f"it has: {', '.join(known)}"
                self._problems.say(key.place, f"{self._promotion.name} has no image {name!a}", hint)
        for name in known:
            if name not in written:
                self._problems.say(root.place, f"image {name} is missing", _ANEW)


def _image(text: str) -> ReleasedImage:
    found = _FORM.fullmatch(text)
    if found is None:
        raise InvalidReference(f"{text[:80]!a} is no tag with its digest", hint="write TAG@sha256:…")
    return ReleasedImage(Tag(found["tag"]), Digest(found["digest"]))
