"""cosign's old keyless form as a sigstore bundle: certificate and the log's promise stand in a layer's annotations.

The log has signed what it saw, and when, and promised to take that in; cosign believes it without a proof. All else is
verified as of a bundle, by `sigstore`. That rule of its alone is left out here, in two of its classes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from sigstore.models import Bundle, InvalidBundle, TransparencyLogEntry
from sigstore_models.bundle.v1 import Bundle as Document

from imagesync.signature.document import from_base64, read_object, text_at, value_at
from imagesync.signature.evidence import SIGSTORE_BUNDLE, Evidence, Form
from imagesync.signature.trust import COSIGN_CERTIFICATE, COSIGN_SIGNATURE

if TYPE_CHECKING:
    from sigstore._internal.trust import RekorKeyring

COSIGN_PROMISE = "dev.sigstore.cosign/bundle"


class PromisedEntry(TransparencyLogEntry):
    """An entry that the log has promised to take in."""

    def _validate(self) -> None:
        if self._inner.inclusion_promise is None or not self._inner.integrated_time:
            raise InvalidBundle("the log has promised nothing")

    def _verify(self, keyring: RekorKeyring) -> None:
        self._verify_set(keyring)


class PromisedBundle(Bundle):
    """A bundle with one certificate and one entry, which is promised."""

    def _verify(self) -> None:
        material = self._inner.verification_material
        if material.certificate is None or len(material.tlog_entries) != 1:
            raise InvalidBundle("expected a certificate, and one log entry")
        self._signing_certificate = load_der_x509_certificate(material.certificate.raw_bytes)
        self._log_entry = PromisedEntry(material.tlog_entries[0])


def promised_bundle(evidence: Evidence) -> PromisedBundle:
    """What the annotations hold. Raises Refusal, ValueError or TypeError where they do not, or sigstore's Error."""
    certificate = load_pem_x509_certificate(evidence.annotations.get(COSIGN_CERTIFICATE, "").encode())
    promise = read_object(evidence.annotations.get(COSIGN_PROMISE, ""), "the log's promise")
    material = {
        "certificate": {"rawBytes": _text(certificate.public_bytes(Encoding.DER))},
        "tlogEntries": [_entry(promise)],
    }
    document = {"mediaType": f"{SIGSTORE_BUNDLE}.v0.3+json", "verificationMaterial": material, **_content(evidence)}
    return PromisedBundle(Document.from_json(json.dumps(document)))


def _entry(promise: dict[str, Any]) -> dict[str, Any]:
    """The proof is there for the form alone: without a checkpoint it proves nothing, and is not looked at."""
    seen = value_at(promise, "Payload")
    body = read_object(from_base64(text_at(seen, "body"), "the log's entry"), "the log's entry")
    index, seconds = (str(value_at(seen, key)) for key in ("logIndex", "integratedTime"))
    return {
        "logIndex": index,
        "logId": {"keyId": _text(bytes.fromhex(text_at(seen, "logID")))},
        "kindVersion": {"kind": text_at(body, "kind"), "version": text_at(body, "apiVersion")},
        "integratedTime": seconds,
        "inclusionPromise": {"signedEntryTimestamp": text_at(promise, "SignedEntryTimestamp")},
        "inclusionProof": {"logIndex": "0", "treeSize": "1", "rootHash": "", "hashes": []},
        "canonicalizedBody": text_at(seen, "body"),
    }


def _content(evidence: Evidence) -> dict[str, Any]:
    if evidence.form is Form.ENVELOPE:
        return {"dsseEnvelope": read_object(evidence.body, "the envelope")}
    digest = {"algorithm": "SHA2_256", "digest": _text(hashlib.sha256(evidence.body).digest())}
    signature = evidence.annotations.get(COSIGN_SIGNATURE, "")
    return {"messageSignature": {"messageDigest": digest, "signature": signature}}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
