"""Private keys: which are read, what opens those with a password, and what is said of the others."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from imagesync.errors import TrustError, UsageError
from imagesync.signature.signing import PrivateKey
from tests.signature.signers import SIGNERS, Signer, make_ecdsa, make_ed25519

MESSAGE = b"what is signed"


@pytest.fixture(scope="module", params=SIGNERS)
def signer(request: pytest.FixtureRequest) -> Signer:
    return SIGNERS[request.param]()


def never() -> str:
    raise AssertionError("nobody had to be asked for a password")


def test_a_key_signs_what_its_public_half_knows(signer: Signer) -> None:
    key = PrivateKey.parse(signer.private_pem, never)
    assert key.public == signer.key
    assert signer.key.has_signed(MESSAGE, key.sign(MESSAGE))


def test_a_key_with_a_password_opens_with_it(signer: Signer) -> None:
    key = PrivateKey.parse(signer.private_pem_with("hünter2"), lambda: "hünter2")
    assert signer.key.has_signed(MESSAGE, key.sign(MESSAGE))


def test_another_password_does_not_open_it_and_stands_in_no_error() -> None:
    with pytest.raises(TrustError) as raised:
        PrivateKey.parse(make_ecdsa().private_pem_with("hunter2"), lambda: "hunter3")
    assert "does not open with its password" in str(raised.value)
    assert "hunter" not in str(raised.value)


def test_a_password_that_is_missing_is_named() -> None:
    def missing() -> str:
        raise UsageError("secret COSIGN_PASSWORD is not set in the environment", hint="export COSIGN_PASSWORD")

    with pytest.raises(TrustError) as raised:
        PrivateKey.parse(make_ed25519().private_pem_with("x"), missing)
    assert "has a password, and secret COSIGN_PASSWORD is not set" in raised.value.message
    assert raised.value.hint == "export COSIGN_PASSWORD"


@pytest.mark.parametrize("form", ["SIGSTORE", "COSIGN"])
def test_what_only_cosign_reads_is_refused_with_what_both_read(form: str) -> None:
    pem = (
        f"-----BEGIN ENCRYPTED {form} PRIVATE KEY-----\neyJrZGYiOnt9fQ==\n-----END ENCRYPTED {form} PRIVATE KEY-----\n"
    )
    with pytest.raises(TrustError) as raised:
        PrivateKey.parse(pem, never)
    assert "cosign's own encrypted form" in raised.value.message
    assert "cosign import-key-pair" in str(raised.value.hint)


@pytest.mark.parametrize("pem", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(pem: str) -> None:
    with pytest.raises(TrustError, match="no private key in PEM form"):
        PrivateKey.parse(pem, never)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_key_that_openssl_has_encrypted_is_read() -> None:
    made = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:hunter2"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert "BEGIN ENCRYPTED PRIVATE KEY" in made
    key = PrivateKey.parse(made, lambda: "hunter2")
    assert key.public.has_signed(MESSAGE, key.sign(MESSAGE))
