"""Globs over the repositories of real docker-registry processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.behaviour import Said
from imagesync.cancellation import Cancellation
from imagesync.registry import Registries
from imagesync.settings import RegistrySettings, Settings
from tests.real.conftest import Real
from tests.real.layouts import SAMPLE
from tests.real.sync import Sync

PATHS = ("globs/a", "globs/b", "globs/b/deeper", "globs/c")


@pytest.fixture(scope="module")
def filled(real: Real) -> Real:
    for path in PATHS:
        real.skopeo.copy(f"oci:{SAMPLE}:1.0", f"docker://{real.plain.host}/{path}:1.0")
    return real


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_the_catalog_of_docker_registry_is_read_page_by_page(filled: Real, size: int) -> None:
    own = (filled.plain.host, RegistrySettings(behaviour=Said(page_size=size)))
    registries = Registries(Settings(hosts=(own,)), Cancellation(), environment={})
    before = len(filled.plain.requests())
    found = registries.lister(filled.plain.host).list_repositories("globs")
    registries.close()
    assert found == PATHS
    pages = [request for request in filled.plain.requests(since=before) if "_catalog" in request.path]
    assert (len(pages) > 1) is (size < len(PATHS)), "other tests' repositories stand in that registry, too"
    assert (len(pages) == 1) is (size == 1000)


def test_a_glob_mirrors_between_real_registries_and_a_second_run_writes_nothing(filled: Real, tmp_path: Path) -> None:
    spec = (
        f"version: 1\nsync:\n  - source: {filled.plain.host}/globs\n"
        f"    destination: {filled.token.host}/found\n    images:\n      - name: '*'\n        tags: '*'\n"
    )
    sync = Sync(tmp_path, filled)
    sync.apply(spec)
    assert [path for path in PATHS if filled.token.tags(path.replace("globs", "found"))] == [
        "globs/a",
        "globs/b",
        "globs/c",
    ]
    before = len(filled.token.requests())
    sync.apply(spec)
    assert not [request for request in filled.token.requests(since=before) if request.is_write]
    back = (
        f"version: 1\nsync:\n  - source: {filled.token.host}\n    destination: oci:out\n    images: ['found/**:1.0']\n"
    )
    sync.apply(back)
    assert sorted(path.parent.name for path in (tmp_path / "out" / "found").glob("*/index.json")) == ["a", "b", "c"]
