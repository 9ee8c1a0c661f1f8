"""Candidates: an image that would be copied, as gates see it: its manifests, where it is and where it would go."""

from __future__ import annotations

from collections.abc import Mapping

from imagesync.lazy import dataclass, field
from imagesync.manifest import Content, Index, Manifest, walk
from imagesync.platform import Platform
from imagesync.reference import Digest, Reference


@dataclass(frozen=True, slots=True)
class Image:
    """One manifest that can be run; `platform` is what an index says, None where none does."""

    manifest: Manifest
    platform: Platform | None = None

    def __str__(self) -> str:
        return str(self.platform or self.manifest.digest.short)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What would be written to `destination`, exactly: `root` and what of `contents` is below it and not `left_out`.

    `source` has the digest that the source's tag has; that of `root` is another where the image is narrowed.
    """

    source: Reference
    destination: Reference
    root: Content
    contents: Mapping[Digest, Content] = field(default_factory=dict, repr=False, hash=False)
    left_out: frozenset[Digest] = frozenset()

    @property
    def digest(self) -> Digest:
        """What is judged, and what is moved."""
        return self.root.digest

    def images(self) -> tuple[Image, ...]:
        """All that can be run of it. What an index calls `unknown`, as attestations are, cannot; what it lists again
        under another name can."""
        nodes = {node.digest: node for node in walk(self.root, self.contents, self.left_out)}
        found = [Image(self.root)] if isinstance(self.root, Manifest) else []
        for index in (node for node in nodes.values() if isinstance(node, Index)):
            for entry in index.manifests:
                node = nodes.get(entry.digest)
                if isinstance(node, Manifest) and (entry.platform is None or not entry.platform.is_unknown):
                    found.append(Image(node, entry.platform))
        return tuple(dict.fromkeys(found))
