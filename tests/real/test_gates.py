"""Gates between two real registries: the signed nginx passes, and whatever is not as wanted is blocked or waits.

Each case says what would let it pass, and the destination's registry holds nothing of it afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from imagesync.errors import NotFoundError
from imagesync.manifest import Index
from imagesync.plan.attachments import tag_of
from imagesync.reference import Tag
from imagesync.spec.model import AttachmentType
from tests.images import make_index, push_image
from tests.real.conftest import Real
from tests.real.layouts import NGINX
from tests.real.registries import RealRegistry, plain_registry
from tests.real.sync import Sync
from tests.registry.remote import open_repository
from tests.signature.artifacts import make_evidence
from tests.signature.signers import SIGNATURE, make_ecdsa, make_payload

SIGNED_AS = "127.0.0.1:7003"
"""Where the nginx image was signed."""
KEY = "nginx.pub"
VERSION = "1.22.1"


@dataclass(frozen=True)
class Gated:
    """Two registries, and imagesync as a process between them."""

    here: RealRegistry
    there: RealRegistry
    sync: Sync

    def apply(self, gate: str, image: str = f"library/nginx:{VERSION}", *, more: str = "") -> tuple[int, str]:
        path = image.partition(":")[0]
        spec = f"version: 1\n{more}gates:\n  wanted: {gate}\nsync:\n  - source: {self.here.host}\n"
        spec += f"    destination: {self.there.host}/{{path}}\n    images: ['{image}']\n    gates: [wanted]\n"
        done = self.sync.run("apply", spec)
        if done.returncode or "waiting" in done.stdout:
            assert self.holds(path) == ()
        return done.returncode, done.stdout + done.stderr

    def holds(self, path: str) -> tuple[str, ...]:
        with open_repository(self.there, path) as store:
            try:
                return store.list_tags()
            except NotFoundError:
                return ()


@pytest.fixture(scope="module")
def gated(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    if not NGINX.exists():
        pytest.skip("the signed nginx image does not lie beside this checkout")
    with plain_registry() as here, plain_registry() as there:
        made = Gated(here, there, Sync(tmp_path_factory.mktemp("home"), real))
        (made.sync.folder / KEY).write_text((NGINX.parent / KEY).read_text())
        (made.sync.folder / "other.pub").write_text(make_ecdsa().pem)
        spec = f"version: 1\nsync:\n  - source: oci-archive:{NGINX}\n    destination: {here.host}/library\n"
        done = made.sync.run("apply", f"{spec}    images: ['nginx:{VERSION}']\n")
        assert done.returncode == 0, done.stdout + done.stderr
        yield made


def platforms_of(gated: Gated) -> tuple[str, ...]:
    """The digests of the images of nginx."""
    with open_repository(gated.here, "library/nginx") as store:
        root = store.fetch_manifest(Tag(VERSION))
        assert isinstance(root, Index)
        return tuple(entry.digest for entry in root.manifests if entry.platform and not entry.platform.is_unknown)


BLOCKED = [
    ("{signature: {key: other.pub}}", "no signature by the key other.pub: signed by another key", "sign sha256:"),
    ("{signature: {key: nginx.pub, signed_as: exact}}", f"signed as '{SIGNED_AS}/library/nginx:{VERSION}'", "sign "),
    ("{attestation: {type: 'https://slsa.dev/provenance/v1', key: nginx.pub}}", "no attestation of https://", "sign "),
    ("{require_platforms: [linux/s390x]}", "lacks linux/s390x; it has linux/", "build it for these platforms"),
    ("{vulnerabilities: {report: 'scans/{digest_hex}.json', fail_on: high}}", "not scanned: there is no", "scan "),
    ("{labels: {config: {maintainer: acme}}}", "label maintainer", "the gate wants maintainer=acme"),
    ("{size: {total: 1KB}}", "bytes", "the gate allows total 1KB"),
    ("{command: {run: [/bin/false]}}", "/bin/false says no", ""),
]


@pytest.mark.parametrize(("gate", "reason", "hint"), BLOCKED, ids=lambda one: str(one)[:40])
def test_what_is_not_as_wanted_is_blocked_and_said(gated: Gated, gate: str, reason: str, hint: str) -> None:
    code, said = gated.apply(gate)
    assert (code, "blocked by gate wanted: " in said) == (3, True), said
    assert reason in said, said
    assert hint in said, said


WAITING = [
    ("{window: {timezone: UTC, freeze: [{from: '2020-01-01', to: '2099-12-31', reason: sale}]}}", "frozen until 2099"),
    ("{approval: {count: 2, from: [alice, bob]}}", "0 of 2 approvals (unsigned)"),
    ("{min_age: 72h}", "0 of 72 h old"),
]


@pytest.mark.parametrize(("gate", "reason"), WAITING, ids=lambda one: str(one)[:20])
def test_what_is_too_young_frozen_or_not_approved_waits(gated: Gated, gate: str, reason: str) -> None:
    code, said = gated.apply(gate, more="state: state.json\n")
    assert (code, "waiting: gate wanted: " in said, reason in said) == (0, True, True), said


def test_a_signature_that_was_tampered_with_is_blocked(gated: Gated) -> None:
    image, owner = make_index("tampered"), make_ecdsa()
    (gated.sync.folder / "owner.pub").write_text(owner.pem)
    good = owner.signature(make_payload(image.digest))
    flipped = good.annotations[SIGNATURE][:-8] + "AAAAAAA="
    for path, piece in (
        ("tampered/signature", replace(good, annotations={SIGNATURE: flipped})),
        ("tampered/payload", replace(good, body=good.body.replace(b"1.4.0", b"1.4.1"))),
    ):
        with open_repository(gated.here, path) as store:
            push_image(store, image, "1")
            push_image(store, make_evidence(piece), tag_of(image.digest, AttachmentType.SIGNATURES))
        code, said = gated.apply("{signature: {key: owner.pub}}", f"{path}:1")
        assert (code, "signed by another key, or changed since" in said) == (3, True), said


def test_the_signed_nginx_passes_by_key_name_and_platform_with_its_signatures(gated: Gated) -> None:
    """The last in this file: it is the one that brings the image."""
    names = f"signed_as: {{'{gated.here.host}': '{SIGNED_AS}'}}"
    for child in platforms_of(gated):
        report = {
            "SchemaVersion": 2,
            "Metadata": {"RepoDigests": [f"nginx@{child}"]},
            "Results": [{"Class": "os-pkgs"}],
        }
        scan = gated.sync.folder / "scans" / f"{child.partition(':')[2]}.json"
        scan.parent.mkdir(exist_ok=True)
        scan.write_text(json.dumps(report))
    parts = [
        f"{{signature: {{key: {KEY}, {names}}}}}",
        f"{{signature: {{key: {KEY}, of: platforms}}}}",
        "{require_platforms: [linux/amd64, linux/arm64]}",
        "{vulnerabilities: {report: 'scans/{digest_hex}.json', fail_on: low}}",
        "{command: {run: [/bin/true]}}",
    ]
    code, said = gated.apply(f"{{all_of: [{', '.join(parts)}]}}")
    assert code == 0, said
    with open_repository(gated.there, "library/nginx") as store:
        root = store.resolve(Tag(VERSION)).digest
        assert tag_of(root, AttachmentType.SIGNATURES) in store.list_tags()
