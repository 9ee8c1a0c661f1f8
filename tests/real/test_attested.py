"""What cosign, who made the format, has attested: scans and approvals that a gate reads, at a real registry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imagesync.gates.word import PREDICATE_TYPE, Yes
from imagesync.reference import Repository
from tests.images import MadeImage, make_index, push_image
from tests.real.conftest import Real
from tests.real.cosign import FORMS, Cosign
from tests.real.registries import RealRegistry, plain_registry
from tests.real.sync import Sync
from tests.registry.remote import open_repository


@dataclass(frozen=True)
class Place:
    """Two registries, and imagesync as a process between them."""

    here: RealRegistry
    there: RealRegistry
    sync: Sync

    def push(self, path: str) -> MadeImage:
        image = make_index(path)
        with open_repository(self.here, path) as store:
            push_image(store, image, "1")
        return image

    def apply(self, gate: str, path: str) -> tuple[int, str]:
        spec = f"version: 1\nsync:\n  - source: {self.here.host}\n    destination: {self.there.host}\n"
        done = self.sync.run("apply", f"{spec}    images: ['{path}:1']\n    gates: [{gate}]\n", "-v")
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def place(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with plain_registry() as here, plain_registry() as there:
        yield Place(here, there, Sync(tmp_path_factory.mktemp("home"), real))


def vulnerabilities(digest: str, finished: str, *severities: str) -> dict[str, object]:
    """As `trivy image --format cosign-vuln` writes it."""
    found = [{"VulnerabilityID": "CVE-1", "PkgName": "ssl", "Severity": one} for one in severities]
    result = {
        "SchemaVersion": 2,
        "Metadata": {"RepoDigests": [f"app@{digest}"]},
        "Results": [{"Class": "os-pkgs", "Vulnerabilities": found}],
    }
    scanner = {"uri": "pkg:github/aquasecurity/trivy@dev", "version": "dev", "result": result}
    return {"invocation": {}, "scanner": scanner, "metadata": {"scanFinishedOn": finished}}


@pytest.mark.parametrize("form", FORMS)
def test_a_scan_that_cosign_attests_passes_until_a_newer_one_finds_something(
    place: Place, cosign: Cosign, form: str
) -> None:
    path = f"scanned-{form}"
    image, public = place.push(path), cosign.make_key(path)
    gate = f"{{vulnerabilities: {{attestation: {{key: {public}}}, fail_on: high}}}}"
    first, second = (f"{place.here.host}/{path}@{child.digest}" for child in image.children)
    cosign.attest_scan(first, vulnerabilities(first, "2026-01-01T00:00:00Z"), key=path, form=form)
    code, said = place.apply(gate, path)
    assert (code, "linux/arm64: not scanned: no attestation of" in said) == (3, True), said
    cosign.attest_scan(second, vulnerabilities(second, "2026-01-02T00:00:00Z", "CRITICAL"), key=path, form=form)
    code, said = place.apply(gate, path)
    assert (code, "linux/arm64: CVE-1 (critical in 'ssl')" in said) == (3, True), said
    cosign.attest_scan(second, vulnerabilities(second, "2026-01-03T00:00:00Z", "LOW"), key=path, form=form)
    code, said = place.apply(gate, path)
    assert (code, f"2 scanned, attested by the key {public}, nothing of high" in said) == (0, True), said


def test_an_approval_that_cosign_signs_counts(place: Place, cosign: Cosign) -> None:
    image, public = place.push("approved"), cosign.make_key("alice")
    gate = f"{{approval: {{count: 1, from: [{{name: alice, key: {public}}}]}}}}"
    folder = place.sync.folder / "approvals" / image.digest.encoded
    folder.mkdir(parents=True)
    code, said = place.apply(gate, "approved")
    assert (code, "waiting: gate approval: 0 of 1 approvals (signed)" in said) == (0, True), said
    destination = Repository(place.there.host, "approved")
    word = json.loads(Yes(image.digest, destination, "alice", datetime.now(UTC)).to_text())
    made = cosign.attest_blob(image.digest.encoded, word, kind=PREDICATE_TYPE, key="alice")
    (folder / "alice.json").write_bytes(Path(made).read_bytes())
    code, said = place.apply(gate, "approved")
    assert (code, "passed: gate approval: 1 of 1 approvals (signed): alice" in said) == (0, True), said
