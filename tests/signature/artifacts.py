"""Manifests around evidence, as cosign pushes them: its tags, and a referrer for each bundle."""

from __future__ import annotations

import json
from typing import Any

from imagesync.manifest import OCI_MANIFEST, Content, digest_of, parse_manifest
from imagesync.signature import Evidence, Form
from tests.images import EMPTY, MadeImage, descriptor_of

MEDIA_TYPES = {
    Form.PAYLOAD: "application/vnd.dev.cosign.simplesigning.v1+json",
    Form.ENVELOPE: "application/vnd.dsse.envelope.v1+json",
    Form.BUNDLE: "application/vnd.dev.sigstore.bundle.v0.3+json",
}


def make_evidence(*pieces: Evidence, **fields: Any) -> MadeImage:
    """One manifest with a layer for each piece; `fields` are set in the manifest."""
    blobs = {digest_of(body): body for body in (b"{}", *(piece.body for piece in pieces))}
    layers = [
        {**_described(MEDIA_TYPES[piece.form], piece.body), "annotations": dict(piece.annotations)} for piece in pieces
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": _described(EMPTY, b"{}"), "layers": layers}
    return MadeImage(parse_manifest(json.dumps({**document, **fields}).encode(), OCI_MANIFEST), (), blobs)


def make_referrer(subject: Content, *pieces: Evidence, **fields: Any) -> MadeImage:
    """The same as a referrer, with the type that cosign writes."""
    named = {"artifactType": MEDIA_TYPES[Form.BUNDLE], "subject": descriptor_of(subject)}
    return make_evidence(*pieces, **{**named, **fields})


def _described(media_type: str, body: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}
