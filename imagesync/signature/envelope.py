"""DSSE envelopes: a payload, its type and signatures over both; alone, or within a sigstore bundle.

https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

from __future__ import annotations

from imagesync.lazy import dataclass, field
from imagesync.signature.document import from_base64, list_at, read_object, shown, text_at, value_at
from imagesync.signature.evidence import SIGSTORE_BUNDLE
from imagesync.signature.verdict import Refusal

MAX_SIGNATURES = 8


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope as it was written; nothing of it is verified yet."""

    payload_type: str
    payload: bytes = field(repr=False)
    signatures: tuple[bytes, ...] = field(repr=False)

    @property
    def signed_bytes(self) -> bytes:
        """What the signatures are over: DSSE's pre-authentication encoding."""
        kind = self.payload_type.encode("utf-8", "surrogatepass")
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)

    @classmethod
    def parse(cls, raw: bytes) -> Envelope:
        """Raises Refusal."""
        return cls.from_dict(read_object(raw, "the envelope"))

    @classmethod
    def from_bundle(cls, raw: bytes) -> Envelope:
        """The envelope of a sigstore bundle. Raises Refusal."""
        bundle = read_object(raw, "the bundle")
        media_type = text_at(bundle, "mediaType")
        if not media_type.startswith(SIGSTORE_BUNDLE):
            raise Refusal(f"the bundle says that it is {shown(media_type)}")
        if value_at(bundle, "dsseEnvelope") is None:
            raise Refusal("the bundle signs a file, no statement about an image")
        return cls.from_dict(value_at(bundle, "dsseEnvelope"))

    @classmethod
    def from_dict(cls, document: object) -> Envelope:
        signatures = [text_at(entry, "sig") for entry in list_at(document, "signatures")]
        if not 0 < len(signatures) <= MAX_SIGNATURES:
            raise Refusal(f"the envelope has {len(signatures)} signatures: 1 to {MAX_SIGNATURES} are read")
        return cls(
            text_at(document, "payloadType"),
            from_base64(text_at(document, "payload"), "the envelope's payload"),
            tuple(from_base64(signature, "the envelope's signature") for signature in signatures),
        )
