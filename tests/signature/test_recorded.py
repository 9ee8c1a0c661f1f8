"""What other programs have signed: it verifies, and nothing else about it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagesync.reference import parse_reference
from imagesync.signature import (
    Exactly,
    Form,
    InRepository,
    Rejected,
    Remapped,
    SignedAs,
    Verified,
    WantedAttestation,
    WantedSignature,
    verify,
)
from tests.signature.recorded import COSIGN, COSIGN_ED25519, NGINX
from tests.signature.signers import OTHER_DIGEST, SLSA_1, make_ecdsa

HERE = parse_reference("mirror.example.com/library/nginx:1.22.1")
(SIGNATURE,) = NGINX.evidence


def test_the_signature_that_skopeo_made_verifies() -> None:
    verdict = verify(SIGNATURE, WantedSignature(NGINX.digest), NGINX.trust)
    assert verdict == Verified(f"key {NGINX.trust.key.fingerprint}", NGINX.name)


def test_it_is_rejected_with_another_key() -> None:
    verdict = verify(SIGNATURE, WantedSignature(NGINX.digest), make_ecdsa().trust)
    assert isinstance(verdict, Rejected)
    assert verdict.reason.startswith("signed by another key, or changed since; wanted the key with fingerprint sha256:")


def test_it_is_rejected_for_another_digest() -> None:
    verdict = verify(SIGNATURE, WantedSignature(OTHER_DIGEST), NGINX.trust)
    assert verdict == Rejected(f"speaks of another digest: '{NGINX.digest}'")


@pytest.mark.parametrize("change", [(b"1.22.1", b"1.22.2"), (b'{"critical"', b'{ "critical"'), (b"9fe0", b"9fe1")])
def test_it_is_rejected_with_a_changed_payload(change: tuple[bytes, bytes]) -> None:
    tampered = replace(SIGNATURE, body=SIGNATURE.body.replace(*change))
    assert tampered != SIGNATURE
    verdict = verify(tampered, WantedSignature(NGINX.digest), NGINX.trust)
    assert isinstance(verdict, Rejected)
    assert "changed since" in verdict.reason


@pytest.mark.parametrize(
    "signed_as",
    [
        Exactly(parse_reference(NGINX.name)),
        InRepository(parse_reference(NGINX.name).repository),
        Remapped.of(HERE, {"mirror.example.com": "127.0.0.1:7003"}),
    ],
)
def test_its_name_is_the_one_that_was_signed(signed_as: SignedAs) -> None:
    verdict = verify(SIGNATURE, WantedSignature(NGINX.digest, signed_as), NGINX.trust)
    assert isinstance(verdict, Verified)


@pytest.mark.parametrize("signed_as", [Exactly(HERE), InRepository(HERE.repository), Remapped.of(HERE, {})])
def test_it_is_rejected_under_another_name(signed_as: SignedAs) -> None:
    verdict = verify(SIGNATURE, WantedSignature(NGINX.digest, signed_as), NGINX.trust)
    assert verdict == Rejected(f"signed as '{NGINX.name}', wanted {signed_as}")


@pytest.mark.parametrize("kind", COSIGN)
def test_both_forms_of_cosigns_signature_verify(kind: str) -> None:
    made = COSIGN[kind]
    wanted = WantedSignature(made.digest)
    by = f"key {made.trust.key.fingerprint}"
    (payload,) = made.of(Form.PAYLOAD)
    assert verify(payload, wanted, made.trust) == Verified(by, made.name)
    good = [verify(bundle, wanted, made.trust) for bundle in made.of(Form.BUNDLE)]
    assert Verified(by) in good
    assert Rejected(f"is an attestation of '{SLSA_1}', not a signature") in good


@pytest.mark.parametrize("kind", COSIGN)
def test_both_forms_of_cosigns_attestation_verify(kind: str) -> None:
    made = COSIGN[kind]
    wanted = WantedAttestation(made.digest, SLSA_1, "https://example.com/*", "https://github.com/acme/app")
    verdicts = [verify(piece, wanted, made.trust) for piece in made.evidence]
    attested = [verdict.attested for verdict in verdicts if isinstance(verdict, Verified)]
    assert len(attested) == 2
    assert {(one.builder, one.source) for one in attested if one} == {
        ("https://example.com/builder", "https://github.com/acme/app")
    }


@pytest.mark.parametrize("kind", COSIGN)
def test_nothing_of_cosigns_verifies_with_a_strangers_key(kind: str) -> None:
    stranger = make_ecdsa().trust
    wanted = WantedSignature(COSIGN[kind].digest), WantedAttestation(COSIGN[kind].digest, SLSA_1)
    assert len(COSIGN[kind].evidence) == 4
    for piece in COSIGN[kind].evidence:
        assert all(isinstance(verify(piece, one, stranger), Rejected) for one in wanted)


def test_what_cosign_rejects_of_its_own_is_rejected() -> None:
    wanted = WantedSignature(COSIGN_ED25519.digest)
    assert len(COSIGN_ED25519.evidence) == 4
    for piece in COSIGN_ED25519.evidence:
        assert isinstance(verify(piece, wanted, COSIGN_ED25519.trust), Rejected)
