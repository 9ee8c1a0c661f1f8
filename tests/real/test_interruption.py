"""An apply that is killed: whatever has a tag is complete, and the next apply finishes the rest."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.conftest import Real
from tests.real.layouts import Layout, make_layout
from tests.real.registries import RealRegistry, plain_registry
from tests.real.sync import Sync

TAGS = tuple(f"1.{number}" for number in range(16))
LAYER_BYTES = 3 * 1024 * 1024


@pytest.fixture
def destination() -> Iterator[RealRegistry]:
    with plain_registry() as registry:
        yield registry


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_layout(tmp_path / "images" / "app", list(TAGS), layers=3, layer_bytes=LAYER_BYTES)


def test_an_apply_that_is_killed_leaves_no_incomplete_tag_and_the_next_one_finishes(
    real: Real, destination: RealRegistry, layout: Layout, tmp_path: Path
) -> None:
    sync, spec = Sync(tmp_path, real), _spec(destination)
    killed = sync.start("apply", spec, "--concurrency", "2")
    try:
        _wait_for_a_tag(destination, killed)
    finally:
        killed.kill()
        killed.wait()
    arrived = destination.tags("app")
    assert 0 < len(arrived) < len(TAGS), "the kill came too late to prove anything"
    for tag in arrived:
        _check_complete(destination, layout, tag)
    sync.apply(spec)
    assert destination.tags("app") == sorted(TAGS)
    for tag in TAGS:
        _check_complete(destination, layout, tag)


def test_a_registry_that_dies_in_the_middle_and_comes_back_gets_all_of_it(
    real: Real, destination: RealRegistry, layout: Layout, tmp_path: Path
) -> None:
    """E2E-04: by the tries of one run, and with no help."""
    applied = Sync(tmp_path, real).start("apply", _spec(destination), "--concurrency", "2")
    try:
        _wait_for_a_tag(destination, applied)
        assert len(destination.tags("app")) < len(TAGS), "the kill came too late to prove anything"
        destination.die_and_come_back()
        assert applied.wait(timeout=90) == 0
    finally:
        applied.kill()
        applied.wait()
    for tag in TAGS:
        _check_complete(destination, layout, tag)


def _spec(destination: RealRegistry) -> str:
    return (
        f"version: 1\n"
        f"sync:\n"
        f"  - source: oci:images\n"
        f"    destination: {destination.host}\n"
        f"    images:\n"
        f"      - name: app\n"
        f"        tags: ['*']\n"
    )


def _wait_for_a_tag(destination: RealRegistry, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not destination.tags("app"):
        assert process.poll() is None, "apply ended before a tag was written"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _check_complete(destination: RealRegistry, layout: Layout, tag: str) -> None:
    """Tag, manifest and every blob of it are on the registry's disk and linked in the repository."""
    folder = destination.repositories_folder / "app"
    digest = (folder / "_manifests" / "tags" / tag / "current" / "link").read_text()
    assert digest == layout.digest(tag)
    manifest = json.loads(layout.blob(digest))
    for blob in (manifest["config"], *manifest["layers"]):
        assert (folder / "_layers" / blob["digest"].replace(":", "/") / "link").exists()
        assert _stored_size(destination, blob["digest"]) == blob["size"]


def _stored_size(destination: RealRegistry, digest: str) -> int:
    hex_letters = digest.partition(":")[2]
    folder = destination.folder / "data" / "docker" / "registry" / "v2" / "blobs" / "sha256" / hex_letters[:2]
    return (folder / hex_letters / "data").stat().st_size
