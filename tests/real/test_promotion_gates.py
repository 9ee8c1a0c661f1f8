"""Gates of stages on three real docker-registries: what holds a release back, what lets it in, and what then comes.

Whatever is held back is asked for by hand, so each case ends with 3, and no stage's registry was written to.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from imagesync.manifest import Content, Index, Manifest
from imagesync.plan.attachments import tag_of
from imagesync.reference import Digest, Tag
from imagesync.signature import Evidence, Form
from imagesync.spec.model import AttachmentType
from imagesync.store import Readable
from tests.images import MadeImage, list_of, make_index, push_image
from tests.real.conftest import Real
from tests.real.cosign import FORMS, Cosign
from tests.real.layouts import NGINX
from tests.real.registries import RealRegistry, plain_registry
from tests.real.sync import Sync
from tests.registry.remote import open_repository
from tests.signature.artifacts import make_evidence, make_referrer
from tests.signature.signers import SIGNATURE, make_ecdsa, make_ed25519, make_statement
from tests.signature.sigstore_world import IDENTITY, ISSUER, World, as_evidence

STAGES = ("dev", "staging", "production")
VERSION = "1.22.1"
PEOPLE = "from: [{name: alice, key: alice.pub}, {name: bob, key: bob.pub}]"


@dataclass(frozen=True)
class Line:
    """Three registries in a row, and imagesync as a process."""

    stages: tuple[RealRegistry, ...]
    sync: Sync

    def write(self, image: str, **gates: str) -> None:
        """The spec; `gates` of a stage are a list of gates."""
        text = f"version: 1\nstate: state.json\npromotions:\n  - name: web\n    images: [{image}]\n    stages:\n"
        for stage, registry in zip(STAGES, self.stages, strict=True):
            text += f"      - name: {stage}\n        repository: {registry.host}/web\n"
            text += f"        gates: {gates[stage]}\n" if stage in gates else ""
        (self.sync.folder / "sync.yaml").write_text(f"{text}        current: live\n")

    def run(self, command: str, *arguments: str) -> tuple[int, str]:
        return self.sync.told(command, *arguments, GITHUB_ACTOR="carol")

    def promote(self, stage: str, version: str = VERSION) -> tuple[int, str]:
        return self.run("promote", "sync.yaml", f"web:{version}", "--to", stage)

    def held_back(self, stage: str, version: str = VERSION) -> str:
        """What is said of a promotion that ends with 3 and has written nothing anywhere."""
        since = [len(registry.requests()) for registry in self.stages]
        code, said = self.promote(stage, version)
        assert code == 3, said
        for registry, number in zip(self.stages, since, strict=True):
            assert not [request for request in registry.requests(number) if request.is_write]
        return said


@pytest.fixture(scope="module")
def line(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with plain_registry() as dev, plain_registry() as staging, plain_registry() as production:
        made = Line((dev, staging, production), Sync(tmp_path_factory.mktemp("home"), real))
        for name, signer in (("alice", make_ecdsa()), ("bob", make_ed25519()), ("other", make_ecdsa())):
            (made.sync.folder / f"{name}.pub").write_text(signer.pem)
            (made.sync.folder / f"{name}.pem").write_text(signer.private_pem)
        yield made


@pytest.fixture(scope="module")
def nginx(line: Line) -> Line:
    """The signed image at dev, which no test brings any further."""
    return with_nginx(line, "nginx")


def with_nginx(line: Line, name: str) -> Line:
    """The line with the signed image at dev under a name of the test's own."""
    if not NGINX.exists():
        pytest.skip("the signed nginx image does not lie beside this checkout")
    shutil.copy(NGINX.parent / "nginx.pub", line.sync.folder)
    code, said = line.run("copy", f"oci-archive:{NGINX}:{VERSION}", f"{line.stages[0].host}/web/{name}:{VERSION}")
    assert code == 0, said
    return line


BLOCKED = [
    ("{signature: {key: other.pub}}", "no signature by the key other.pub: signed by another key", "sign sha256:"),
    ("{signature: {key: nginx.pub, signed_as: exact}}", "signed as '127.0.0.1:7003/library/nginx:1.22.1'", "sign "),
    (
        "{attestation: {type: 'https://slsa.dev/provenance/v1', unsigned: present}}",
        "linux/amd64: no attestation of https://slsa.dev/provenance/v1 beside it",
        "--provenance=true",
    ),
    (
        "{attestation: {type: 'https://spdx.dev/Document', key: nginx.pub}}",
        "no attestation of https://spdx.dev",
        "sign ",
    ),
    ("{require_platforms: [linux/s390x]}", "lacks linux/s390x", "build it for these platforms"),
    ("{vulnerabilities: {report: 'scans/{digest_hex}.json', fail_on: high}}", "not scanned: there is no", "scan "),
]


@pytest.mark.parametrize(("gate", "reason", "hint"), BLOCKED, ids=lambda one: str(one)[:30])
def test_what_is_not_as_wanted_does_not_come_to_a_stage(nginx: Line, gate: str, reason: str, hint: str) -> None:
    nginx.write("nginx", staging=f"[{gate}]")
    said = nginx.held_back("staging")
    assert (reason in said, hint in said) == (True, True), said


WAITING = [
    ("{min_age: {age: 20000d, clock: created}}", "of 20000 d old", "old enough at 20"),
    (
        "{window: {timezone: UTC, freeze: [{from: '2020-01-01', to: '2099-12-31', reason: sale}]}}",
        "frozen until 2099-12-31 (sale)",
        "a text under `override` of the gate opens it",
    ),
    (f"{{approval: {{count: 1, {PEOPLE}}}}}", "0 of 1 approvals (signed)", "one of alice, bob adds "),
    ("{soak: {at_least: 72h, clock: first_seen}}", " left", "long enough at 20"),
]


@pytest.mark.parametrize(("gate", "reason", "hint"), WAITING, ids=lambda one: str(one)[:20])
def test_what_is_too_young_frozen_unapproved_or_unsoaked_waits(nginx: Line, gate: str, reason: str, hint: str) -> None:
    nginx.write("nginx", staging=f"[{gate}]")
    nginx.held_back("staging")
    said = nginx.held_back("staging")  # a clock starts with the first try
    assert (reason in said, hint in said) == (True, True), said


@pytest.mark.parametrize("what", ["signature", "payload"])
def test_the_signature_of_nginx_tampered_with_blocks(line: Line, what: str) -> None:
    """What skopeo has signed, with one character changed: of the signature itself, or of what it signs."""
    name = f"tampered-{what}"
    nginx = with_nginx(line, name)
    with open_repository(nginx.stages[0], f"web/{name}") as store:
        tag = tag_of(store.resolve(Tag(VERSION)).digest, AttachmentType.SIGNATURES)
        signed = store.fetch_manifest(tag)
        push_image(store, tampered(store, signed, what), tag)
    nginx.write(name, staging="[{signature: {key: nginx.pub}}]")
    said = nginx.held_back("staging")
    assert "no signature by the key nginx.pub: signed by another key, or changed since" in said, said
    assert "sign sha256:" in said, "what would let it in"


def tampered(store: Readable, signed: Content, what: str) -> MadeImage:
    """What holds the same signature, but for one character."""
    assert isinstance(signed, Manifest)
    layer = signed.layers[0]
    with store.fetch_blob(layer) as pieces:
        payload = b"".join(pieces)
    signature = layer.annotations[SIGNATURE]
    if what == "payload":
        return make_evidence(Evidence(Form.PAYLOAD, payload.replace(b"1.22.1", b"1.22.9"), {SIGNATURE: signature}))
    swapped = "B" if signature[-8] == "A" else "A"
    return make_evidence(Evidence(Form.PAYLOAD, payload, {SIGNATURE: f"{signature[:-8]}{swapped}{signature[-7:]}"}))


def test_a_keyless_signature_of_another_identity_blocks_and_that_of_the_wanted_one_passes(line: Line) -> None:
    world, image = World(), make_index("keyless")
    (line.sync.folder / "trusted_root.json").write_bytes(world.trusted_root())
    bundle = as_evidence(world.bundle(make_statement(digests=(Digest(image.digest),))))
    referrer = make_referrer(image.root, bundle)
    with open_repository(line.stages[0], "web/keyless") as store:
        push_image(store, image, "1.0.0")
        push_image(store, referrer)
        push_image(store, list_of(referrer), tag_of(image.digest, AttachmentType.REFERRERS))
    signed = "[{{signature: {{identity: '{}', issuer: '" + ISSUER + "', trusted_root: trusted_root.json}}}}]"
    line.write("keyless", staging=signed.format("https://github.com/mallory/*"))
    said = line.held_back("staging", "1.0.0")
    assert "no signature by https://github.com/mallory/*" in said
    line.write("keyless", staging=signed.format(IDENTITY))
    code, said = line.promote("staging", "1.0.0")
    assert code == 0, said


def test_nginx_comes_to_production_signed_scanned_approved_and_soaked(line: Line) -> None:
    nginx = with_nginx(line, "shipped")
    with open_repository(nginx.stages[0], "web/shipped") as store:
        root = store.fetch_manifest(Tag(VERSION))
    assert isinstance(root, Index)
    for child in (entry.digest for entry in root.manifests if entry.platform and not entry.platform.is_unknown):
        report = {"SchemaVersion": 2, "Metadata": {"RepoDigests": [f"x@{child}"]}, "Results": [{"Class": "os-pkgs"}]}
        scan = nginx.sync.folder / "scans" / f"{Digest(child).encoded}.json"
        scan.parent.mkdir(exist_ok=True)
        scan.write_text(json.dumps(report))
    checked = "{signature: {key: nginx.pub, of: platforms}}, {require_platforms: [linux/amd64, linux/arm64]}"
    checked += ", {vulnerabilities: {report: 'scans/{digest_hex}.json', fail_on: low}}"
    checked += ", {attestation: {type: 'https://spdx.dev/Document', unsigned: present}}"
    two = f"{{approval: {{count: 2, {PEOPLE}}}}}"
    nginx.write("shipped", staging=f"[{checked}]", production=f"[{checked}, {two}, {{soak: 72h}}]")
    code, said = nginx.promote("staging")
    assert code == 0, said
    said = nginx.held_back("production")
    assert ("0 of 2 approvals (signed)" in said, "of 72h, by an unsigned record" in said) == (True, True), said
    for name in ("alice", "bob"):
        code, said = nginx.run("approve", "sync.yaml", f"web:{VERSION}", "--to", "production", "--key", f"{name}.pem")
        assert code == 0, said
    said = nginx.held_back("production")
    assert ("approvals" in said, "long enough at 20" in said) == (False, True), said
    nginx.write("shipped", staging=f"[{checked}]", production=f"[{checked}, {two}, {{soak: 72h, mode: warn}}]")
    code, said = nginx.promote("production")
    assert code == 0, said
    assert nginx.stages[2].tags("web/shipped")[:2] == [VERSION, "live"]
    code, said = nginx.run("history", "web", "--spec", "sync.yaml", "--stage", "production", "--format", "json")
    (image,) = json.loads(said)["events"][0]["images"]
    assert [(one["gate"], one["ruling"]) for one in image["verdicts"]] == [
        ("signature", "passed"),
        ("require_platforms", "passed"),
        ("vulnerabilities", "passed"),
        ("attestation", "passed"),
        ("approval", "passed"),
        ("soak", "warned"),
    ]


def test_cosign_verifies_what_came_to_production(line: Line, cosign: Cosign) -> None:
    """The image was signed by skopeo."""
    nginx = with_nginx(line, "proven")
    nginx.write("proven", production="[{signature: {key: nginx.pub}}]")
    assert [nginx.promote(stage)[0] for stage in ("staging", "production")] == [0, 0]
    shutil.copy(NGINX.parent / "nginx.pub", cosign.folder)
    cosign.verify(f"{nginx.stages[2].host}/web/proven:live", key="nginx", form="tag")


@pytest.mark.parametrize("form", FORMS)
def test_what_cosign_has_signed_is_let_in_and_verified_by_cosign_at_the_last_stage(
    line: Line, cosign: Cosign, form: str
) -> None:
    image, name = make_index(f"cosign {form}"), f"by-cosign-{form}"
    with open_repository(line.stages[0], f"web/{name}") as store:
        push_image(store, image, "1.0.0")
    shutil.copy(cosign.make_key(name), line.sync.folder)
    gates = f"[{{signature: {{key: {name}.pub}}}}]"
    line.write(name, staging=gates, production=gates)
    assert "no signature" in line.held_back("staging", "1.0.0")
    cosign.sign(f"{line.stages[0].host}/web/{name}@{image.digest}", key=name, form=form)
    for stage in ("staging", "production"):
        code, said = line.promote(stage, "1.0.0")
        assert code == 0, said
    cosign.verify(f"{line.stages[2].host}/web/{name}:live", key=name, form=form)
