"""Which layers are read: known by their own media type, bounded in size and number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imagesync.manifest import Descriptor, digest_of, parse_manifest
from imagesync.signature import Form, LeftUnread, Rejected, pieces_of
from imagesync.signature.evidence import MAX_BYTES, MAX_PIECES, Evidence, first_of
from tests.images import make_index
from tests.signature.signers import DIGEST


def layer(media_type: str, size: int = 100) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": DIGEST, "size": size, "annotations": {"a": "b"}}


def pieces(*layers: dict[str, Any], **fields: Any) -> list[Descriptor | Rejected]:
    config = layer("application/vnd.oci.empty.v1+json")
    document = {"schemaVersion": 2, "config": config, "layers": list(layers), **fields}
    return list(pieces_of(parse_manifest(json.dumps(document).encode())))


@pytest.mark.parametrize(
    ("media_type", "form"),
    [
        ("application/vnd.dev.cosign.simplesigning.v1+json", Form.PAYLOAD),
        ("application/vnd.dsse.envelope.v1+json", Form.ENVELOPE),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", Form.BUNDLE),
        ("application/vnd.dev.sigstore.bundle+json;version=0.1", Form.BUNDLE),
    ],
)
def test_a_layer_is_known_by_its_own_media_type_whatever_the_manifest_says(media_type: str, form: Form) -> None:
    (found,) = pieces(layer(media_type), artifactType="application/vnd.oci.empty.v1+json")
    assert isinstance(found, Descriptor)
    assert Evidence.of(found, b"").form is form


def test_what_says_that_it_is_a_signature_and_holds_none_is_not_read() -> None:
    assert pieces(layer("application/octet-stream"), artifactType="application/vnd.dev.sigstore.bundle.v0.3+json") == []
    assert pieces_of(make_index().root) == ()


def test_a_layer_that_is_too_large_is_rejected_unread() -> None:
    (found,) = pieces(layer("application/vnd.dsse.envelope.v1+json", MAX_BYTES + 1))
    assert found == LeftUnread(f"has {MAX_BYTES + 1} bytes: at most {MAX_BYTES} are read")


def test_of_very_many_layers_the_first_are_read() -> None:
    found = pieces(*[layer("application/vnd.dev.cosign.simplesigning.v1+json")] * (MAX_PIECES + 1))
    assert len(found) == MAX_PIECES + 1
    assert found[-1] == LeftUnread("101 signatures in one manifest: the first 100 are read")


def test_of_all_that_speaks_of_an_image_the_first_bytes_are_read() -> None:
    """S10: two hundred referrers of a hundred pieces might have 300 GB."""
    large = Descriptor("application/vnd.dsse.envelope.v1+json", digest_of(b"a"), MAX_BYTES)
    small = Descriptor("application/vnd.dsse.envelope.v1+json", digest_of(b"b"), 1)
    bad = Rejected("damaged")
    assert list(first_of([large, bad, large])) == [large, bad, large]
    left = LeftUnread("what speaks of it has over 33554432 bytes: the first are read")
    assert list(first_of([large, large, small, bad])) == [large, large, left]
