"""cosign's old keyless form: certificate and the log's promise in annotations, verified as a bundle is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.signature import (
    Evidence,
    Keyless,
    Rejected,
    Signer,
    Verified,
    WantedAttestation,
    WantedSignature,
    verify,
)
from tests.signature.signers import (
    DIGEST,
    NAME,
    OTHER_DIGEST,
    SIGNATURE,
    SLSA_1,
    make_ecdsa,
    make_payload,
    make_statement,
)
from tests.signature.sigstore_world import IDENTITY, ISSUER, SIGNED_AT, Notary, World

CERTIFICATE, PROMISE = "dev.sigstore.cosign/certificate", "dev.sigstore.cosign/bundle"
WORLD = World()
SIGNER = Signer(ISSUER, IDENTITY)
TRUST = Keyless.of(SIGNER, WORLD.trusted_root())
WANTED = WantedSignature(DIGEST)
BY = f"{IDENTITY} ({ISSUER})"
GOOD, OTHER = WORLD.layer(make_payload()), WORLD.layer(make_payload())


def reason(evidence: Evidence, trust: Keyless = TRUST, wanted: Any = WANTED) -> str:
    verdict = verify(evidence, wanted, trust)
    assert isinstance(verdict, Rejected), verdict
    return verdict.reason


def changed(evidence: Evidence = GOOD, **annotations: str) -> Evidence:
    names = {"certificate": CERTIFICATE, "promise": PROMISE, "signature": SIGNATURE}
    new = {names[key]: value for key, value in annotations.items()}
    return replace(evidence, annotations={**evidence.annotations, **new})


def promise(**seen: Any) -> str:
    """The good promise, with other values in what the log has signed."""
    document = json.loads(GOOD.annotations[PROMISE])
    return json.dumps({**document, "Payload": {**document["Payload"], **seen}})


def test_a_signature_that_the_log_has_promised_to_take_in_verifies_and_says_so() -> None:
    assert verify(GOOD, WANTED, TRUST) == Verified(BY, NAME, SIGNED_AT, is_promised=True)


def test_an_attestation_in_that_form_verifies() -> None:
    layer = WORLD.attestation_layer(make_statement(SLSA_1))
    verdict = verify(layer, WantedAttestation(DIGEST, SLSA_1), TRUST)
    assert isinstance(verdict, Verified)
    assert (verdict.by, verdict.log_time, verdict.is_promised) == (BY, SIGNED_AT, True)


@pytest.mark.parametrize("part", ["authority", "ct_log", "log"])
def test_it_is_rejected_where_one_part_is_a_strangers(part: str) -> None:
    stranger = replace(WORLD, **{part: Notary()})
    assert reason(stranger.layer(make_payload())).isprintable()


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (replace(GOOD, body=make_payload(OTHER_DIGEST)), "Signature is invalid for input"),
        (changed(signature=OTHER.annotations[SIGNATURE]), "Signature is invalid for input"),
        (changed(certificate=OTHER.annotations[CERTIFICATE]), "Signature is invalid for input"),
        (changed(promise=OTHER.annotations[PROMISE]), "transparency log entry is inconsistent with other materials"),
        (changed(promise=promise(integratedTime=int(SIGNED_AT.timestamp()) + 1)), "invalid inclusion promise"),
        (changed(promise=promise(logIndex=1)), "invalid inclusion promise"),
        (changed(promise=promise(integratedTime=0)), "the log has promised nothing"),
        (changed(promise="{}"), "the log's entry is not JSON"),
        (changed(promise=""), "the log's promise is not JSON"),
        (changed(certificate="PEM"), "the certificate or the log's promise cannot be read: ValueError"),
        (WORLD.layer(make_payload(OTHER_DIGEST)), "speaks of another digest"),
        (WORLD.layer(make_payload(), identity="mallory@example.com"), "signed by 'mallory@example.com', wanted"),
        (WORLD.layer(make_payload(), issuer="https://else.example"), "another issuer vouches for the signer"),
    ],
)
def test_what_is_not_as_the_log_has_seen_it_is_rejected(evidence: Evidence, expected: str) -> None:
    assert expected in reason(evidence)


def test_a_certificate_that_was_over_when_the_log_saw_it_is_rejected() -> None:
    late = replace(WORLD, signed_at=SIGNED_AT + timedelta(hours=1))
    assert reason(late.layer(make_payload())).isprintable()


def test_a_bundle_still_needs_a_proof() -> None:
    """The promise is believed of the old form alone."""
    bundle = WORLD.bundle(make_statement())
    del bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    evidence = Evidence(make_ecdsa().bundle(b"").form, json.dumps(bundle).encode())
    assert reason(evidence).isprintable()


def test_a_keyless_layer_is_none_of_a_keys_owner() -> None:
    verdict = verify(GOOD, WANTED, make_ecdsa().trust)
    assert isinstance(verdict, Rejected)
    assert verdict.reason.startswith("signed without a key, by an identity; wanted the key")


texts = st.text(max_size=20) | st.integers() | st.none() | st.lists(st.none(), max_size=1) | st.just({})


@given(st.sampled_from(["SignedEntryTimestamp", "Payload", "body", "integratedTime", "logIndex", "logID"]), texts)
def test_whatever_stands_in_a_promise_there_is_a_verdict(key: str, value: Any) -> None:
    document = json.loads(GOOD.annotations[PROMISE])
    place = document if key in document else document["Payload"]
    place[key] = value
    verdict = verify(changed(promise=json.dumps(document)), WANTED, TRUST)
    assert isinstance(verdict, Rejected) or verdict == verify(GOOD, WANTED, TRUST)
