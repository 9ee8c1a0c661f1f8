"""The lock file: which digest each source tag is held at. A text for review: sorted, a line for each tag.

Pure. Which tags belong into it, and what a run takes from it, `plan/locking` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagesync.errors import InvalidReference, LockError, Problem
from imagesync.reference import LAYOUT_SCHEMES, Digest, Tag, parse_reference
from imagesync.spec.document import Map, Node, Scalar, parse_document
from imagesync.spec.nearness import near_words
from imagesync.spec.pins import Lock, Pin
from imagesync.spec.problems import Problems

FORMAT_VERSION = 1
MAX_BYTES = 16 * 1024 * 1024
_KEYS = ("version", "tags")
_HEADER = "# The digest of every tag that the spec takes: written by `imagesync lock`, held to with `--locked`."
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]*", re.ASCII)
"""What YAML reads as text without quotes: a reference of a registry always is."""


def lock_to_text(lock: Lock) -> str:
    """The text of the file: the same for the same pins."""
    lines = [f"  {_quoted(str(pin))}: {pin.digest}" for pin in lock.pins]
    head = [_HEADER, f"version: {FORMAT_VERSION}", "tags:" if lines else "tags: {}"]
    return "\n".join([*head, *lines, ""])


def lock_from_text(text: str, *, name: str) -> Lock:
    """Read a lock; `name` is what messages call it. Raises LockError with everything that is wrong with it."""
    problems: list[Problem] = []
    root = parse_document(text, name, problems, max_bytes=MAX_BYTES)
    pins = tuple(_pins(root, Problems(problems))) if root is not None else ()
    if problems:
        raise LockError(problems)
    return Lock.of(pins)


def _pins(root: Node, problems: Problems) -> Iterator[Pin]:
    if not isinstance(root, Map):
        problems.say(root.place, "a lock is a map of `version` and `tags`", "write it anew with `imagesync lock`")
        return
    _check_keys(root, problems)
    tags = root.get("tags")
    if isinstance(tags, Map):
        for name, key in tags.keys.items():
            yield from _pin(key, tags.values[name], problems)
    elif tags is not None:
        problems.say(tags.place, "`tags` is a map of references and digests", "write it anew with `imagesync lock`")


def _check_keys(root: Map, problems: Problems) -> None:
    for name, key in root.keys.items():
        if name not in _KEYS:
            near = near_words(name, _KEYS)
            hint = f"did you mean {near[0]}?" if near else f"allowed here: {', '.join(_KEYS)}"
            problems.say(key.place, f"unknown key {name!a}", hint)
    for name in _KEYS:
        if name not in root.values:
            problems.say(root.place, f"key {name!r} is missing", "write the lock anew with `imagesync lock`")
    version = root.get("version")
    if version is not None and (not isinstance(version, Scalar) or version.value != FORMAT_VERSION):
        message = f"this imagesync reads locks of version {FORMAT_VERSION}"
        problems.say(version.place, message, "write it anew with `imagesync lock`")


def _pin(key: Scalar, value: Node, problems: Problems) -> Iterator[Pin]:
    source, tag = problems.parsed(lambda: _source_and_tag(key.text), key.place) or ("", None)
    digest = problems.parsed(lambda: _digest(value), value.place)
    if tag is not None and digest is not None:
        yield Pin(source, tag, digest, key.place)


def _source_and_tag(text: str) -> tuple[str, Tag]:
    """The two parts of a reference that is written out as messages print it. Raises InvalidReference."""
    source, colon, tag = text.rpartition(":")
    if text.startswith(LAYOUT_SCHEMES):
        if "/" not in source or "/" in tag:
            raise InvalidReference(f"{text!a} is no tag of a layout", hint="it is written oci:DIRECTORY/NAME:TAG")
        return source, Tag(tag)
    reference = parse_reference(text)
    if not colon or reference.tag is None or reference.digest is not None or str(reference) != text:
        hint = f"write {reference.repository}:{reference.tag or 'TAG'}"
        raise InvalidReference(f"{text!a} is not a reference in full", hint=hint)
    return source, reference.tag


def _digest(node: Node) -> Digest:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise InvalidReference("a digest belongs here", hint="sha256: and 64 letters; `imagesync lock` writes it")
    return Digest(node.text)


def _quoted(text: str) -> str:
    """As YAML reads it back: the folder of a layout may be called anything."""
    if _PLAIN.fullmatch(text):
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() and letter not in '"\\' else f"\\U{ord(letter):08x}"
