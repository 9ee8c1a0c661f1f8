"""Signatures that other programs made, with their keys: cosign 3 with each kind of key, skopeo with a sigstore key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from imagesync.manifest import Descriptor, digest_of
from imagesync.reference import Digest
from imagesync.signature import Evidence, Form, KeyTrust, PublicKey

FOLDER = Path(__file__).parent / "recorded"


@dataclass(frozen=True)
class Recorded:
    """What one program made of one digest. `name` is what the image was called."""

    key: str
    digest: Digest
    name: str
    evidence: tuple[Evidence, ...]

    @classmethod
    def read(cls, name: str) -> Recorded:
        document = json.loads((FOLDER / f"{name}.json").read_text())
        pieces = [_evidence(piece["media_type"], piece["annotations"], piece["body"]) for piece in document["evidence"]]
        return cls(document["key"], Digest(document["digest"]), document["name"], tuple(pieces))

    @property
    def trust(self) -> KeyTrust:
        return KeyTrust(PublicKey.parse(self.key))

    def of(self, form: Form) -> list[Evidence]:
        return [piece for piece in self.evidence if piece.form is form]


def _evidence(media_type: str, annotations: dict[str, str], body: str) -> Evidence:
    raw = body.encode()
    return Evidence.of(Descriptor(media_type, digest_of(raw), len(raw), annotations=annotations), raw)


NGINX = Recorded.read("skopeo-nginx")
COSIGN = {kind: Recorded.read(f"cosign-3-{kind}") for kind in ("p256", "p384", "rsa")}
COSIGN_ED25519 = Recorded.read("cosign-3-ed25519")
"""Signed by cosign 3.1 with Ed25519ph; it verifies with Ed25519, and so rejects them itself (sigstore/cosign#5074)."""
