"""Whatever anybody wrote: a verdict, never an error, and a reason that fits on a line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.reference import parse_reference
from imagesync.signature import (
    Evidence,
    Form,
    InRepository,
    Rejected,
    Verified,
    WantedAttestation,
    WantedSignature,
    verify,
)
from tests.signature.recorded import COSIGN, NGINX
from tests.signature.signers import DIGEST, NAME, SIGNATURE, SLSA_1, make_ecdsa, make_ed25519, make_payload

OWNER = make_ecdsa()
WANTED = (
    WantedSignature(DIGEST),
    WantedSignature(DIGEST, InRepository(parse_reference(NAME).repository)),
    WantedAttestation(DIGEST, SLSA_1, "https://*", "https://*"),
)
KEYS = {
    *("critical", "identity", "docker-reference", "image", "docker-manifest-digest", "type", "optional"),
    *("payload", "payloadType", "signatures", "sig", "dsseEnvelope", "mediaType", "verificationMaterial"),
    *("_type", "subject", "digest", "sha256", "predicateType", "predicate", "builder", "id", "runDetails"),
    *("buildDefinition", "externalParameters", "source", "workflow", "repository", "publicKey", "certificate"),
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(str(DIGEST)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(KEYS)), inner, max_size=6),
    max_leaves=30,
)
documents = st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode())
annotations = st.dictionaries(st.sampled_from([SIGNATURE, "dev.sigstore.cosign/certificate"]), st.text())


def rejected(evidence: Evidence, trust: Any = OWNER.trust) -> None:
    for wanted in WANTED:
        verdict = verify(evidence, wanted, trust)
        assert isinstance(verdict, Rejected)
        assert verdict.reason.isprintable()
        assert len(verdict.reason) < 1000


@given(st.sampled_from(Form), documents, annotations)
def test_whatever_the_bytes_are_they_are_rejected(form: Form, body: bytes, notes: dict[str, str]) -> None:
    rejected(Evidence(form, body, notes))


@given(values)
def test_whatever_the_owner_signs_there_is_a_verdict(value: Any) -> None:
    body = json.dumps(value).encode()
    for evidence in (OWNER.signature(body), OWNER.attestation(body), OWNER.bundle(body)):
        for wanted in WANTED:
            verdict = verify(evidence, wanted, OWNER.trust)
            assert isinstance(verdict, Rejected | Verified)


@given(st.data())
def test_one_changed_byte_of_a_signed_payload_is_noticed(data: st.DataObject) -> None:
    (good,) = NGINX.evidence
    position = data.draw(st.integers(0, len(good.body) - 1))
    body = bytearray(good.body)
    body[position] ^= data.draw(st.integers(1, 255))
    verdict = verify(Evidence(good.form, bytes(body), good.annotations), WantedSignature(NGINX.digest), NGINX.trust)
    assert isinstance(verdict, Rejected)


@given(st.data())
def test_a_changed_byte_of_a_bundle_never_changes_what_it_proves(data: st.DataObject) -> None:
    made = COSIGN["p256"]
    good = data.draw(st.sampled_from(made.of(Form.BUNDLE)))
    body = bytearray(good.body)
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    wanted = WantedSignature(made.digest)
    verdict = verify(Evidence(good.form, bytes(body)), wanted, made.trust)
    assert isinstance(verdict, Rejected) or verdict == verify(good, wanted, made.trust)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"critical":' * 50_000,
        b'{"payload":"' + b"A" * 1_000_000,
        b"9" * 10_000,
        b'{"a":1e999}',
        "{}".encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b'{"payload":"","payload":""}',
        b'{"payload":"\\ud800","payloadType":"\\ud800","signatures":[{"sig":""}]}',
    ],
)
def test_bytes_that_are_made_to_hurt_are_rejected(form: Form, body: bytes) -> None:
    rejected(Evidence(form, body, {SIGNATURE: "AAAA"}))
    rejected(Evidence(form, body, {SIGNATURE: "AAAA"}), make_ed25519().trust)


def test_a_key_that_stands_twice_is_refused_though_it_is_signed() -> None:
    """Another reader might see the other one."""
    doubled = make_payload().replace(b'{"critical"', b'{"critical": {}, "critical"')
    assert verify(OWNER.signature(doubled), WANTED[0], OWNER.trust) == Rejected("the payload is not JSON")


def test_an_envelope_with_very_many_signatures_is_not_tried() -> None:
    envelope = OWNER.envelope(b"{}")
    body = json.dumps({**envelope, "signatures": envelope["signatures"] * 9}).encode()
    verdict = verify(Evidence(Form.ENVELOPE, body), WANTED[0], OWNER.trust)
    assert verdict == Rejected("the envelope has 9 signatures: 1 to 8 are read")


def test_a_good_signature_among_others_in_one_envelope_counts() -> None:
    envelope = OWNER.envelope(make_payload(), "application/vnd.dev.cosign.simplesigning.v1+json")
    others = [{"sig": "AAAA"}, {"sig": ""}, *envelope["signatures"]]
    body = json.dumps({**envelope, "signatures": others}).encode()
    assert isinstance(verify(Evidence(Form.ENVELOPE, body), WANTED[0], OWNER.trust), Verified)
