"""Public keys: what is one, and whose signature is good."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from imagesync.errors import TrustError
from imagesync.signature import PublicKey
from tests.signature.recorded import COSIGN
from tests.signature.signers import SIGNERS, Signer, make_ecdsa, make_ed25519, make_rsa

MESSAGE = b"what is signed"


@pytest.fixture(scope="module", params=SIGNERS)
def signer(request: pytest.FixtureRequest) -> Signer:
    return SIGNERS[request.param]()


def test_a_key_knows_its_owners_signature(signer: Signer) -> None:
    assert signer.key.has_signed(MESSAGE, signer.sign(MESSAGE))


def test_a_signature_is_good_for_its_own_bytes_alone(signer: Signer) -> None:
    assert not signer.key.has_signed(MESSAGE + b".", signer.sign(MESSAGE))


def test_no_key_takes_the_signature_of_another(signer: Signer) -> None:
    for other in (make_ecdsa(), make_ed25519(), make_rsa()):
        assert not signer.key.has_signed(MESSAGE, other.sign(MESSAGE))


@pytest.mark.parametrize("signature", [b"", b"\0", b"\xff" * 64, b"0" * 256, b"\x30\x06\x02\x01\x00\x02\x01\x00"])
def test_what_is_no_signature_is_none_of_the_owner(signer: Signer, signature: bytes) -> None:
    assert not signer.key.has_signed(MESSAGE, signature)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="not installed: openssl")
@pytest.mark.parametrize("kind", ["P-256", "P-384 with SHA-256", "RSA PKCS1v15", "RSA PSS"])
def test_openssl_says_the_same_of_a_signature(kind: str, tmp_path: Path) -> None:
    signer = SIGNERS[kind]()
    files = {"key": signer.pem.encode(), "signature": signer.sign(MESSAGE), "message": MESSAGE}
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    pss = ["-sigopt", "rsa_padding_mode:pss"] if kind == "RSA PSS" else []
    command = ["openssl", "dgst", "-sha256", *pss, "-verify", "key", "-signature", "signature", "message"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Verified OK", done.stderr
    assert signer.key.has_signed(MESSAGE, files["signature"])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="not installed: openssl")
@pytest.mark.parametrize(("message", "code"), [(MESSAGE, 0), (MESSAGE + b"!", 1)])
def test_openssl_says_the_same_of_an_ed25519_signature(message: bytes, code: int, tmp_path: Path) -> None:
    """Which signs the message itself, so that `dgst` cannot verify it."""
    signer = SIGNERS["Ed25519"]()
    files = {"key": signer.pem.encode(), "signature": signer.sign(MESSAGE), "message": message}
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "key", "-sigfile", "signature"]
    done = subprocess.run([*command, "-in", "message"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert signer.key.has_signed(message, files["signature"]) is (code == 0)


def test_the_fingerprint_is_the_hash_of_the_der_form() -> None:
    """As cosign writes it into the hint of a bundle."""
    command = ["openssl", "pkey", "-pubin", "-outform", "DER"]
    der = subprocess.run(command, input=COSIGN["p256"].key.encode(), capture_output=True, check=True).stdout
    fingerprint = PublicKey.parse(COSIGN["p256"].key).fingerprint
    assert fingerprint == f"sha256:{hashlib.sha256(der).hexdigest()}"


def test_two_keys_are_equal_by_their_fingerprint() -> None:
    signer = make_ecdsa()
    assert signer.key == signer.key
    assert signer.key != make_ecdsa().key


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        ("", "no public key in PEM form"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key in PEM form"),
        ("-----BEGIN PUBLIC KEY-----\n\ud800\n-----END PUBLIC KEY-----\n", "no public key in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no public key in PEM form"),
        (make_ecdsa(ec.SECP521R1()).pem, "on the curve secp521r1"),
        (make_rsa(bits=1024).pem, "has 1024 bits"),
    ],
)
def test_what_can_verify_nothing_is_refused(pem: str, said: str) -> None:
    with pytest.raises(TrustError, match=said):
        PublicKey.parse(pem)


def test_a_private_key_is_refused_and_does_not_show_in_the_error() -> None:
    pem = make_ecdsa().private_pem
    with pytest.raises(TrustError, match="a private key") as raised:
        PublicKey.parse(pem)
    assert pem.splitlines()[1] not in str(raised.value)


def test_a_key_of_another_kind_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    with pytest.raises(TrustError, match="a key of another kind"):
        PublicKey.parse(Signer(X25519PrivateKey.generate(), bytes).pem)
