"""The cases that are marked R, against docker-registry: what it really answers, and what a relay before it breaks."""

from __future__ import annotations

import subprocess
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

import pytest

from imagesync.manifest import DOCKER_LIST, OCI_INDEX, Content
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Repository, Tag
from imagesync.settings import Settings
from tests.conftest import MakeRegistry
from tests.images import MadeImage, make_bytes, make_image, make_index, push_image
from tests.real.conftest import _programs  # noqa: F401 - skips this module where the programs are missing
from tests.real.layouts import SAMPLE
from tests.real.registries import RealRegistry, Request, plain_registry
from tests.traces.harness import Sync
from tests.wire.relay import Break, Relay
from tests.wire.test_blobs import image_of

pytestmark = pytest.mark.real
LATEST = Tag("latest")
MIB = 1024 * 1024


IMAGE = make_image(layers=1, layer_bytes=2 * MIB)
BLOBS = len(IMAGE.blobs)
NUMBERS = count()
"""Each test writes into a repository of its own."""


@dataclass
class RealSync:
    """A sync with one real side; `relay` stands in front of that."""

    registry: RealRegistry
    relay: Relay
    sync: Sync
    path: str = "mirror/app"

    def push(self, image: MadeImage) -> None:
        """Put an image into the real registry, past the relay."""
        with self.sync.session() as (stores, _, _):
            push_image(stores.source(Repository(self.registry.host, "app")), image, "latest")

    def apply(self) -> tuple[Outcome, Counter[str]]:
        """One run, and what the real registry was asked for it, by method and endpoint."""
        before = len(self.registry.requests())
        (outcome,) = self.sync.apply("latest", to=[self.path])
        return outcome, Counter(map(_kind, self.registry.requests(since=before)))

    def chunked(self, chunk_bytes: int) -> None:
        """Send no larger bodies from now on."""
        hosts = tuple((host, replace(settings, chunk_bytes=chunk_bytes)) for host, settings in self.sync.settings.hosts)
        self.sync.settings = Settings(hosts=hosts)

    def copied(self) -> Counter[str]:
        outcome, requests = self.apply()
        assert (outcome.status, outcome.reason) == (Status.COPIED, "")
        return requests

    def arrived(self) -> Content:
        """What the tag leads to at the destination, read past the relay where that is the real side."""
        host = self.sync.destination_host
        with self.sync.session() as (stores, _, _):
            target = Repository(self.registry.host if host == self.relay.host else host, self.path)
            return stores.source(target).fetch_manifest(LATEST)


def _kind(request: Request) -> str:
    place = next(part for part in ("uploads", "blobs", "manifests", "tags", "v2") if f"/{part}" in request.path)
    return f"{request.method} {place}"


@pytest.fixture(scope="module")
def registry() -> Iterator[RealRegistry]:
    """A registry of its own for each module: its repositories are for the tests here."""
    with plain_registry() as made:
        yield made


@pytest.fixture
def relay(registry: RealRegistry) -> Iterator[Relay]:
    with Relay(registry.host) as made:
        yield made


@pytest.fixture
def into(registry: RealRegistry, relay: Relay, make_registry: MakeRegistry) -> RealSync:
    """From a fake registry into the real one, each test into a repository of its own."""
    fake = make_registry()
    sync = Sync(fake, fake, destination_host=relay.host)
    return RealSync(registry, relay, sync, path=f"into/{next(NUMBERS)}")


@pytest.fixture
def out_of(registry: RealRegistry, relay: Relay, make_registry: MakeRegistry) -> RealSync:
    """From the real registry into a fake one."""
    fake = make_registry()
    return RealSync(registry, relay, Sync(fake, fake, source_host=relay.host))


@pytest.fixture
def within(
    registry: RealRegistry, relay: Relay, make_registry: MakeRegistry, request: pytest.FixtureRequest
) -> RealSync:
    """From one repository of the real registry into another."""
    sync = Sync(make_registry(), make_registry(), source_host=relay.host, destination_host=relay.host)
    return RealSync(registry, relay, sync, path=f"within/{next(NUMBERS)}")


@pytest.mark.parametrize("docker", [False, True])
def test_an_index_leaves_a_real_registry_as_it_is(out_of: RealSync, docker: bool) -> None:
    """MAN-01, MAN-02: not the one image in it that the registry gives to whom it thinks old."""
    image = make_index(docker=docker)
    out_of.push(image)
    out_of.copied()
    assert out_of.arrived().raw == image.root.raw
    assert out_of.arrived().media_type == (DOCKER_LIST if docker else OCI_INDEX)


def test_schema_1_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, make_registry: MakeRegistry) -> None:
    """MAN-03: an image that skopeo has written in the old form."""
    monkeypatch.setenv("REGISTRY_COMPATIBILITY_SCHEMA1_ENABLED", "true")
    fake = make_registry()
    with plain_registry() as old:
        options = ["--format", "v2s1", "--dest-tls-verify=false"]
        subprocess.run(
            ["skopeo", "--insecure-policy", "copy", *options, f"oci:{SAMPLE}:1.0", f"docker://{old.host}/app:latest"],
            capture_output=True,
            check=True,
            timeout=60,
        )
        sync = Sync(fake, fake, source_host=old.host)
        (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "unsupported")
    assert "schema 1" in outcome.reason
    assert len(fake.log.entries("PUT")) == 0


def test_a_relative_location_is_followed(monkeypatch: pytest.MonkeyPatch, make_registry: MakeRegistry) -> None:
    """UPL-01: `http.relativeurls` of the registry's own settings."""
    monkeypatch.setenv("REGISTRY_HTTP_RELATIVEURLS", "true")
    fake = make_registry()
    with plain_registry() as relative:
        opened = urllib.request.Request(f"{relative.url}/v2/app/blobs/uploads/", method="POST")
        with urllib.request.urlopen(opened, timeout=5) as response:
            assert response.headers["Location"].startswith("/v2/app/blobs/uploads/")
        sync = Sync(fake, fake, destination_host=relative.host)
        sync.fill(IMAGE, "latest")
        (outcome,) = sync.apply("latest")
        assert outcome.status is Status.COPIED
        assert relative.tags("mirror/app") == ["latest"]


def test_a_tag_that_is_there_costs_one_look(into: RealSync) -> None:
    """MAN-16."""
    into.sync.fill(IMAGE, "latest")
    into.copied()
    outcome, requests = into.apply()
    assert outcome.status is Status.UNCHANGED
    assert requests == {"HEAD manifests": 1}


def test_layers_of_no_one_and_two_bytes_go_there_and_back(into: RealSync) -> None:
    """BLB-01, UPL-01: an absolute Location with a query that has to come back as it was."""
    image = image_of(b"", b"1", b"22", make_bytes("large", MIB + 1))
    into.sync.fill(image, "latest")
    requests = into.copied()
    blobs = len(image.blobs)
    assert (requests["POST uploads"], requests["PUT uploads"], requests["PATCH uploads"]) == (blobs, blobs, 1)
    with into.sync.session() as (stores, _, _):
        store = stores.source(Repository(into.registry.host, into.path))
        for blob in image.root.successors():
            with store.fetch_blob(blob) as pieces:
                assert b"".join(pieces) == image.blobs[blob.digest]


@pytest.mark.parametrize("kind", [Break.LOSE, Break.RESET])
def test_a_lost_answer_to_patch_begins_the_upload_anew(into: RealSync, kind: Break) -> None:
    """UPL-06: a session whose `_state` is an old one is gone, and one that got nothing says `0-0`."""
    into.sync.fill(IMAGE, "latest")
    into.relay.breaks("PATCH", "/uploads/", kind)
    requests = into.copied()
    assert (requests["POST uploads"], requests["GET uploads"]) == (BLOBS + 1, 1)


def test_an_upload_goes_on_where_a_real_registry_is(into: RealSync) -> None:
    """UPL-06: the first of its chunks came, and the second never reached it."""
    into.sync.fill(IMAGE, "latest")
    into.chunked(MIB)
    into.relay.breaks("PATCH", "/uploads/", Break.RESET, skip=1)
    requests = into.copied()
    assert (requests["POST uploads"], requests["GET uploads"], requests["PATCH uploads"]) == (BLOBS, 1, 2)


@pytest.mark.parametrize("chunk_bytes", [MIB, 700_000])
def test_a_real_registry_takes_chunks(into: RealSync, chunk_bytes: int) -> None:
    """UPL-09, UPL-10: each with its place, each to the Location that the one before has named."""
    into.sync.fill(IMAGE, "latest")
    into.chunked(chunk_bytes)
    requests = into.copied()
    assert requests["PATCH uploads"] == -(-2 * MIB // chunk_bytes)
    assert requests["POST uploads"] == BLOBS
    assert into.arrived().raw == IMAGE.root.raw


@pytest.mark.parametrize("said", ["0--1", "0-0", "0-99999999"])
def test_chunks_begin_anew_where_a_real_registry_is_not_believed(into: RealSync, said: str) -> None:
    """UPL-10."""
    into.sync.fill(IMAGE, "latest")
    into.chunked(MIB)
    into.relay.answers("PATCH", "/uploads/", 416, headers={"Range": said}, skip=1)
    assert into.copied()["POST uploads"] == BLOBS + 1


def test_a_chunk_that_a_real_registry_is_said_to_have_is_found_missing(into: RealSync) -> None:
    """UPL-06, UPL-10: what was gone on with wrongly is found out by its digest, and begun anew."""
    into.sync.fill(IMAGE, "latest")
    into.chunked(MIB)
    into.relay.answers("PATCH", "/uploads/", 416, headers={"Range": f"0-{2 * MIB - 1}"}, skip=1)
    requests = into.copied()
    assert (requests["POST uploads"], requests["PATCH uploads"]) == (BLOBS + 1, 3)
    assert into.arrived().raw == IMAGE.root.raw


def test_a_lost_answer_to_put_is_looked_after(into: RealSync) -> None:
    """UPL-07: nothing is sent twice."""
    into.sync.fill(IMAGE, "latest")
    into.relay.breaks("PUT", "/uploads/", Break.LOSE, times=BLOBS)
    requests = into.copied()
    assert (requests["POST uploads"], requests["PATCH uploads"], requests["PUT uploads"]) == (BLOBS, 1, BLOBS)


def test_bytes_that_arrive_wrong_are_sent_once_more(into: RealSync) -> None:
    """UPL-08: the registry finds out that a byte is another."""
    into.sync.fill(IMAGE, "latest")
    into.relay.breaks("PATCH", "/uploads/", Break.CORRUPT_REQUEST)
    requests = into.copied()
    assert requests["POST uploads"] == BLOBS + 1
    assert into.arrived().raw == IMAGE.root.raw


def test_bytes_that_arrive_wrong_twice_are_an_error(into: RealSync) -> None:
    """UPL-08."""
    into.sync.fill(IMAGE, "latest")
    into.relay.breaks("PATCH", "/uploads/", Break.CORRUPT_REQUEST, times=99)
    outcome, requests = into.apply()
    assert (outcome.status, outcome.kind) == (Status.FAILED, "integrity")
    assert outcome.reason.startswith("destination")
    assert requests["PUT manifests"] == 0


def test_within_a_real_registry_no_byte_is_moved(within: RealSync) -> None:
    """MNT-01."""
    within.push(IMAGE)
    requests = within.copied()
    assert requests["POST uploads"] == BLOBS
    assert not {"GET blobs", "PATCH uploads", "PUT uploads"} & set(requests)
    assert within.arrived().raw == IMAGE.root.raw


def test_a_session_in_place_of_a_mount_is_used(within: RealSync) -> None:
    """MNT-02."""
    within.push(IMAGE)
    within.relay.breaks("POST", "mount=", Break.WITHOUT_QUERY, times=BLOBS)
    requests = within.copied()
    assert (requests["POST uploads"], requests["PUT uploads"]) == (BLOBS, BLOBS)
