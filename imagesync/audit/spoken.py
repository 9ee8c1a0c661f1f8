"""What speaks of the images of an audit: searched for on both sides as a plan does it, then looked at as any part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imagesync.audit.asking import ask
from imagesync.audit.looking import Looking
from imagesync.audit.parts import Parts
from imagesync.plan.diff import pair_of
from imagesync.plan.findings import Finding
from imagesync.plan.found import Found
from imagesync.plan.image import Image, Overview, images_of
from imagesync.plan.inventory import Broken, Pair
from imagesync.plan.judgement import judge_lacking, unsearched
from imagesync.plan.offers import attachments_of
from imagesync.plan.questions import ReadManifest, together
from imagesync.plan.wants import Want
from imagesync.reference import Digest, Reference
from imagesync.tasks import Tasks


class Spoken:
    """What was found of the attachments of tags that are right: `roots` are these, and `parts` what is below them."""

    def __init__(self, roots: Mapping[Want, ReadManifest], overview: Overview, parts: Parts) -> None:
        self._roots = roots
        self._overview = overview
        self._parts = parts
        self._found: dict[tuple[Pair, ReadManifest], Found | Broken] = {}

    def look(self, looking: Looking, tasks: Tasks) -> None:
        """Search for all of it, and look at what the destinations have. Raises Cancelled."""
        images = images_of(self._roots, self._overview.heads)
        searches = [attachments_of(image, self._manifests_of(image), self._overview) for image in images]
        for image, found in zip(images, ask(together(searches), looking, tasks), strict=True):
            for want in image.kept:
                pair = pair_of(want)
                if pair in found:
                    self._found[pair, self._roots[want]] = found[pair]
        known = [one for one in self._found.values() if isinstance(one, Found)]
        self._parts.look_at(part for one in known for arrived in one.arrived for part in arrived.parts)

    def findings_of(self, want: Want) -> Iterator[tuple[Reference, Finding]]:
        """What is wrong with what speaks of a tag that is right, each with the tag or digest that it stands under."""
        pair, root = pair_of(want), self._roots.get(want)
        found = self._found.get((pair, root)) if pair is not None and root is not None else None
        if isinstance(found, Broken):
            yield want.destination, unsearched(want, found)
        elif found is not None:
            yield from ((lacking.destination, judge_lacking(lacking)) for lacking in found.attachments)
            for arrived in found.arrived:
                findings = self._parts.findings_below(*arrived.parts)
                yield from ((arrived.destination, finding) for finding in findings)

    def _manifests_of(self, image: Image) -> tuple[Digest, ...]:
        roots = dict.fromkeys(self._roots[want] for want in image.kept)
        return tuple(dict.fromkeys(digest for root in roots for digest in self._spoken_of(root, image)))

    def _spoken_of(self, root: ReadManifest, image: Image) -> tuple[Digest, ...]:
        """A root and what is below it, without an index that was narrowed: no source speaks of that."""
        digests = self._parts.manifests_below(root)
        return digests[1:] if root.digest != image.digest and len(digests) > 1 else digests
