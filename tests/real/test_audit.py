"""An audit of docker-registry, whose storage folder lost a blob and has one with a flipped byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagesync.cancellation import Cancellation
from imagesync.manifest import Manifest
from imagesync.reference import Digest, Repository
from imagesync.settings import Settings
from tests.images import MadeImage, make_index, push_image
from tests.real.conftest import Real
from tests.real.registries import RealRegistry, plain_registry
from tests.real.sync import Sync
from tests.traces.harness import Stores


@dataclass(frozen=True)
class Mirrored:
    """An image that was mirrored into a registry of its own, whose storage a test may break."""

    image: MadeImage
    there: RealRegistry
    sync: Sync
    spec: str

    def audit(self, *arguments: str) -> tuple[int, str]:
        done = self.sync.run("audit", self.spec, *arguments)
        return done.returncode, done.stdout + done.stderr

    def layer(self, number: int) -> Digest:
        child = self.image.children[number]
        assert isinstance(child, Manifest)
        return child.layers[0].digest

    def file(self, digest: Digest) -> Path:
        blobs = self.there.repositories_folder.parent / "blobs"
        return blobs / digest.algorithm / digest.encoded[:2] / digest.encoded / "data"


@pytest.fixture
def mirrored(real: Real, tmp_path: Path) -> Iterator[Mirrored]:
    image = make_index("audited")
    stores = Stores(Settings(), Cancellation())
    push_image(stores.source(Repository(real.plain.host, "audited/app")), image, "1")
    stores.registries.close()
    with plain_registry() as there:
        spec = (
            f"version: 1\nsync:\n  - source: {real.plain.host}/audited\n    destination: {there.host}\n"
            f"    images:\n      - app:1\n"
        )
        sync = Sync(tmp_path, real)
        sync.apply(spec)
        yield Mirrored(image, there, sync, spec)


def test_a_whole_mirror_is_as_promised_and_nothing_is_written(mirrored: Mirrored) -> None:
    before = len(mirrored.there.requests())
    code, said = mirrored.audit("--deep")
    assert (code, "Audit: 1 tag is as promised." in said) == (0, True), said
    asked = Counter(request.method for request in mirrored.there.requests(since=before))
    assert asked == {"HEAD": 1 + 6, "GET": 3 + 6}


def test_a_blob_that_was_deleted_from_the_storage_is_missing(mirrored: Mirrored) -> None:
    mirrored.file(mirrored.layer(0)).unlink()
    code, said = mirrored.audit()
    assert code == 2, said
    assert f"@{mirrored.layer(0)}  missing blob" in said
    assert "1 of 1 tag is not as promised: 1 missing blob." in said


def test_a_repair_brings_what_was_deleted_from_the_storage(mirrored: Mirrored) -> None:
    file = mirrored.file(mirrored.layer(0))
    before = file.read_bytes()
    file.unlink()
    done = mirrored.sync.run("apply", mirrored.spec, "--repair")
    assert done.returncode == 0, done.stdout + done.stderr
    assert file.read_bytes() == before
    assert mirrored.audit("--deep")[0] == 0


def test_a_flipped_byte_in_the_storage_is_found_by_a_deep_audit(mirrored: Mirrored) -> None:
    file = mirrored.file(mirrored.layer(1))
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    assert mirrored.audit()[0] == 0
    code, said = mirrored.audit("--deep")
    assert code == 2, said
    assert f"@{mirrored.layer(1)}  other bytes" in said
    assert "1 of 1 tag is not as promised: 1 other bytes." in said
