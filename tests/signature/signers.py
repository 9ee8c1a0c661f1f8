"""Signers that tests make: keys of every kind, and what cosign would write with them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from imagesync.manifest import digest_of
from imagesync.reference import Digest
from imagesync.signature import Evidence, Form, KeyTrust, PublicKey

DIGEST = digest_of(b"the image that is gated")
OTHER_DIGEST = digest_of(b"another image")
NAME = "registry.example.com/shop/api:1.4.0"
SIGNATURE = "dev.cosignproject.cosign/signature"
IN_TOTO = "application/vnd.in-toto+json"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SLSA_1 = "https://slsa.dev/provenance/v1"
SLSA_02 = "https://slsa.dev/provenance/v0.2"
COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"

_PSS = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)


@dataclass(frozen=True)
class Signer:
    """A private key, and how it signs."""

    private: Any
    sign: Callable[[bytes], bytes]

    @property
    def pem(self) -> str:
        form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return self.private.public_key().public_bytes(*form).decode()

    @property
    def private_pem(self) -> str:
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return self.private.private_bytes(*form).decode()

    def private_pem_with(self, password: str) -> str:
        """As `openssl genpkey -aes256` writes it."""
        encryption = serialization.BestAvailableEncryption(password.encode())
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        return self.private.private_bytes(*form).decode()

    @property
    def key(self) -> PublicKey:
        return PublicKey.parse(self.pem)

    @property
    def trust(self) -> KeyTrust:
        return KeyTrust(self.key)

    def signature(self, payload: bytes | None = None, **annotations: str) -> Evidence:
        """A layer of cosign's `.sig` manifest."""
        body = make_payload() if payload is None else payload
        signature = base64.b64encode(self.sign(body)).decode()
        return Evidence(Form.PAYLOAD, body, {SIGNATURE: signature, **annotations})

    def envelope(self, payload: bytes, payload_type: str = IN_TOTO) -> dict[str, Any]:
        signed = b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type.encode(), len(payload), payload)
        return {
            "payloadType": payload_type,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"sig": base64.b64encode(self.sign(signed)).decode()}],
        }

    def attestation(self, statement: bytes) -> Evidence:
        """A layer of cosign's `.att` manifest."""
        return Evidence(Form.ENVELOPE, json.dumps(self.envelope(statement)).encode())

    def bundle(self, statement: bytes, payload_type: str = IN_TOTO) -> Evidence:
        """A bundle as cosign 3 makes it with a key."""
        material = {"publicKey": {"hint": "any"}}
        envelope = self.envelope(statement, payload_type)
        document = {"mediaType": BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}
        return Evidence(Form.BUNDLE, json.dumps(document).encode())


def make_payload(
    digest: str = DIGEST, name: str = NAME, kind: str = "cosign container image signature", **more: Any
) -> bytes:
    """cosign's payload of simple signing."""
    critical = {"identity": {"docker-reference": name}, "image": {"docker-manifest-digest": digest}, "type": kind}
    return json.dumps({"critical": critical, "optional": None, **more}).encode()


def make_statement(
    predicate_type: str = COSIGN_SIGN, predicate: Any = None, *, digests: tuple[Digest, ...] = (DIGEST,), **more: Any
) -> bytes:
    """An in-toto statement about these digests."""
    subjects = [{"name": "api", "digest": {one.algorithm: one.encoded}} for one in digests]
    document = {"_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": predicate_type}
    return json.dumps({**document, "predicate": predicate or {}, **more}).encode()


def make_ecdsa(curve: ec.EllipticCurve | None = None, algorithm: Any = None) -> Signer:
    private = ec.generate_private_key(curve or ec.SECP256R1())
    return Signer(private, lambda body: private.sign(body, ec.ECDSA(algorithm or SHA256())))


def make_ed25519() -> Signer:
    private = ed25519.Ed25519PrivateKey.generate()
    return Signer(private, private.sign)


def make_rsa(form: padding.AsymmetricPadding | None = None, bits: int = 2048) -> Signer:
    private = rsa.generate_private_key(65537, bits)
    return Signer(private, lambda body: private.sign(body, form or padding.PKCS1v15(), SHA256()))


SIGNERS: dict[str, Callable[[], Signer]] = {
    "P-256": make_ecdsa,
    "P-384 with SHA-256": lambda: make_ecdsa(ec.SECP384R1()),
    "P-384 with SHA-384": lambda: make_ecdsa(ec.SECP384R1(), SHA384()),
    "Ed25519": make_ed25519,
    "RSA PKCS1v15": make_rsa,
    "RSA PSS": lambda: make_rsa(_PSS),
}
