"""Dates and ages of images in docker-registry: the newest by date, and what moves daily as it was three days ago."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from imagesync.cancellation import Cancellation
from imagesync.reference import Repository, Tag
from imagesync.settings import Settings
from tests.images import MadeImage, make_image, make_index, push_image
from tests.real.conftest import Real
from tests.real.registries import plain_registry
from tests.real.sync import Sync
from tests.traces.harness import Stores


def _push(real: Real, path: str, images: dict[str, MadeImage]) -> None:
    stores = Stores(Settings(), Cancellation())
    for tag, image in images.items():
        push_image(stores.source(Repository(real.plain.host, path)), image, tag)
    stores.registries.close()


def _there(host: str) -> dict[str, str]:
    stores = Stores(Settings(), Cancellation())
    repository = stores.source(Repository(host, "app"))
    found = {str(tag): repository.resolve(Tag(tag)).digest for tag in repository.list_tags()}
    stores.registries.close()
    return found


def _spec(real: Real, host: str, tags: str) -> str:
    return (
        f"version: 1\nstate: state.json\nsync:\n  - source: {real.plain.host}/ages\n    destination: {host}\n"
        f"    images:\n      - name: app\n        tags: {tags}\n"
    )


def _grow_older(file: Path, hours: int) -> None:
    document = json.loads(file.read_text())
    for sight in document["first_seen"]:
        at = datetime.fromisoformat(sight["at"]).astimezone(UTC) - timedelta(hours=hours)
        sight["at"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    file.write_text(json.dumps(document))


def test_the_newest_by_date_and_a_nightly_by_age(real: Real, tmp_path: Path) -> None:
    """`9.0` is the oldest by its date; the nightly that is copied is the one of before yesterday's move."""
    sync = Sync(tmp_path, real)
    dates = {"9.0": "2025-01-01T00:00:00Z", "1.0": "2025-01-03T00:00:00Z", "edge": "2025-01-02T00:00:00Z"}
    _push(real, "ages/app", {tag: make_index(tag, created=date) for tag, date in dates.items()})
    with plain_registry() as there:
        by_date = sync.run("apply", _spec(real, there.host, "{sort: created, newest: 2}"))
        assert by_date.returncode == 0, by_date.stdout + by_date.stderr
        assert sorted(_there(there.host)) == ["1.0", "edge"]
        nightlies = [make_image(f"night {night}", layers=1) for night in range(4)]
        spec = _spec(real, there.host, "{include: nightly, min_age: 72h}")
        for nightly in nightlies:
            _push(real, "ages/app", {"nightly": nightly})
            ran = sync.run("apply", spec)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            _grow_older(tmp_path / "state.json", 30)
        assert sync.run("apply", spec).returncode == 0
        assert _there(there.host)["nightly"] == nightlies[1].digest


def test_versions_of_a_list_in_no_order(real: Real, tmp_path: Path) -> None:
    """TAG-01: docker-registry lists tags as they come from its disk."""
    names = ["1.10.0", "1.9.0", "latest", "1.9.0-alpine", "1.9", "2.0.0-rc1", "2.0.0", "0.9.0"]
    _push(real, "ages/listed", dict.fromkeys(names, make_image("one of many", layers=1)))
    spec = _spec(real, "127.0.0.1:1", '{versions: "<2", newest: 2, always: latest}').replace(
        "name: app", "name: listed"
    )
    ran = Sync(tmp_path, real).run("tags", spec, "--format", "json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (told,) = json.loads(ran.stdout)
    assert sorted(told["kept"]) == ["1.10.0", "1.9.0", "latest"]
