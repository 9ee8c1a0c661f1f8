"""What is wanted of a signature and of an attestation, and each reason to reject one."""

from __future__ import annotations

import json

import pytest

from imagesync.reference import Digest, parse_reference
from imagesync.signature import (
    Attested,
    Evidence,
    Exactly,
    Form,
    InRepository,
    Rejected,
    Verified,
    WantedAttestation,
    WantedSignature,
    decide,
    verify,
)
from tests.signature.signers import (
    DIGEST,
    IN_TOTO,
    NAME,
    OTHER_DIGEST,
    SLSA_02,
    SLSA_1,
    make_ecdsa,
    make_payload,
    make_statement,
)

OWNER = make_ecdsa()
BY = f"key {OWNER.key.fingerprint}"
WANTED = WantedSignature(DIGEST)
PROVENANCE = {
    "buildDefinition": {"externalParameters": {"workflow": {"repository": "https://github.com/acme/app"}}},
    "runDetails": {"builder": {"id": "https://github.com/actions/runner/github-hosted"}},
}


def reason(evidence: Evidence, wanted: WantedSignature | WantedAttestation = WANTED) -> str:
    verdict = verify(evidence, wanted, OWNER.trust)
    assert isinstance(verdict, Rejected), verdict
    return verdict.reason


def test_a_signature_verifies_and_says_by_whom_and_as_what() -> None:
    assert verify(OWNER.signature(), WANTED, OWNER.trust) == Verified(BY, NAME)


def test_a_statement_that_is_a_signature_verifies_in_a_bundle() -> None:
    assert verify(OWNER.bundle(make_statement()), WANTED, OWNER.trust) == Verified(BY)


def test_one_subject_of_many_is_enough() -> None:
    statement = make_statement(digests=(OTHER_DIGEST, DIGEST))
    assert verify(OWNER.bundle(statement), WANTED, OWNER.trust) == Verified(BY)


def test_a_digest_of_another_algorithm_is_compared_as_itself() -> None:
    digest = Digest("sha512:" + "a" * 128)
    assert verify(OWNER.bundle(make_statement(digests=(digest,))), WantedSignature(digest), OWNER.trust) == Verified(BY)


@pytest.mark.parametrize(
    "evidence", [OWNER.signature(make_payload(OTHER_DIGEST)), OWNER.bundle(make_statement(digests=(OTHER_DIGEST,)))]
)
def test_another_digest_is_named(evidence: Evidence) -> None:
    assert reason(evidence) == f"speaks of another digest: '{OTHER_DIGEST}'"


def test_a_statement_about_nothing_speaks_of_no_digest() -> None:
    assert reason(OWNER.bundle(make_statement(digests=()))) == "speaks of another digest: of none"


def test_what_is_no_digest_of_a_subject_is_passed_over() -> None:
    subjects = [None, {}, {"digest": "sha256"}, {"digest": {"sha256": 7}}, {"digest": {"sha256": DIGEST.encoded}}]
    assert verify(OWNER.bundle(make_statement(subject=subjects)), WANTED, OWNER.trust) == Verified(BY)


def test_another_type_of_payload_is_named() -> None:
    assert reason(OWNER.signature(make_payload(kind="atomic container signature"))).startswith(
        "the payload is of type 'atomic container signature', wanted"
    )


def test_another_type_of_envelope_or_statement_is_named() -> None:
    assert "signs 'text/plain', no statement of in-toto" in reason(OWNER.bundle(make_statement(), "text/plain"))
    assert "of type 'other', not one of in-toto" in reason(OWNER.bundle(make_statement(_type="other")))


def test_the_type_that_was_signed_with_the_payload_decides_how_it_is_read() -> None:
    simple = "application/vnd.dev.cosign.simplesigning.v1+json"
    assert verify(OWNER.bundle(make_payload(), simple), WANTED, OWNER.trust) == Verified(BY, NAME)
    assert "not one of in-toto" in reason(OWNER.bundle(make_payload(), IN_TOTO))
    assert "no statement" not in reason(OWNER.signature(make_statement()))


def test_a_signature_in_a_layer_of_another_form_is_none() -> None:
    signature = OWNER.signature()
    assert "the envelope" in reason(Evidence(Form.ENVELOPE, signature.body, signature.annotations))
    assert "the bundle" in reason(Evidence(Form.BUNDLE, signature.body, signature.annotations))


def test_a_bundle_that_signs_a_file_says_nothing_of_an_image() -> None:
    document = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "messageSignature": {}}
    assert reason(Evidence(Form.BUNDLE, json.dumps(document).encode())) == (
        "the bundle signs a file, no statement about an image"
    )


def test_a_signature_by_an_identity_says_so_where_a_key_is_wanted() -> None:
    stranger = make_ecdsa()
    signature = stranger.signature(**{"dev.sigstore.cosign/certificate": "PEM"})
    assert reason(signature).startswith("signed without a key, by an identity; wanted the key with fingerprint sha256:")


def test_where_a_name_is_wanted_the_signed_one_must_fit() -> None:
    here = parse_reference(NAME)
    other = parse_reference("registry.example.com/shop/worker:1.4.0")
    assert verify(OWNER.signature(), WantedSignature(DIGEST, Exactly(here)), OWNER.trust) == Verified(BY, NAME)
    assert reason(OWNER.signature(), WantedSignature(DIGEST, InRepository(other.repository))) == (
        f"signed as '{NAME}', wanted registry.example.com/shop/worker"
    )


@pytest.mark.parametrize("name", ["::not a name::", "\x1b[31m", "x" * 5000])
def test_a_signed_name_that_is_none_is_rejected_and_shown_safely(name: str) -> None:
    wanted = WantedSignature(DIGEST, Exactly(parse_reference(NAME)))
    said = reason(OWNER.signature(make_payload(name=name)), wanted)
    assert said.startswith("signed as ")
    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.parametrize("evidence", [OWNER.signature(make_payload(name="")), OWNER.bundle(make_statement())])
def test_what_signs_no_name_is_not_enough_where_one_is_wanted(evidence: Evidence) -> None:
    wanted = WantedSignature(DIGEST, Exactly(parse_reference(NAME)))
    assert reason(evidence, wanted) == f"signs the digest and no name, wanted {NAME}"


def test_provenance_verifies_and_says_builder_and_source() -> None:
    wanted = WantedAttestation(DIGEST, SLSA_1, "https://github.com/actions/*", "git+https://github.com/acme/*")
    for evidence in (OWNER.attestation, OWNER.bundle):
        verdict = verify(evidence(make_statement(SLSA_1, PROVENANCE)), wanted, OWNER.trust)
        assert isinstance(verdict, Verified)
        assert verdict.attested == Attested(
            SLSA_1, "https://github.com/actions/runner/github-hosted", "https://github.com/acme/app"
        )


def test_older_provenance_names_builder_and_source_elsewhere() -> None:
    predicate = {
        "builder": {"id": "https://example.com/builder"},
        "invocation": {"configSource": {"uri": "git+https://github.com/acme/app.git@refs/tags/v1"}},
    }
    verdict = verify(
        OWNER.attestation(make_statement(SLSA_02, predicate)), WantedAttestation(DIGEST, SLSA_02), OWNER.trust
    )
    assert isinstance(verdict, Verified)
    assert verdict.attested == Attested(SLSA_02, "https://example.com/builder", "https://github.com/acme/app")


def test_a_dependency_is_not_the_source() -> None:
    """Whoever builds something else can depend on the wanted repository."""
    predicate = {"buildDefinition": {"resolvedDependencies": [{"uri": "git+https://github.com/acme/app"}]}}
    wanted = WantedAttestation(DIGEST, SLSA_1, source="https://github.com/acme/app")
    assert reason(OWNER.attestation(make_statement(SLSA_1, predicate)), wanted) == (
        "built from '', wanted https://github.com/acme/app"
    )


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (WantedAttestation(DIGEST, SLSA_02), f"attests '{SLSA_1}', wanted {SLSA_02}"),
        (WantedAttestation(DIGEST, SLSA_1, builder="https://evil.example/*"), "built by 'https://github.com/actions/"),
        (WantedAttestation(DIGEST, SLSA_1, source="https://github.com/acme/ap"), "built from 'https://github.com/acme"),
        (WantedAttestation(OTHER_DIGEST, SLSA_1), "speaks of another digest"),
    ],
)
def test_each_part_of_an_attestation_that_is_wanted_must_fit(wanted: WantedAttestation, said: str) -> None:
    assert said in reason(OWNER.attestation(make_statement(SLSA_1, PROVENANCE)), wanted)


def test_an_attestation_is_no_signature_and_a_signature_no_attestation() -> None:
    assert reason(OWNER.bundle(make_statement(SLSA_1))) == f"is an attestation of '{SLSA_1}', not a signature"
    wanted = WantedAttestation(DIGEST, SLSA_1)
    assert reason(OWNER.signature(), wanted) == f"is a signature, wanted an attestation of {SLSA_1}"


def test_one_good_signature_is_enough_whatever_lies_beside_it() -> None:
    good = Verified(BY)
    assert decide([Rejected("one"), good, Verified("a later one")], WANTED) == good


def test_without_a_good_one_each_reason_is_given_once() -> None:
    assert decide([Rejected("one"), Rejected("two"), Rejected("one")], WANTED) == Rejected("one; two")


def test_of_many_reasons_a_few_are_given() -> None:
    many = [Rejected(f"reason {number}") for number in range(50)]
    verdict = decide(many, WANTED)
    assert isinstance(verdict, Rejected)
    assert verdict.reason.endswith("reason 4; 45 reasons more")


def test_nothing_at_all_is_said_as_what_is_missing() -> None:
    assert decide([], WANTED) == Rejected("no signature")
    assert decide([], WantedAttestation(DIGEST, SLSA_1)) == Rejected(f"no attestation of {SLSA_1}")
