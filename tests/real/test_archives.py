"""Layouts and archives that skopeo writes are read, and what comes of them at a registry skopeo can use (LAY-05)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from imagesync.manifest import digest_of
from tests.real.conftest import Real
from tests.real.layouts import NGINX, SAMPLE
from tests.real.registries import Request
from tests.real.sync import Sync

MADE_HERE = "digest made here: the archive has no manifest"
SOURCES = [
    pytest.param(f"oci:{SAMPLE}:1.0", id="sample"),
    pytest.param(
        f"oci-archive:{NGINX}:1.22.1",
        id="nginx",
        marks=pytest.mark.skipif(not NGINX.is_file(), reason="the sample image is not beside the checkout"),
    ),
]


def spec_of(real: Real, source: str, image: str, folder: str) -> str:
    return (
        f"version: 1\nsync:\n  - source: {source}\n    destination: {real.plain.host}/{folder}/{{name}}\n"
        f"    images:\n      - {image}\n"
    )


def outcome_of(report: Mapping[str, Any]) -> Mapping[str, Any]:
    (outcome,) = report["outcomes"]
    assert isinstance(outcome, dict)
    return outcome


@pytest.mark.parametrize("origin", SOURCES)
def test_what_skopeo_saves_for_docker_is_pushed_and_skopeo_takes_it_from_there(
    real: Real, tmp_path: Path, origin: str, request: pytest.FixtureRequest
) -> None:
    """LAY-05."""
    folder = f"saved-{request.node.callspec.id}"
    real.skopeo.save(origin, f"docker-archive:{tmp_path / 'a.tar'}:quay.io/team/app:1.0")
    spec = spec_of(real, "docker-archive:a.tar", "quay.io/team/app:1.0", folder)
    sync = Sync(tmp_path, real)

    assert MADE_HERE in sync.run("plan", spec).stdout
    outcome = outcome_of(sync.apply(spec))

    pushed = real.skopeo.inspect_raw(f"{real.plain.host}/{folder}/team/app:1.0")
    assert outcome["destination_digest"] == digest_of(pushed)
    assert outcome["made_here"] is True
    copied = f"docker://{real.plain.host}/{folder}/team/app:1.0"
    assert real.skopeo.inspect_config(copied) == real.skopeo.inspect_config(f"docker-archive:{tmp_path / 'a.tar'}")
    real.skopeo.save(copied, f"docker-archive:{tmp_path / 'back.tar'}:again:1")
    told = sync.told("inspect", "docker-archive:back.tar", "--format", "json")
    assert json.loads(told[1])["digest"] == outcome["destination_digest"]


def test_a_second_apply_of_an_archive_writes_nothing(real: Real, tmp_path: Path) -> None:
    real.skopeo.save(f"oci:{SAMPLE}:1.0", f"docker-archive:{tmp_path / 'a.tar'}:hello:1.0")
    spec, sync = spec_of(real, "docker-archive:a.tar", "hello:1.0", "twice"), Sync(tmp_path, real)
    sync.apply(spec)
    before = len(real.plain.requests())
    assert outcome_of(sync.apply(spec))["status"] == "unchanged"
    assert [one for one in real.plain.requests(since=before) if is_write(one)] == []


def is_write(request: Request) -> bool:
    return request.method in ("POST", "PUT", "PATCH")


@pytest.mark.parametrize("form", ["oci", "oci-archive"])
def test_layouts_and_their_archives_of_skopeo_keep_their_digests(real: Real, tmp_path: Path, form: str) -> None:
    """LAY-05."""
    real.skopeo.copy(f"oci:{SAMPLE}:1.0", f"{form}:{tmp_path / 'made'}:1.0")
    sync = Sync(tmp_path, real)
    outcome = outcome_of(sync.apply(spec_of(real, f"{form}:made", "hello:1.0", form)))
    assert outcome["destination_digest"] == SAMPLE.digest("1.0")
    assert real.skopeo.inspect_raw(f"{real.plain.host}/{form}/hello:1.0") == SAMPLE.root_bytes("1.0")


def test_a_saved_image_is_copied_by_one_command(real: Real, tmp_path: Path) -> None:
    real.skopeo.save(f"oci:{SAMPLE}:1.0", f"docker-archive:{tmp_path / 'a.tar'}:hello:1.0")
    code, said = Sync(tmp_path, real).told("copy", "docker-archive:a.tar:hello:1.0", f"{real.plain.host}/one/hello:2")
    assert (code, real.plain.tags("one/hello")) == (0, ["2"])
    assert MADE_HERE in said
