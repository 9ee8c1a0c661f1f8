"""Trust: who may sign. A trust opens a piece of evidence: what it gives out was signed by whom it trusts."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from imagesync.lazy import dataclass, field
from imagesync.signature.document import from_base64, read_object, value_at
from imagesync.signature.envelope import Envelope
from imagesync.signature.evidence import SIMPLE_SIGNING, Evidence, Form
from imagesync.signature.key import PublicKey
from imagesync.signature.verdict import Refusal

COSIGN_SIGNATURE = "dev.cosignproject.cosign/signature"
COSIGN_CERTIFICATE = "dev.sigstore.cosign/certificate"


@dataclass(frozen=True, slots=True)
class Signed:
    """Bytes that a trusted signer has signed, and of which type he signed that they are."""

    payload_type: str
    payload: bytes = field(repr=False)
    by: str
    log_time: datetime | None = None
    is_promised: bool = False
    """Whether the log has only promised to take it in: no proof that it did was there to verify."""


class Trust(Protocol):
    def open(self, evidence: Evidence) -> Signed:
        """What was signed. Raises Refusal where that was not by whom is trusted, or cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class KeyTrust:
    """Trusts the owner of one key. No log is asked: whoever has the key can sign at any time."""

    key: PublicKey

    def open(self, evidence: Evidence) -> Signed:
        match evidence.form:
            case Form.PAYLOAD:
                return self._open_payload(evidence)
            case Form.ENVELOPE:
                return self._open_envelope(Envelope.parse(evidence.body), evidence)
            case Form.BUNDLE:
                return self._open_envelope(Envelope.from_bundle(evidence.body), evidence)

    def _open_payload(self, evidence: Evidence) -> Signed:
        signature = from_base64(evidence.annotations.get(COSIGN_SIGNATURE, ""), "the signature")
        if not self.key.has_signed(evidence.body, signature):
            raise self._not_signed(evidence)
        return Signed(SIMPLE_SIGNING, evidence.body, self._by)

    def _open_envelope(self, envelope: Envelope, evidence: Evidence) -> Signed:
        if not any(self.key.has_signed(envelope.signed_bytes, signature) for signature in envelope.signatures):
            raise self._not_signed(evidence)
        return Signed(envelope.payload_type, envelope.payload, self._by)

    @property
    def _by(self) -> str:
        return f"key {self.key.fingerprint}"

    def _not_signed(self, evidence: Evidence) -> Refusal:
        wanted = f"wanted the key with fingerprint {self.key.fingerprint}"
        if is_keyless(evidence):
            return Refusal(f"signed without a key, by an identity; {wanted}")
        return Refusal(f"signed by another key, or changed since; {wanted}")


def is_keyless(evidence: Evidence) -> bool:
    """Whether it brings a certificate, by what it says of itself. Decides which reason is given. Raises Refusal."""
    if evidence.form is Form.BUNDLE:
        material = value_at(read_object(evidence.body, "the bundle"), "verificationMaterial")
        return value_at(material, "publicKey") is None
    return COSIGN_CERTIFICATE in evidence.annotations
