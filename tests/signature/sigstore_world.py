"""A sigstore of the tests' own: a certificate authority, a CT log and a transparency log, and what they vouch for.

What a verifier is told of it is `trusted_root`. Each part can be swapped for a stranger's, to see who notices.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from imagesync.signature import Evidence, Form
from tests.signature.signers import BUNDLE_TYPE, IN_TOTO, SIGNATURE
from tests.signature.stamping import StampAuthority

ISSUER = "https://token.actions.example.com"
IDENTITY = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
SIGNED_AT = datetime(2025, 3, 1, 12, 0, 5, tzinfo=UTC)
_ISSUER_V1 = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_ISSUER_V2 = ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_CERTIFIED_FOR = timedelta(minutes=10)
_ROOT_FROM = datetime(2024, 1, 1, tzinfo=UTC)


class Notary:
    """A key that signs for one part of the world."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.id = hashlib.sha256(self.der).digest()

    def sign(self, body: bytes) -> bytes:
        return self.private.sign(body, ec.ECDSA(SHA256()))

    def as_log(self) -> dict[str, Any]:
        key = {"rawBytes": _text(self.der), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": _valid()}
        log = {"baseUrl": "https://log.example.com", "hashAlgorithm": "SHA2_256", "publicKey": key}
        return {**log, "logId": {"keyId": _text(self.id)}}


@dataclass
class World:
    """`signed_at` is when the log saw the signature; the certificate is good for ten minutes from `certified_from` on.

    With `stamps` the time is that authority's word, and the log promises nothing: as Rekor 2 does it.
    """

    authority: Notary = field(default_factory=Notary)
    ct_log: Notary = field(default_factory=Notary)
    log: Notary = field(default_factory=Notary)
    signed_at: datetime = SIGNED_AT
    certified_from: datetime = SIGNED_AT - timedelta(seconds=5)
    stamps: StampAuthority | None = None

    def trusted_root(self) -> bytes:
        authorities = [_authority([self._root().public_bytes(Encoding.DER)])]
        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.log.as_log()],
            "certificateAuthorities": authorities,
            "ctlogs": [self.ct_log.as_log()],
            "timestampAuthorities": [_authority(self.stamps.chain)] if self.stamps else [],
        }
        return json.dumps(document).encode()

    def bundle(self, statement: bytes, identity: str = IDENTITY, issuer: str = ISSUER) -> dict[str, Any]:
        """A bundle as cosign 3 makes it without a key."""
        signer = Notary()
        certificate = self._certificate(signer, identity, issuer)
        signed = b"DSSEv1 %d %b %d %b" % (len(IN_TOTO), IN_TOTO.encode(), len(statement), statement)
        signature = signer.sign(signed)
        material: dict[str, Any] = {
            "certificate": {"rawBytes": _text(certificate.public_bytes(Encoding.DER))},
            "tlogEntries": [self._entry(statement, _text(signature), certificate)],
        }
        if self.stamps is not None:
            stamps = [{"signedTimestamp": _text(self.stamps.stamp(signature))}]
            material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
            del material["tlogEntries"][0]["inclusionPromise"], material["tlogEntries"][0]["integratedTime"]
        envelope = {"payload": _text(statement), "payloadType": IN_TOTO, "signatures": [{"sig": _text(signature)}]}
        return {"mediaType": BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope}

    def layer(self, payload: bytes, identity: str = IDENTITY, issuer: str = ISSUER) -> Evidence:
        """A layer as cosign 1 and 2 make it without a key: the log's promise stands in an annotation."""
        signer = Notary()
        certificate = self._certificate(signer, identity, issuer)
        signature = _text(signer.sign(payload))
        pem = certificate.public_bytes(Encoding.PEM)
        spec = {
            "data": {"hash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}},
            "signature": {"content": signature, "publicKey": {"content": _text(pem)}},
        }
        annotations = {
            SIGNATURE: signature,
            "dev.sigstore.cosign/certificate": pem.decode(),
            "dev.sigstore.cosign/bundle": json.dumps(self._promise("hashedrekord", spec)),
        }
        return Evidence(Form.PAYLOAD, payload, annotations)

    def attestation_layer(self, statement: bytes) -> Evidence:
        """The same of an attestation."""
        bundle = self.bundle(statement)
        (entry,) = bundle["verificationMaterial"]["tlogEntries"]
        spec = json.loads(base64.b64decode(entry["canonicalizedBody"]))["spec"]
        annotations = {
            "dev.sigstore.cosign/certificate": base64.b64decode(spec["signatures"][0]["verifier"]).decode(),
            "dev.sigstore.cosign/bundle": json.dumps(self._promise("dsse", spec)),
        }
        return Evidence(Form.ENVELOPE, json.dumps(bundle["dsseEnvelope"]).encode(), annotations)

    def _promise(self, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"apiVersion": "0.0.1", "kind": kind, "spec": spec}).encode()
        seconds = int(self.signed_at.timestamp())
        promised = _promised(body, seconds, self.log)
        return {"SignedEntryTimestamp": _text(self.log.sign(promised)), "Payload": json.loads(promised)}

    def _root(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the tests")])
        public = self.authority.private.public_key()
        builder = x509.CertificateBuilder(name, name, public, 1, _ROOT_FROM, _ROOT_FROM + timedelta(days=3650))
        usage = dict.fromkeys(_KEY_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        return (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.authority.private, SHA256())
        )

    def _certificate(self, signer: Notary, identity: str, issuer: str) -> x509.Certificate:
        public = self.authority.private.public_key()
        kind = x509.RFC822Name if "@" in identity and "://" not in identity else x509.UniformResourceIdentifier
        usage = dict.fromkeys(_KEY_USAGES, False) | {"digital_signature": True}
        encoded = issuer.encode()
        builder = (
            x509.CertificateBuilder(self._root().subject, x509.Name([]), signer.private.public_key(), 2)
            .not_valid_before(self.certified_from)
            .not_valid_after(self.certified_from + _CERTIFIED_FOR)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .add_extension(x509.SubjectAlternativeName([kind(identity)]), critical=True)
            .add_extension(x509.UnrecognizedExtension(_ISSUER_V1, encoded), critical=False)
            .add_extension(x509.UnrecognizedExtension(_ISSUER_V2, b"\x0c" + bytes([len(encoded)]) + encoded), False)
        )
        pre_certificate = builder.sign(self.authority.private, SHA256()).tbs_certificate_bytes
        scts = x509.UnrecognizedExtension(_SCT_LIST, self._sct_list(pre_certificate))
        return builder.add_extension(scts, critical=False).sign(self.authority.private, SHA256())

    def _sct_list(self, pre_certificate: bytes) -> bytes:
        """RFC 6962, 3.2 and 3.3: one timestamp of the CT log, as the extension's DER."""
        milliseconds = int(self.certified_from.timestamp() * 1000)
        entry = self.authority.id + len(pre_certificate).to_bytes(3, "big") + pre_certificate
        signature = self.ct_log.sign(struct.pack("!BBQH", 0, 0, milliseconds, 1) + entry + b"\0\0")
        sct = struct.pack("!B32sQH", 0, self.ct_log.id, milliseconds, 0)
        sct += struct.pack("!BBH", 4, 3, len(signature)) + signature
        listed = struct.pack("!HH", len(sct) + 2, len(sct)) + sct
        return (
            b"\x04" + bytes([len(listed)]) + listed
            if len(listed) < 128
            else b"\x04\x81" + bytes([len(listed)]) + listed
        )

    def _entry(self, statement: bytes, signature: str, certificate: x509.Certificate) -> dict[str, Any]:
        """An entry in the log, which holds nothing else: promised (SET), included and under a signed checkpoint."""
        verifier = _text(certificate.public_bytes(Encoding.PEM))
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(statement).hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(statement).hexdigest()},
            "signatures": [{"signature": signature, "verifier": verifier}],
        }
        body = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}).encode()
        seconds = int(self.signed_at.timestamp())
        root_hash = hashlib.sha256(b"\0" + body).digest()
        return {
            "logIndex": "0",
            "logId": {"keyId": _text(self.log.id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(seconds),
            "inclusionPromise": {"signedEntryTimestamp": _text(self.log.sign(_promised(body, seconds, self.log)))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _text(root_hash),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": self._checkpoint(root_hash)},
            },
            "canonicalizedBody": _text(body),
        }

    def _checkpoint(self, root_hash: bytes) -> str:
        note = f"log.example.com - 1\n1\n{_text(root_hash)}\n"
        return f"{note}\n\u2014 log.example.com {_text(self.log.id[:4] + self.log.sign(note.encode()))}\n"


def as_evidence(bundle: dict[str, Any]) -> Evidence:
    return Evidence(Form.BUNDLE, json.dumps(bundle).encode())


def _promised(body: bytes, seconds: int, log: Notary) -> bytes:
    promise = {"body": _text(body), "integratedTime": seconds, "logID": log.id.hex(), "logIndex": 0}
    return json.dumps(promise, separators=(",", ":"), sort_keys=True).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _authority(chain: list[bytes]) -> dict[str, Any]:
    return {
        "subject": {"organization": "tests", "commonName": "tests"},
        "uri": "https://authority.example.com",
        "certChain": {"certificates": [{"rawBytes": _text(certificate)} for certificate in chain]},
        "validFor": _valid(),
    }


def _valid() -> dict[str, str]:
    return {"start": "2024-01-01T00:00:00Z"}


_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
