"""verify: what of an image's signatures and attestations is good, as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.manifest import digest_of
from imagesync.plan.attachments import tag_of
from imagesync.reference import Digest
from imagesync.spec.model import AttachmentType
from tests.cli.command import Mirror, Ran
from tests.images import MadeImage, descriptor_of, list_of, make_artifact, make_image, push_image
from tests.signature.artifacts import make_evidence, make_referrer
from tests.signature.signers import SLSA_1, Signer, make_ecdsa, make_payload, make_statement
from tests.signature.sigstore_world import IDENTITY, ISSUER, World, as_evidence
from tests.traces.attaching import without_api

SIGNATURES, ATTESTATIONS, REFERRERS = (
    AttachmentType.SIGNATURES,
    AttachmentType.ATTESTATIONS,
    AttachmentType.REFERRERS,
)
PROVENANCE = {"runDetails": {"builder": {"id": "https://example.com/builder"}}}


class Signed:
    """An image at the source, whose owner signs; `verify` asks about it with the owner's key."""

    def __init__(self, mirror: Mirror, image: MadeImage | None = None) -> None:
        self.mirror, self.owner = mirror, make_ecdsa()
        self.image = mirror.fill("1", image=image)
        self.name = f"{mirror.source.host}/app:1"
        self.store = mirror.source.repository("app")
        mirror.cli.file(self.owner.pem, "owner.pub")

    def sign(self, digest: Digest | None = None, *, by: Signer | None = None, name: str | None = None) -> None:
        digest = digest or self.image.digest
        payload = make_payload(digest, self.name if name is None else name)
        push_image(self.store, make_evidence((by or self.owner).signature(payload)), tag_of(digest, SIGNATURES))

    def verify(self, *arguments: str, key: str = "owner.pub") -> Ran:
        return self.mirror.cli("verify", self.name, "--key", key, *arguments)


@pytest.fixture
def signed(mirror: Mirror) -> Signed:
    return Signed(mirror)


def test_a_good_signature_is_shown_with_signer_and_name_and_ends_with_0(signed: Signed) -> None:
    signed.sign()
    ran = signed.verify()
    assert (ran.code, ran.err) == (0, "")
    tag, fingerprint = tag_of(signed.image.digest, SIGNATURES), signed.owner.key.fingerprint
    assert ran.out.splitlines() == [
        signed.name,
        f"  verified  {signed.image.digest}",
        f"    + {tag}  signed by key {fingerprint}, as {signed.name}",
    ]


def test_an_image_without_a_signature_ends_with_3(signed: Signed) -> None:
    ran = signed.verify()
    assert (ran.code, ran.err) == (3, "")
    assert ran.out.splitlines()[1:] == [f"  rejected  {signed.image.digest}", "    - no signature"]


def test_the_signature_of_another_ends_with_3_and_names_the_wanted_key(signed: Signed) -> None:
    signed.sign(by=make_ecdsa())
    ran = signed.verify()
    assert (ran.code, "signed by another key" in ran.out) == (3, True)
    assert signed.owner.key.fingerprint in ran.out


def test_a_name_can_be_demanded(signed: Signed) -> None:
    signed.sign(name="elsewhere.example.com/app:1")
    host = signed.mirror.source.host
    assert signed.verify().code == 0
    for wanted in ("exact", "repository"):
        ran = signed.verify("--signed-as", wanted)
        assert (ran.code, "signed as 'elsewhere.example.com/app:1', wanted" in ran.out) == (3, True)
    assert signed.verify("--signed-as", f"{host}=elsewhere.example.com").code == 0
    assert signed.verify("--signed-as", f"{host}/app=elsewhere.example.com/app", "--signed-as", "x=y").code == 0


@pytest.mark.parametrize("has_api", [True, False])
def test_a_bundle_is_found_among_the_referrers_whatever_the_list_says_that_it_is(signed: Signed, has_api: bool) -> None:
    bundle = signed.owner.bundle(make_statement(digests=(signed.image.digest,)))
    referrer = make_referrer(signed.image.root, bundle)
    if has_api:
        push_image(signed.store, referrer)
    else:
        without_api(signed.mirror.source)
        listed = list_of(referrer, artifactType="application/vnd.oci.empty.v1+json")
        push_image(signed.store, listed, tag_of(signed.image.digest, REFERRERS))
    ran = signed.verify()
    assert (ran.code, f"    + {referrer.digest}  signed by key" in ran.out) == (0, True)


def test_an_attestation_can_be_wanted_and_says_what_it_found(signed: Signed) -> None:
    statement = make_statement(SLSA_1, PROVENANCE, digests=(signed.image.digest,))
    made = make_evidence(signed.owner.attestation(statement))
    push_image(signed.store, made, tag_of(signed.image.digest, ATTESTATIONS))
    ran = signed.verify("--attestation", SLSA_1, "--builder", "https://example.com/*")
    assert (ran.code, f"attests {SLSA_1}, built by https://example.com/builder" in ran.out) == (0, True)
    ran = signed.verify("--attestation", SLSA_1, "--source", "https://github.com/acme/*")
    assert (ran.code, "built from '', wanted https://github.com/acme/*" in ran.out) == (3, True)
    ran = signed.verify()
    assert (ran.code, f"is an attestation of '{SLSA_1}', not a signature" in ran.out) == (3, True)


def test_every_platform_can_be_demanded(signed: Signed) -> None:
    signed.sign()
    first, second = (child.digest for child in signed.image.children)
    signed.sign(first)
    ran = signed.verify("--each-platform")
    assert ran.code == 3
    assert f"  verified  {first}  linux/amd64" in ran.out
    assert f"  rejected  {second}  linux/arm64\n    - no signature" in ran.out
    signed.sign(second)
    assert signed.verify("--each-platform").code == 0


def test_a_single_image_is_its_own_platform(mirror: Mirror) -> None:
    single = Signed(mirror, make_image("single"))
    assert single.verify("--each-platform").code == 3
    single.sign()
    assert single.verify("--each-platform").code == 0


def test_as_json_every_piece_of_evidence_has_its_verdict(signed: Signed) -> None:
    signed.sign()
    push_image(signed.store, make_referrer(signed.image.root, make_ecdsa().bundle(make_statement())))
    found = signed.verify("--format", "json").json()
    assert (found["reference"], found["verified"]) == (signed.name, True)
    (manifest,) = found["manifests"]
    assert (manifest["digest"], manifest["by"]) == (signed.image.digest, f"key {signed.owner.key.fingerprint}")
    good, bad = manifest["evidence"]
    assert (good["verified"], good["signed_identity"], good["log_time"]) == (True, signed.name, None)
    assert (bad["verified"], bad["reason"].startswith("signed by another key")) == (False, True)


def test_what_is_read_is_the_manifest_its_tags_its_referrers_and_their_layers(signed: Signed) -> None:
    signed.sign()
    payload = digest_of(make_payload(signed.image.digest, signed.name))
    signed.mirror.forget()
    signed.verify()
    assert signed.mirror.requests() == [
        "GET /v2/app/manifests/1 200",
        f"GET /v2/app/manifests/{tag_of(signed.image.digest, SIGNATURES)} 200",
        f"GET /v2/app/blobs/{payload} 200",
        f"GET /v2/app/manifests/{tag_of(signed.image.digest, ATTESTATIONS)} 404",
        f"GET /v2/app/referrers/{signed.image.digest} 200",
    ]


@pytest.mark.parametrize("body", [b"not json", b'{"schemaVersion":2,"layers":[{}]}', b'{"schemaVersion":1}'])
def test_a_damaged_signature_proves_nothing_and_hides_no_good_one(signed: Signed, body: bytes) -> None:
    bundle = signed.owner.bundle(make_statement(digests=(signed.image.digest,)))
    push_image(signed.store, make_referrer(signed.image.root, bundle))
    headers = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    signed.mirror.source.script("GET", r"\.sig$", status=200, headers=headers, body=body)
    ran = signed.verify()
    assert ran.code == 0
    assert f"    - {tag_of(signed.image.digest, SIGNATURES)}  " in ran.out


def test_a_layer_with_other_bytes_than_its_digest_says_proves_nothing(signed: Signed) -> None:
    signed.sign()
    payload = make_payload(signed.image.digest, signed.name)
    signed.mirror.source.script("GET", "/blobs/", status=200, body=payload[:-1] + b" ")
    ran = signed.verify()
    assert (ran.code, "came with bytes that hash to" in ran.out) == (3, True)


def test_a_referrer_that_is_listed_and_gone_is_rejected(signed: Signed) -> None:
    referrer = push_image(signed.store, make_referrer(signed.image.root))
    signed.mirror.source.script("GET", f"/manifests/{referrer.digest}", status=404, body=b"{}")
    ran = signed.verify()
    assert (ran.code, f"    - {referrer.digest}  " in ran.out) == (3, True)


def test_a_damaged_list_of_referrers_proves_nothing_and_hides_no_good_signature(signed: Signed) -> None:
    signed.sign()
    headers = {"Content-Type": "application/vnd.oci.image.index.v1+json"}
    signed.mirror.source.script("GET", "/referrers/", status=200, headers=headers, body=b"not a list")
    ran = signed.verify()
    assert ran.code == 0
    assert f"    - {signed.image.digest}  its list of referrers cannot be read: " in ran.out


def test_of_very_many_referrers_the_first_are_read(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesync.cli.evidence.MAX_REFERRERS", 1)
    for number in range(3):
        push_image(signed.store, make_referrer(signed.image.root, annotations={"number": str(number)}))
    ran = signed.verify()
    assert (ran.code, f"    - {signed.image.digest}  3 referrers: the first 1 are read\n" in ran.out) == (3, True)
    assert len(signed.mirror.source.log.entries("GET", "/manifests/sha256:")) == 1


def test_of_evidence_that_is_large_together_the_first_is_read(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    """S10: two hundred referrers of a hundred pieces might have 300 GB."""
    signed.sign()
    monkeypatch.setattr("imagesync.cli.evidence.MAX_ALL_BYTES", 1)
    ran = signed.verify()
    assert f"    - {signed.image.digest}  what speaks of it has over 1 bytes: the first are read\n" in ran.out
    assert len(signed.mirror.source.log.entries("GET", "/blobs/sha256:")) == 1


def test_a_registry_that_fails_gives_no_verdict(signed: Signed, no_waiting: None) -> None:
    signed.sign()
    signed.mirror.source.script("GET", r"\.att$", status=403, body=b"{}", times=None)
    ran = signed.verify()
    assert (ran.code, ran.out) == (1, "")
    assert "403" in ran.err


def test_an_sbom_among_the_referrers_is_passed_over(signed: Signed) -> None:
    push_image(signed.store, make_artifact("sbom", subject=descriptor_of(signed.image.root)))
    assert signed.verify().out.splitlines()[2:] == ["    - no signature"]


def test_a_layout_is_verified_as_well(signed: Signed) -> None:
    signed.sign()
    signed.mirror.cli("copy", signed.name, "oci:./out")
    ran = signed.mirror.cli("verify", "oci:./out/app:1", "--key", "owner.pub")
    assert (ran.code, "verified" in ran.out) == (0, True)


def test_what_a_signer_wrote_reaches_no_terminal_as_it_is(signed: Signed) -> None:
    signed.sign(name="\x1b[31m\n::error::x\ud800")
    for form in ("text", "json"):
        ran = signed.verify("--format", form)
        assert ran.code == 0
        assert "\x1b" not in ran.out
        assert "\n::error" not in ran.out


def test_a_keyless_signature_is_shown_with_identity_and_time(signed: Signed) -> None:
    world = World()
    bundle = world.bundle(make_statement(digests=(signed.image.digest,)))
    push_image(signed.store, make_referrer(signed.image.root, as_evidence(bundle)))
    signed.mirror.cli.file(world.trusted_root().decode(), "trusted_root.json")
    keyless = ("--issuer", ISSUER, "--trusted-root", "trusted_root.json", "--identity")
    ran = signed.mirror.cli("verify", signed.name, *keyless, "https://github.com/acme/*")
    assert (ran.code, ran.err) == (0, "")
    assert f"signed by {IDENTITY} ({ISSUER}), logged 2025-03-01T12:00:05Z" in ran.out
    ran = signed.mirror.cli("verify", signed.name, *keyless, "https://github.com/evil/*")
    assert (ran.code, f"signed by '{IDENTITY}', wanted https://github.com/evil/*" in ran.out) == (3, True)
    found = signed.mirror.cli("verify", signed.name, *keyless, "*", "--format", "json").json()
    assert found["manifests"][0]["log_time"] == "2025-03-01T12:00:05Z"


def test_cosigns_old_keyless_form_is_shown_with_the_logs_promise(signed: Signed) -> None:
    world = World()
    layer = make_evidence(world.layer(make_payload(signed.image.digest)))
    push_image(signed.store, layer, tag_of(signed.image.digest, AttachmentType.SIGNATURES))
    signed.mirror.cli.file(world.trusted_root().decode(), "trusted_root.json")
    keyless = ("--issuer", ISSUER, "--trusted-root", "trusted_root.json", "--identity", IDENTITY)
    ran = signed.mirror.cli("verify", signed.name, *keyless)
    assert (ran.code, f"signed by {IDENTITY} ({ISSUER}), as " in ran.out) == (0, True)
    assert ", logged (promise) 2025-03-01T12:00:05Z" in ran.out
    found = signed.mirror.cli("verify", signed.name, *keyless, "--format", "json").json()
    assert found["manifests"][0]["log_promised"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--identity", "a", "--issuer", "x", "--trusted-root", "text"), "text: this is no trusted root"),
        ((), "say who is trusted"),
        (("--key", "owner.pub", "--issuer", "x"), "say who is trusted"),
        (("--identity", "a", "--issuer", "x"), "say who is trusted"),
        (("--key", "lost.pub"), "lost.pub cannot be read"),
        (("--key", "text"), "text: this is no public key in PEM form"),
        (("--key", "owner.pub", "--builder", "x"), "add --attestation TYPE"),
        (("--key", "owner.pub", "--attestation", "x", "--signed-as", "exact"), "leave --signed-as out"),
        (("--key", "owner.pub", "--signed-as", "near"), "--signed-as near cannot be read"),
        (("--key", "owner.pub", "--signed-as", "exact", "--signed-as", "a=b"), "cannot be read"),
        (("--key", "owner.pub", "--signed-as", "HOST=NOT A NAME"), "'NOT A NAME' is not a host"),
    ],
)
def test_a_wrong_command_line_is_told_before_any_request(signed: Signed, arguments: tuple[str, ...], said: str) -> None:
    Path("text").write_text("no key")
    signed.mirror.forget()
    host = signed.mirror.source.host
    ran = signed.mirror.cli("verify", signed.name, *[one.replace("HOST", host) for one in arguments])
    assert (ran.code, ran.out, signed.mirror.requests()) == (4, "", [])
    assert said in ran.err
