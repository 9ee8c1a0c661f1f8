"""A release along three real docker-registries: the signed image goes all the way, with a record at each stage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest

from imagesync.plan.attachments import RECORD_TYPE
from tests.real.conftest import Real
from tests.real.layouts import NGINX, Layout, make_layout
from tests.real.registries import RealRegistry, plain_registry
from tests.real.skopeo import Skopeo
from tests.real.sync import Sync

PUBLIC_KEY = NGINX.parent / "nginx.pub"
NO_GATE = "[{size: {total: 100GB}}]"


@dataclass(frozen=True)
class Row:
    """Three registries in a row, imagesync as a process, and skopeo."""

    stages: tuple[RealRegistry, RealRegistry, RealRegistry]
    sync: Sync
    skopeo: Skopeo

    def spec(self, image: str, gates: str = NO_GATE) -> str:
        dev, staging, production = (registry.host for registry in self.stages)
        return f"""\
version: 1
promotions:
  - name: web
    images:
      - {image}
    stages:
      - name: dev
        repository: {dev}/web
      - name: staging
        repository: {staging}/web
        gates: {gates}
      - name: production
        repository: {production}/web
        immutable: ["*.*.*"]
        current: live
"""

    def run(self, command: str, *arguments: str) -> tuple[int, str]:
        return self.sync.told(command, *arguments)

    def promote(self, image: str, version: str, stage: str, gates: str = NO_GATE) -> tuple[int, str]:
        (self.sync.folder / "sync.yaml").write_text(self.spec(image, gates))
        return self.run("promote", "sync.yaml", f"web:{version}", "--to", stage)

    def listed(self, position: int, image: str, digest: str) -> list[Any]:
        """What stands in the list of referrers that clients keep."""
        tag = digest.replace(":", "-")
        raw = self.skopeo.inspect_raw(f"{self.stages[position].host}/web/{image}:{tag}")
        manifests: list[Any] = json.loads(raw)["manifests"]
        return manifests


@pytest.fixture(scope="module")
def row(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Row]:
    with plain_registry() as dev, plain_registry() as staging, plain_registry() as production:
        skopeo = Skopeo(tmp_path_factory.mktemp("skopeo"), [dev, staging, production])
        yield Row((dev, staging, production), Sync(tmp_path_factory.mktemp("home"), real), skopeo)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return make_layout(tmp_path_factory.mktemp("images"), ["1.0.0", "1.1.0"], layers=2, layer_bytes=100_000)


def test_releases_go_along_three_registries_and_back_with_a_record_of_each_step(row: Row, images: Layout) -> None:
    for version in ("1.0.0", "1.1.0"):
        row.skopeo.copy(f"oci:{images}:{version}", f"docker://{row.stages[0].host}/web/app:{version}")
        assert row.promote("app", version, "production")[0] == 3, "a stage would be skipped"
        for stage in ("staging", "production"):
            code, said = row.promote("app", version, stage)
            assert code == 0, said
    before = row.run("history", "web", "--spec", "sync.yaml", "--format", "json")
    assert (before[0], len(json.loads(before[1])["events"])) == (0, 4)
    back = ("sync.yaml", "web", "--stage", "production", "--reason", "trial", "--confirm")
    assert row.run("rollback", *back)[0] == 0
    digests = {tag: _digest(row, 2, f"app:{tag}") for tag in ("1.0.0", "1.1.0", "live")}
    assert digests["live"] == digests["1.0.0"] != digests["1.1.0"]
    code, said = row.run("status", "sync.yaml")
    assert (code, "held at 1.0.0 by" in said) == (0, True), said
    assert row.run("hold", "sync.yaml", "web", "--stage", "production", "--release", "--reason", "over")[0] == 0


def test_the_signed_nginx_goes_along_with_its_signatures_and_sbom_and_without_the_records_of_other_stages(
    row: Row,
) -> None:
    if not NGINX.exists():
        pytest.skip("the signed nginx image does not lie beside this checkout")
    code, said = row.run("copy", f"oci-archive:{NGINX}:1.22.1", f"{row.stages[0].host}/web/nginx:1.22.1")
    assert code == 0, said
    signed = f"[{{signature: {{key: {PUBLIC_KEY}, of: platforms}}}}]"
    for stage in ("staging", "production"):
        code, said = row.promote("nginx", "1.22.1", stage, signed)
        assert code == 0, said
    name = f"{row.stages[2].host}/web/nginx:live"
    code, said = row.run("verify", name, "--key", str(PUBLIC_KEY), "--each-platform")
    assert (code, said.count("  verified  ")) == (0, 2), said
    digest = _digest(row, 2, "nginx:live")
    listed = row.listed(2, "nginx", digest)
    assert sorted(entry["artifactType"] for entry in listed) == ["application/spdx+json", RECORD_TYPE]
    code, said = row.run("history", name, "--format", "json")
    assert [event["stage"] for event in json.loads(said)["events"]] == ["production"]
    assert "\n\nNo changes." in row.promote("nginx", "1.22.1", "production")[1]


def test_an_image_that_nobody_has_signed_is_blocked_with_nothing_written(row: Row, images: Layout) -> None:
    if not NGINX.exists():
        pytest.skip("the signed nginx image does not lie beside this checkout")
    row.skopeo.copy(f"oci:{images}:1.0.0", f"docker://{row.stages[0].host}/web/unsigned:3.0.0")
    since = len(row.stages[1].requests())
    code, said = row.promote("unsigned", "3.0.0", "staging", f"[{{signature: {{key: {PUBLIC_KEY}}}}}]")
    assert (code, "gate signature" in said) == (3, True), said
    assert not [request for request in row.stages[1].requests(since) if request.is_write]


def test_a_tag_that_moved_at_a_stage_since_its_record_is_blocked_with_nothing_written(row: Row, images: Layout) -> None:
    for number, version in enumerate(("1.0.0", "1.1.0")):
        row.skopeo.copy(f"oci:{images}:{version}", f"docker://{row.stages[number].host}/web/moved:2.0.0")
        if not number:
            assert row.promote("moved", "2.0.0", "staging")[0] == 0
    since = len(row.stages[2].requests())
    code, said = row.promote("moved", "2.0.0", "production")
    assert (code, "its record says" in said) == (3, True), said
    assert not [request for request in row.stages[2].requests(since) if request.is_write]


def _digest(row: Row, position: int, name: str) -> str:
    code, said = row.run("inspect", f"{row.stages[position].host}/web/{name}", "--format", "json")
    assert code == 0, said
    digest: str = json.loads(said)["digest"]
    return digest


AUTO = """\
version: 1
sync:
  - source: {dev}/auto
    destination: {production}/mirror
    images: ["api:1.0.0"]
promotions:
  - name: auto
    images: [api, worker]
    stages:
      - {{name: dev, repository: {dev}/auto}}
      - {{name: staging, repository: {staging}/auto, current: staging, auto: true}}
      - {{name: production, repository: {production}/auto, current: live, auto: true, immutable: ["*.*.*"]}}
"""


def test_what_is_due_goes_one_stage_a_run_beside_sync_entries_by_a_saved_plan_and_without(
    row: Row, images: Layout
) -> None:
    dev, staging, production = (registry.host for registry in row.stages)
    (row.sync.folder / "sync.yaml").write_text(AUTO.format(dev=dev, staging=staging, production=production))
    for name in ("api", "worker"):
        row.skopeo.copy(f"oci:{images}:1.0.0", f"docker://{dev}/auto/{name}:1.0.0")
    code, said = row.run("apply", "sync.yaml")
    assert (code, "Due at auto/staging: 1.0.0" in said) == (0, True), said
    for name in ("api", "worker"):
        row.skopeo.copy(f"oci:{images}:1.1.0", f"docker://{dev}/auto/{name}:1.1.0")
    assert row.run("plan", "sync.yaml", "-o", "plan.json")[0] == 0
    saved = json.loads((row.sync.folder / "plan.json").read_text())
    assert [(one["stage"], one["version"]) for one in saved["units"]] == [("staging", "1.1.0"), ("production", "1.0.0")]
    code, said = row.run("apply", "sync.yaml", "--plan", "plan.json")
    assert code == 0, said
    source = {version: _hashed(row, f"{dev}/auto/api:{version}") for version in ("1.0.0", "1.1.0")}
    assert _hashed(row, f"{staging}/auto/api:staging") == source["1.1.0"]
    assert _hashed(row, f"{production}/auto/worker:live") == source["1.0.0"]
    assert row.run("apply", "sync.yaml")[0] == 0
    assert _hashed(row, f"{production}/auto/api:live") == source["1.1.0"]
    code, said = row.run("apply", "sync.yaml")
    assert (code, "No changes." in said) == (0, True), said
    code, said = row.run("history", "auto", "--spec", "sync.yaml", "--format", "json")
    assert [one["reason"] for one in json.loads(said)["events"]] == ["auto"] * 4


def _hashed(row: Row, reference: str) -> str:
    """By the bytes that skopeo reads."""
    return sha256(row.skopeo.inspect_raw(reference)).hexdigest()


def test_what_was_due_at_two_runs_at_once_is_there_once_and_on_record(row: Row, images: Layout) -> None:
    dev, staging, production = (registry.host for registry in row.stages)
    text = AUTO.format(dev=dev, staging=staging, production=production).replace("/auto", "/twice")
    (row.sync.folder / "twice.yaml").write_text(text.replace("name: auto", "name: twice"))
    for name in ("api", "worker"):
        row.skopeo.copy(f"oci:{images}:1.0.0", f"docker://{dev}/twice/{name}:1.0.0")
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda _: row.run("apply", "twice.yaml"), range(2)))
    assert {code for code, _ in ended} <= {0, 3}, ended
    assert 0 in {code for code, _ in ended}
    code, said = row.run("status", "twice.yaml", "--no-gates")
    assert (code, "1.0.0" in said) == (0, True), said
