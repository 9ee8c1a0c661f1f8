"""The gate `attestation` with `unsigned: present`: beside the image of every platform there is one of a type.

BuildKit puts them into the index, and nobody has signed them. So this proves nothing of who has built what, or how.
"""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.gates.candidate import Candidate, Image
from imagesync.gates.needs import Known, Need
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass
from imagesync.manifest import REFERENCE_DIGEST, Index, Manifest, walk

STATEMENT = "application/vnd.in-toto+json"
PREDICATE_TYPE = "in-toto.io/predicate-type"
"""BuildKit's annotation on each layer of an attestation manifest."""
_HINT = "build it with `docker buildx build --provenance=true --sbom=true`; or let whoever is trusted attest it"


@dataclass(frozen=True, slots=True)
class Present:
    """There is an attestation of this type, by whomever. It is read from manifests that are read anyway."""

    predicate_type: str

    def __str__(self) -> str:
        return f"attestation of {self.predicate_type}, unsigned, of every platform"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:  # noqa: ARG002 - the manifests say it
        return ()

    def judge(self, candidate: Candidate, known: Known) -> Finding:  # noqa: ARG002 - as above
        images = candidate.images()
        if not images:
            return Finding.blocked("holds no image to be attested")
        for image in images:
            if self.predicate_type not in _types_beside(image, candidate):
                reason = f"{_name(image)}: no attestation of {self.predicate_type} beside it"
                return Finding.blocked(reason, _HINT)
        return Finding.passed(f"has attestations of {self.predicate_type}, unsigned")


def _types_beside(image: Image, candidate: Candidate) -> Iterator[str]:
    """The types of what an index says to speak of an image."""
    nodes = {node.digest: node for node in walk(candidate.root, candidate.contents, candidate.left_out)}
    for index in (node for node in nodes.values() if isinstance(node, Index)):
        for entry in index.manifests:
            spoken_of, found = entry.annotations.get(REFERENCE_DIGEST), nodes.get(entry.digest)
            if spoken_of == image.manifest.digest and isinstance(found, Manifest):
                yield from _types_of(found)


def _types_of(attestations: Manifest) -> Iterator[str]:
    statements = (layer for layer in attestations.layers if layer.media_type == STATEMENT)
    return (layer.annotations.get(PREDICATE_TYPE, "") for layer in statements)


def _name(image: Image) -> str:
    return str(image.platform or image.manifest.digest.short)
