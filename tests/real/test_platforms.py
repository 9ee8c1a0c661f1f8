"""The signed nginx image, narrowed on its way between docker-registry processes; skopeo reads what has arrived."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.real.conftest import Real
from tests.real.layouts import NGINX
from tests.real.registries import RealRegistry, plain_registry
from tests.real.skopeo import Skopeo
from tests.real.sync import Sync

NAME = "library/nginx"
KEPT = "sha256:e8f52d3588ea7af059ad19383e9abd6abbd9c1bfb39bbcfbbc192b59392b8e22"
ORIGIN = "sha256:9fe0ab8c21bce339a8c7414303e61812061412f1882f071838374be10d94a8ed"


@dataclass(frozen=True)
class Mirror:
    """Where the whole image is, and where parts of it go."""

    sync: Sync
    origin: RealRegistry
    registry: RealRegistry
    skopeo: Skopeo

    def spec(self, platforms: str, path: str, more: str = "attachments: none") -> str:
        image = f"{{name: {NAME}:1.22.1, as: {path}, platforms: {platforms}, {more}}}"
        sides = f"source: {self.origin.host}\n    destination: {self.registry.host}"
        return f"version: 1\nsync:\n  - {sides}\n    images:\n      - {image}\n"

    def apply(self, spec: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.sync.run("apply", spec, *arguments)

    def index(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw(path))
        return found

    def raw(self, path: str) -> bytes:
        return self.skopeo.inspect_raw(f"{self.registry.host}/{path}:1.22.1")


@pytest.fixture(scope="module")
def mirror(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    if not NGINX.exists():
        pytest.skip("the signed nginx image does not lie beside this checkout")
    sync = Sync(tmp_path_factory.mktemp("home"), real)
    with plain_registry() as origin, plain_registry() as registry:
        sides = f"source: oci-archive:{NGINX}\n    destination: {origin.host}"
        sync.apply(f"version: 1\nsync:\n  - {sides}\n    images: [{NAME}:1.22.1]\n")
        skopeo = Skopeo(tmp_path_factory.mktemp("skopeo"), [origin, registry])
        yield Mirror(sync, origin, registry, skopeo)


def test_one_platform_arrives_with_its_attestation_in_an_index_of_these_bytes(mirror: Mirror, tmp_path: Path) -> None:
    """ATT-01. The digest is a promise: the same whoever narrows the image, whenever."""
    done = mirror.apply(mirror.spec("linux/amd64", "amd64"))
    assert done.returncode == 0, done.stdout + done.stderr
    raw = mirror.raw("amd64")
    assert f"sha256:{sha256(raw).hexdigest()}" == KEPT
    image, attestation = json.loads(raw)["manifests"]
    assert image["platform"] == {"architecture": "amd64", "os": "linux"}
    assert attestation["annotations"]["vnd.docker.reference.digest"] == image["digest"]
    mirror.skopeo.copy(f"docker://{mirror.registry.host}/amd64:1.22.1", f"oci:{tmp_path}/copy:1.22.1")
    assert (tmp_path / "copy" / "blobs" / "sha256" / KEPT.removeprefix("sha256:")).read_bytes() == raw


def test_with_a_cache_a_second_apply_is_two_requests_and_writes_nothing(mirror: Mirror) -> None:
    """PLT-04."""
    spec = mirror.spec("linux/amd64", "cached")
    assert mirror.apply(spec, "--cache", "cache").returncode == 0
    before = [len(registry.requests()) for registry in (mirror.origin, mirror.registry)]
    done = mirror.apply(spec, "--cache", "cache")
    assert done.stdout.startswith("No changes."), done.stdout
    asked = [
        request
        for registry, start in zip((mirror.origin, mirror.registry), before, strict=True)
        for request in registry.requests(since=start)
    ]
    assert [request.method for request in asked] == ["HEAD", "HEAD"]


def test_signatures_of_the_platform_travel_and_those_of_the_index_stay(mirror: Mirror) -> None:
    """ATT-02."""
    assert mirror.apply(mirror.spec("linux/amd64", "signed", "attachments: all")).returncode == 0
    children = [entry["digest"] for entry in mirror.index("signed")["manifests"]]
    signatures = {f"{digest.replace(':', '-')}.sig" for digest in children}
    assert set(mirror.registry.tags("signed")) == {"1.22.1", *signatures}
    assert mirror.sync.run("audit", mirror.spec("linux/amd64", "signed", "attachments: all"), "--deep").returncode == 0


def test_a_flattened_image_is_what_skopeo_takes_for_the_platform(mirror: Mirror) -> None:
    assert mirror.apply(mirror.spec("{keep: linux/arm64, index: flatten}", "flat")).returncode == 0
    manifest = mirror.index("flat")
    assert "manifests" not in manifest
    assert len(manifest["layers"]) == 3


def test_docker_registry_refuses_a_sparse_index_and_the_error_says_what_to_do(mirror: Mirror) -> None:
    done = mirror.apply(mirror.spec("{keep: linux/amd64, index: sparse}", "sparse"))
    assert done.returncode == 1
    assert "this registry may take no sparse index: `index: rewrite` writes one" in done.stdout
    assert "1.22.1" not in mirror.registry.tags("sparse")


def test_a_platform_that_the_image_lacks_is_named_with_those_that_it_has(mirror: Mirror) -> None:
    """PLT-02."""
    done = mirror.apply(mirror.spec("[linux/s390x, windows/amd64]", "none"))
    assert done.returncode == 1
    assert "nothing is that: there is linux/amd64, linux/arm64" in done.stdout
    assert ORIGIN in done.stdout
