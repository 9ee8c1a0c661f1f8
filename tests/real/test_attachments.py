"""The signed nginx image between two docker-registry processes: five signatures and an SBOM arrive byte for byte."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from tests.real.conftest import Real
from tests.real.layouts import NGINX
from tests.real.registries import RealRegistry, plain_registry
from tests.real.skopeo import Skopeo
from tests.real.sync import Sync

PUBLIC_KEY = NGINX.parent / "nginx.pub"
NAME = "library/nginx"
SIGNATURE = "dev.cosignproject.cosign/signature"
SPEC = """\
version: 1
sync:
  - source: {source}
    destination: {destination}
    images:
      - library/nginx:1.22.1
"""


@dataclass(frozen=True)
class Mirrored:
    """The image after its second apply: out of the archive, and from there to another registry."""

    sync: Sync
    spec: str
    origin: RealRegistry
    mirror: RealRegistry
    skopeo: Skopeo

    def raw(self, registry: RealRegistry, target: str) -> bytes:
        """The bytes of a manifest, as skopeo reads them; target is `:tag` or `@digest`."""
        return self.skopeo.inspect_raw(f"{registry.host}/{NAME}{target}")


@pytest.fixture(scope="module")
def mirrored(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    if not NGINX.exists():
        pytest.skip("the signed nginx image does not lie beside this checkout")
    sync = Sync(tmp_path_factory.mktemp("home"), real)
    with plain_registry() as origin, plain_registry() as mirror:
        sync.apply(SPEC.format(source=f"oci-archive:{NGINX}", destination=origin.host))
        spec = SPEC.format(source=origin.host, destination=mirror.host)
        sync.apply(spec)
        yield Mirrored(sync, spec, origin, mirror, Skopeo(tmp_path_factory.mktemp("skopeo"), [origin, mirror]))


def test_five_signatures_and_the_list_of_referrers_arrive_byte_for_byte(mirrored: Mirrored) -> None:
    """ATT-02."""
    tags = [tag for tag in mirrored.origin.tags(NAME) if tag.startswith("sha256-")]
    assert sorted(tag.endswith(".sig") for tag in tags) == [False, *[True] * 5]
    assert sorted(mirrored.mirror.tags(NAME)) == sorted(["1.22.1", *tags])
    for tag in ("1.22.1", *tags):
        assert mirrored.raw(mirrored.mirror, f":{tag}") == mirrored.raw(mirrored.origin, f":{tag}")


def test_the_sbom_arrives_byte_for_byte(mirrored: Mirrored) -> None:
    """RFR-02: docker-registry has no referrers API, so the list stands under a tag."""
    (list_tag,) = (tag for tag in mirrored.mirror.tags(NAME) if tag.startswith("sha256-") and "." not in tag)
    (entry,) = json.loads(mirrored.raw(mirrored.mirror, f":{list_tag}"))["manifests"]
    sbom = mirrored.raw(mirrored.mirror, f"@{entry['digest']}")
    assert sbom == mirrored.raw(mirrored.origin, f"@{entry['digest']}")
    assert f"sha256-{json.loads(sbom)['subject']['digest'].partition(':')[2]}" == list_tag
    assert entry["artifactType"] == "application/spdx+json"


def test_a_second_apply_writes_nothing_and_reads_no_manifest_of_the_source(mirrored: Mirrored) -> None:
    """RFR-04: no duplicate on rerun."""
    before = [len(registry.requests()) for registry in (mirrored.origin, mirrored.mirror)]
    mirrored.sync.apply(mirrored.spec)
    origin, mirror = (
        registry.requests(since=start)
        for registry, start in zip((mirrored.origin, mirrored.mirror), before, strict=True)
    )
    assert {request.method for request in mirror} == {"HEAD", "GET"}
    assert not [request for request in origin if request.method == "GET" and "/manifests/" in request.path]


def test_the_copied_signature_is_good(mirrored: Mirrored, tmp_path: Path) -> None:
    """By openssl, which knows nothing of registries."""
    digest = _digest(mirrored)
    signature = json.loads(mirrored.raw(mirrored.mirror, f":{digest.replace(':', '-')}.sig"))
    (layer,) = signature["layers"]
    (tmp_path / "signature").write_bytes(base64.b64decode(layer["annotations"][SIGNATURE]))
    (tmp_path / "payload").write_bytes(_blob(mirrored.mirror, layer["digest"]))
    assert json.loads((tmp_path / "payload").read_bytes())["critical"]["image"]["docker-manifest-digest"] == digest
    command = ["openssl", "dgst", "-sha256", "-verify", str(PUBLIC_KEY), "-signature", "signature", "payload"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "Verified OK")


def _digest(mirrored: Mirrored) -> str:
    return f"sha256:{sha256(mirrored.raw(mirrored.mirror, ':1.22.1')).hexdigest()}"


def _blob(registry: RealRegistry, digest: str) -> bytes:
    with urllib.request.urlopen(f"{registry.url}/v2/{NAME}/blobs/{digest}", timeout=5) as answer:
        body: bytes = answer.read()
        return body


def test_an_audit_finds_a_signature_whose_payload_the_storage_lost_and_a_repair_brings_it(mirrored: Mirrored) -> None:
    signature = json.loads(mirrored.raw(mirrored.mirror, f":{_digest(mirrored).replace(':', '-')}.sig"))
    algorithm, _, encoded = signature["layers"][0]["digest"].partition(":")
    blobs = mirrored.mirror.repositories_folder.parent / "blobs"
    file = blobs / algorithm / encoded[:2] / encoded / "data"
    assert mirrored.sync.run("audit", mirrored.spec, "--deep").returncode == 0
    payload = file.read_bytes()
    file.unlink()
    done = mirrored.sync.run("audit", mirrored.spec)
    assert (done.returncode, f"@{algorithm}:{encoded}  missing blob" in done.stdout) == (2, True), done.stdout
    done = mirrored.sync.run("apply", mirrored.spec, "--repair")
    assert done.returncode == 0, done.stdout + done.stderr
    assert file.read_bytes() == payload
