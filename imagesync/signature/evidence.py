"""Evidence: what a registry holds that may prove something of an image, one layer of one manifest each.

Known by the layer's media type alone: cosign writes a wrong `artifactType` into lists of referrers, and so may anyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from imagesync.lazy import dataclass, field
from imagesync.manifest import Content, Descriptor, Manifest
from imagesync.signature.verdict import LeftUnread, Rejected

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE_ENVELOPE = "application/vnd.dsse.envelope.v1+json"
SIGSTORE_BUNDLE = "application/vnd.dev.sigstore.bundle"
"""How the media type of every version of a bundle begins."""
MAX_BYTES = 16 * 1024 * 1024
"""An SBOM of a large image within an attestation, in base64."""
MAX_ALL_BYTES = 32 * 1024 * 1024
"""Of all that is read of what speaks of one image: whoever may push there adds as much as he likes."""
MAX_PIECES = 100
"""Layers of one manifest that are looked at."""


class Form(Enum):
    """How a signature and what it signs are kept together."""

    PAYLOAD = "cosign signature"
    """The layer is what is signed; the signature stands in its annotations (cosign's `.sig` tag)."""
    ENVELOPE = "cosign attestation"
    """The layer is a DSSE envelope (cosign's `.att` tag)."""
    BUNDLE = "sigstore bundle"
    """The layer is a bundle with an envelope, and with certificate and log entry where it was signed keyless."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One layer with its bytes; they hash to the digest that the manifest says."""

    form: Form
    body: bytes = field(repr=False)
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, layer: Descriptor, body: bytes) -> Evidence:
        """`layer` is one that `pieces_of` named."""
        form = _form_of(layer)
        assert form is not None  # noqa: S101 - narrows: pieces_of names no other
        return cls(form, body, layer.annotations)


def pieces_of(content: Content) -> tuple[Descriptor | Rejected, ...]:
    """The layers of a manifest that hold evidence, and are to be read; a rejection for what is not read."""
    if not isinstance(content, Manifest):
        return ()
    layers = [layer for layer in content.layers if _form_of(layer)]
    pieces = [_within_bounds(layer) for layer in layers[:MAX_PIECES]]
    if len(layers) > MAX_PIECES:
        pieces.append(LeftUnread(f"{len(layers)} signatures in one manifest: the first {MAX_PIECES} are read"))
    return tuple(pieces)


def first_of(pieces: Iterable[Descriptor | Rejected]) -> Iterator[Descriptor | Rejected]:
    """The pieces of several manifests, as many as fit into MAX_ALL_BYTES; a rejection for what is not read."""
    left = MAX_ALL_BYTES
    for piece in pieces:
        left -= 0 if isinstance(piece, Rejected) else piece.size_bytes
        if left < 0:
            yield LeftUnread(f"what speaks of it has over {MAX_ALL_BYTES} bytes: the first are read")
            return
        yield piece


def _within_bounds(layer: Descriptor) -> Descriptor | Rejected:
    if layer.size_bytes > MAX_BYTES:
        return LeftUnread(f"has {layer.size_bytes} bytes: at most {MAX_BYTES} are read")
    return layer


def _form_of(layer: Descriptor) -> Form | None:
    if layer.media_type.startswith(SIGSTORE_BUNDLE):
        return Form.BUNDLE
    return {SIMPLE_SIGNING: Form.PAYLOAD, DSSE_ENVELOPE: Form.ENVELOPE}.get(layer.media_type)
