"""Simple signing: the payload of cosign's tag scheme, which says a digest and the name that it was signed for.

https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
"""

from __future__ import annotations

from imagesync.lazy import dataclass
from imagesync.signature.document import read_object, shown, text_at
from imagesync.signature.verdict import Refusal

SIGNATURE_TYPE = "cosign container image signature"


@dataclass(frozen=True, slots=True)
class SimpleSigning:
    """`name` is `docker-reference`, as the signer wrote it."""

    digest: str
    name: str

    @classmethod
    def parse(cls, raw: bytes) -> SimpleSigning:
        """Raises Refusal."""
        document = read_object(raw, "the payload")
        kind = text_at(document, "critical", "type")
        if kind != SIGNATURE_TYPE:
            raise Refusal(f"the payload is of type {shown(kind)}, wanted {SIGNATURE_TYPE!r}")
        return cls(
            text_at(document, "critical", "image", "docker-manifest-digest"),
            text_at(document, "critical", "identity", "docker-reference"),
        )
