"""A state in real registries: two runs at once, a second run that adds nothing, drift by skopeo's hand, old entries."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from imagesync.cancellation import Cancellation
from imagesync.keeping import repository as module
from imagesync.keeping.names import FOLD
from imagesync.keeping.repository import RepositoryKeeper
from imagesync.reference import make_repository
from imagesync.registry import Registries
from imagesync.settings import Settings
from imagesync.state import State
from tests.real.conftest import Real
from tests.real.layouts import SAMPLE
from tests.real.registries import RealRegistry
from tests.real.sync import Sync
from tests.state.values import APP, NOON, written


def spec(real: Real, keeper: RealRegistry, *images: str, state: str) -> str:
    """From the plain registry into the one with logins, the state beside or elsewhere."""
    listed = "".join(f"      - {image}\n" for image in images)
    return (
        f"version: 1\nstate: {keeper.host}/{state}\nsync:\n  - source: {real.plain.host}\n"
        f"    destination: {real.basic.host}/state\n    images:\n{listed}"
    )


def fill(real: Real, *images: str) -> None:
    for image in images:
        real.skopeo.copy(f"oci:{SAMPLE}:1.0", f"docker://{real.plain.host}/{image}")


@pytest.mark.parametrize("login", ["plain", "basic", "token"])
def test_two_runs_that_write_at_once_are_both_remembered(real: Real, tmp_path: Path, login: str) -> None:
    keeper: RealRegistry = getattr(real, login)
    images = (f"{login}-one:1.0", f"{login}-two:1.0")
    fill(real, *images)
    state = f"states/{login}"
    syncs = []
    for image in images:
        folder = tmp_path / image.replace(":", "-")
        folder.mkdir()
        syncs.append((Sync(folder, real), spec(real, keeper, image, state=state)))
    running = [sync.start("apply", text) for sync, text in syncs]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(keeper.tags(state)) == 2
    both = spec(real, keeper, *images, state=state)
    found = json.loads(Sync(tmp_path, real).run("drift", both, "--format", "json").stdout)
    assert found["summary"]["owned"] == 2


def test_a_second_apply_adds_nothing_and_skopeos_hand_is_seen(real: Real, tmp_path: Path) -> None:
    fill(real, "drifting:1.0")
    sync, text = Sync(tmp_path, real), spec(real, real.token, "drifting:1.0", state="states/drift")
    sync.apply(text)
    assert real.token.tokens is not None
    before = len(real.token.requests())
    sync.apply(text)
    asked = [request for request in real.token.requests(since=before) if request.status != 401]
    assert [request.method for request in asked] == ["GET", "GET"]
    assert sync.run("drift", text).returncode == 0
    overwrite(real, "state/drifting:1.0", tmp_path / "single")
    done = sync.run("drift", text)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "drifted: has " in done.stdout
    assert sync.apply(text)["summary"]["drifted"] == 1  # type: ignore[index]


def overwrite(real: Real, name: str, folder: Path) -> None:
    """Let skopeo put one platform of the sample alone under a tag."""
    real.skopeo._run("copy", f"oci:{SAMPLE}:1.0", f"dir:{folder}")
    real.skopeo.copy(f"dir:{folder}", f"docker://{real.basic.host}/{name}")


def test_old_entries_are_folded_and_deleted_by_their_digests(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """docker-registry deletes no tag by its name; the digest of an entry is under no other tag."""
    monkeypatch.setattr(module, "FOLDED_FROM", 3)
    where = make_repository(real.plain.host, "states/folded")
    registries = Registries(Settings(), Cancellation(), environment={})
    moment = NOON

    def keeper() -> RepositoryKeeper:
        return RepositoryKeeper(where, lambda: nullcontext(registries.repository(where)), clock=lambda: moment)

    try:
        for number in range(6):
            moment += timedelta(hours=20)
            one = keeper()
            one.load()
            one.add(State.of([written(tag=f"t{number}")]))
        before = len(real.plain.requests())
        assert len(keeper().load().owned(APP)) == 6
        tags = real.plain.tags("states/folded")
        assert any(tag.startswith(FOLD) for tag in tags)
        assert len(tags) < 6
        assert len(real.plain.requests(since=before)) == 1 + len(tags)
    finally:
        registries.close()
