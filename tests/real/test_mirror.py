"""The main job between real registries: byte for byte, once, and skopeo can take it from there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.conftest import Real
from tests.real.layouts import NGINX, ROOT, SAMPLE
from tests.real.registries import RealRegistry, Request, plain_registry
from tests.real.sync import Sync

TAGS = ("1.0", "latest")


@dataclass(frozen=True)
class Image:
    """An image to mirror: where skopeo takes it from, and the repository it lives in."""

    origin: str
    repository: str


IMAGES = {
    "sample": Image(f"oci:{SAMPLE}:1.0", "library/hello"),
    "nginx": Image(f"oci-archive:{NGINX}:latest", "library/nginx"),
}


@dataclass(frozen=True)
class Mirrored:
    """An image after its first apply, from the plain registry into the two others."""

    image: Image
    spec: str
    sync: Sync
    real: Real

    @property
    def sides(self) -> tuple[RealRegistry, ...]:
        return self.real.plain, self.real.basic, self.real.token

    def raw(self, registry: RealRegistry, target: str) -> bytes:
        """The bytes of a manifest, as skopeo reads them; target is `:tag` or `@digest`."""
        prefix = "" if registry is self.real.plain else "mirror/"
        return self.real.skopeo.inspect_raw(f"{registry.host}/{prefix}{self.image.repository}{target}")


@pytest.fixture(scope="module", params=sorted(IMAGES))
def mirrored(request: pytest.FixtureRequest, real: Real, tmp_path_factory: pytest.TempPathFactory) -> Mirrored:
    if request.param == "nginx" and not NGINX.exists():
        pytest.skip("the signed nginx image does not lie beside this checkout")
    image = IMAGES[request.param]
    for tag in TAGS:
        real.skopeo.copy(image.origin, f"docker://{real.plain.host}/{image.repository}:{tag}")
    spec = _spec(real, image)
    sync = Sync(tmp_path_factory.mktemp("home"), real)
    sync.apply(spec)
    return Mirrored(image, spec, sync, real)


def _spec(real: Real, image: Image) -> str:
    folder, _, name = image.repository.rpartition("/")
    return (
        f"version: 1\n"
        f"sync:\n"
        f"  - source: {real.plain.host}/{folder}\n"
        f"    destination:\n"
        f"      - {real.basic.host}/mirror/{folder}\n"
        f"      - {real.token.host}/mirror/{folder}\n"
        f"    images:\n"
        f"      - name: {name}\n"
        f"        tags: {json.dumps(TAGS)}\n"
    )


def test_the_index_and_every_child_arrive_byte_for_byte(mirrored: Mirrored) -> None:
    """MAN-01, MAN-10, E2E-03."""
    index = mirrored.raw(mirrored.real.plain, ":latest")
    children = [entry["digest"] for entry in json.loads(index)["manifests"]]
    assert len(children) == 4
    for target in (":latest", ":1.0", *(f"@{digest}" for digest in children)):
        source, basic, token = (mirrored.raw(registry, target) for registry in mirrored.sides)
        assert source == basic == token


def test_a_second_apply_writes_nothing_and_asks_twice_for_each_tag(mirrored: Mirrored) -> None:
    """MAN-16, E2E-01. Two requests a tag: one HEAD at the source, one at the destination; the logins come besides.
    What speaks of the image is looked for in the source's tag list; the registry is asked once whether it lists
    referrers."""
    before = [len(registry.requests()) for registry in mirrored.sides]
    mirrored.sync.apply(mirrored.spec)
    for registry, start in zip(mirrored.sides, before, strict=True):
        answered = [request for request in registry.requests(since=start) if request.status != 401]
        heads = [request for request in answered if request.method == "HEAD"]
        assert len(heads) == len(TAGS)
        assert all(request.is_of_a_tag and request.status == 200 for request in heads)
        others = sorted(request.path.split("/")[4] for request in answered if request.method == "GET")
        assert others == (["referrers", "tags"] if registry is mirrored.real.plain else [])


def test_a_second_apply_logs_in_once(mirrored: Mirrored) -> None:
    """AUTH-01, AUTH-09: one token for a repository, however many tags; no login where nobody asks for it.

    Tags are asked for at once, so each may be refused before the first login is known.
    """
    before = [len(registry.requests()) for registry in mirrored.sides]
    assert mirrored.real.token.tokens is not None
    tokens_before = len(mirrored.real.token.tokens.scopes)
    mirrored.sync.apply(mirrored.spec)
    refused = [_refused(registry.requests(since=start)) for registry, start in zip(mirrored.sides, before, strict=True)]
    assert refused[0] == 0
    assert all(1 <= count <= len(TAGS) for count in refused[1:])
    assert len(mirrored.real.token.tokens.scopes) - tokens_before == 1


def test_skopeo_can_pull_what_was_mirrored(mirrored: Mirrored, tmp_path: Path) -> None:
    """E2E-03."""
    for registry in (mirrored.real.basic, mirrored.real.token):
        folder = tmp_path / registry.host.replace(":", "-")
        mirrored.real.skopeo.copy(
            f"docker://{registry.host}/mirror/{mirrored.image.repository}:latest", f"dir:{folder}"
        )
        assert (folder / "manifest.json").read_bytes() == mirrored.raw(mirrored.real.plain, ":latest")


def test_the_five_lines_of_the_readme_work_between_plain_registries_on_loopback(real: Real, tmp_path: Path) -> None:
    """As they stand, but for the hosts."""
    (five_lines, *_) = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    with plain_registry() as destination:
        real.skopeo.copy(f"oci:{SAMPLE}:1.0", f"docker://{real.plain.host}/nginx:latest")
        spec = five_lines.replace("docker.io", real.plain.host).replace("localhost:5000", destination.host)
        assert spec.count("127.0.0.1") == 2
        Sync(tmp_path, real).apply(spec)
        assert destination.tags("nginx") == ["latest"]


def test_a_registry_elsewhere_without_tls_is_refused_with_the_line_to_add(real: Real, tmp_path: Path) -> None:
    """0.0.0.0 reaches this machine as well, but its name does not say so."""
    before = len(real.plain.requests())
    elsewhere = real.plain.host.replace("127.0.0.1", "0.0.0.0")
    spec = f"version: 1\nsync:\n  - source: {elsewhere}\n    destination: oci:out\n    images:\n      - hello:1.0\n"
    done = Sync(tmp_path, real).run("apply", spec)
    assert done.returncode == 1
    assert "tls: disabled" in done.stdout + done.stderr
    assert real.plain.requests(since=before) == []


def _refused(requests: list[Request]) -> int:
    return sum(request.status == 401 for request in requests)
