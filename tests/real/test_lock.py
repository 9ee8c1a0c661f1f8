"""A lock of docker-registry: a mirror stays at the locked digest while the tag moves on, until it is renewed."""

from __future__ import annotations

from pathlib import Path

from imagesync.cancellation import Cancellation
from imagesync.reference import Repository, Tag
from imagesync.settings import Settings
from tests.images import MadeImage, make_index, push_image
from tests.real.conftest import Real
from tests.real.registries import plain_registry
from tests.real.sync import Sync
from tests.traces.harness import Stores


def _push(real: Real, image: MadeImage) -> str:
    stores = Stores(Settings(), Cancellation())
    push_image(stores.source(Repository(real.plain.host, "locked/app")), image, "1")
    stores.registries.close()
    return image.digest


def test_a_mirror_stays_at_the_lock_until_it_is_renewed(real: Real, tmp_path: Path) -> None:
    old = _push(real, make_index("old"))
    sync = Sync(tmp_path, real)
    with plain_registry() as there:
        spec = (
            f"version: 1\nsync:\n  - source: {real.plain.host}/locked\n    destination: {there.host}\n"
            f"    images:\n      - app:1\n"
        )
        assert sync.run("lock", spec).returncode == 0
        new = _push(real, make_index("new"))
        held = sync.run("apply", spec, "--locked")
        assert held.returncode == 0, held.stdout + held.stderr
        assert "1 added, 0 updated, 1 upstream moved" in held.stdout
        assert _digest(there.host) == old
        assert sync.run("lock", spec, "--check").returncode == 2
        assert sync.run("lock", spec, "--update", "sync[0]/app").returncode == 0
        assert sync.run("apply", spec, "--locked").returncode == 0
        assert _digest(there.host) == new


def _digest(host: str) -> str:
    stores = Stores(Settings(), Cancellation())
    found = stores.source(Repository(host, "app")).resolve(Tag("1"))
    stores.registries.close()
    return found.digest
