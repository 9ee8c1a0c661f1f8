"""Subjects: which manifests of a layout name which digest as what they speak of. Nothing is stored for this.

Image spec, "Image Manifest", `subject`. What an index lists may name one as well as what index.json lists.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping

from imagesync.layout.document import LayoutIndex
from imagesync.lazy import dataclass
from imagesync.manifest import Content, Descriptor, Index
from imagesync.reference import Digest

MAX_KNOWN = 20_000
"""Manifests of which subject and children are remembered."""


@dataclass(frozen=True, slots=True)
class _Links:
    """A manifest, what it speaks of, and what it lists."""

    manifest: Descriptor
    subject: Digest | None
    children: tuple[Digest, ...]


class Subjects:
    """Reads the manifests once for each index.json that it sees. `fetch` gives one, or None where that is missing or
    damaged, which keeps nothing else from being found. May be used by threads."""

    def __init__(self, fetch: Callable[[Digest], Content | None]) -> None:
        self._fetch = fetch
        self._known: dict[Digest, _Links] = {}
        self._sorted: tuple[LayoutIndex | None, Mapping[Digest, tuple[Descriptor, ...]]] = (None, {})
        self._lock = threading.Lock()

    def naming(self, index: LayoutIndex, subject: Digest) -> tuple[Descriptor, ...]:
        """The manifests that name this digest, in the order of index.json."""
        with self._lock:
            if self._sorted[0] is not index:
                self._sorted = (index, self._by_subject(index))
            return self._sorted[1].get(subject, ())

    def _by_subject(self, index: LayoutIndex) -> dict[Digest, tuple[Descriptor, ...]]:
        found: dict[Digest, tuple[Descriptor, ...]] = {}
        for links in self._all(index):
            if links.subject is not None:
                found[links.subject] = (*found.get(links.subject, ()), links.manifest)
        return found

    def _all(self, index: LayoutIndex) -> Iterator[_Links]:
        waiting = deque(entry.digest for entry in index.entries)
        seen: set[Digest] = set()
        while waiting:
            digest = waiting.popleft()
            links = self._read(digest) if digest not in seen else None
            seen.add(digest)
            if links is not None:
                waiting.extend(links.children)
                yield links

    def _read(self, digest: Digest) -> _Links | None:
        """What was read of a manifest before holds: bytes under a digest never change."""
        if digest in self._known:
            return self._known[digest]
        content = self._fetch(digest)
        if content is None:
            return None
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        children = tuple(child.digest for child in content.successors()) if isinstance(content, Index) else ()
        subject = content.subject.digest if content.subject else None
        self._known[digest] = links = _Links(content.descriptor, subject, children)
        return links
