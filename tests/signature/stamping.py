"""A timestamp authority of the tests' own (RFC 3161): openssl answers for it, with the time of its clock."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIGURATION = """\
[tsa]
default_tsa = tests
[tests]
serial = serial
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
"""
_LIFETIME = timedelta(days=400)


class StampAuthority:
    """Keeps its files in `folder`. `chain` is what a trusted root says of it, the signer's certificate first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        root_key, signer_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = _certificate("root of the tests", "root of the tests", root_key.public_key(), root_key)
        signer = _certificate("stamps of the tests", "root of the tests", signer_key.public_key(), root_key)
        self.chain = [signer.public_bytes(Encoding.DER), root.public_bytes(Encoding.DER)]
        key = signer_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for name, body in {"signer.pem": signer.public_bytes(Encoding.PEM), "signer.key": key, "serial": b"01"}.items():
            (folder / name).write_bytes(body)
        (folder / "tsa.conf").write_text(_CONFIGURATION)

    def stamp(self, signature: bytes) -> bytes:
        """A timestamp response over a signature."""
        (self._folder / "signature").write_bytes(signature)
        self._openssl("-query", "-data", "signature", "-sha256", "-cert", "-out", "query")
        self._openssl("-reply", "-config", "tsa.conf", "-queryfile", "query", "-out", "reply")
        return (self._folder / "reply").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", "ts", *arguments], cwd=self._folder, check=True, capture_output=True)


def _certificate(
    name: str, issuer: str, public: ec.EllipticCurvePublicKey, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """The root signs itself; what it signs for another may stamp."""
    is_root = name == issuer
    start = datetime.now(UTC) - timedelta(days=1)
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    builder = (
        x509.CertificateBuilder(by, subject, public, x509.random_serial_number(), start, start + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(key, SHA256())
