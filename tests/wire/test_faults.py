"""One fault on each request of a run, on either side: everything is copied with default settings."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from imagesync.plan.outcome import Status
from imagesync.reference import Tag
from tests.images import make_index
from tests.traces.harness import kinds
from tests.wire.conftest import Broken, Clock
from tests.wire.relay import Break, Relay

LAYER_BYTES = 1_100_000
"""More than goes in one PUT."""


@dataclass(frozen=True)
class Place:
    """A request of a run: on which side, and which."""

    side: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.side} {self.method} {self.path.strip('/')}"

    def relay(self, broken: Broken) -> Relay:
        return broken.source if self.side == "source" else broken.destination


SOURCE_MANIFEST = Place("source", "GET", "/manifests/")
SOURCE_BLOB = Place("source", "GET", "/blobs/")
READS = (
    Place("source", "HEAD", "/manifests/"),
    SOURCE_MANIFEST,
    SOURCE_BLOB,
    Place("destination", "HEAD", "/manifests/"),
    Place("destination", "HEAD", "/blobs/"),
)
WRITES = (
    Place("destination", "POST", "/uploads/"),
    Place("destination", "PATCH", "/uploads/"),
    Place("destination", "PUT", "/uploads/"),
    Place("destination", "PUT", "/manifests/"),
)
BODIES = (
    Place("destination", "PATCH", "/uploads/"),
    Place("destination", "PUT", "/manifests/sha256:"),
    Place("destination", "PUT", "/manifests/latest"),
)


def check_all_is_copied(broken: Broken, layer_bytes: int = LAYER_BYTES) -> None:
    image = make_index(layer_bytes=layer_bytes)
    broken.sync.fill(image, "latest")
    (outcome,) = broken.sync.apply("latest")
    assert (outcome.status, outcome.reason) == (Status.COPIED, "")
    arrived = broken.sync.destination.repository("mirror/app")
    assert arrived.resolve(Tag("latest")).digest == image.digest
    for content in image.contents:
        assert arrived.fetch_manifest(content.digest).raw == content.raw


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("place", [*READS, *WRITES], ids=str)
def test_a_status_that_passes_is_survived(broken: Broken, place: Place, status: int) -> None:
    """UPL-13."""
    headers = {"Retry-After": "2"} if status == 429 else {}
    rule = place.relay(broken).answers(place.method, place.path, status, headers=headers)
    check_all_is_copied(broken)
    assert rule.broken == 1


@pytest.mark.parametrize("kind", [Break.RESET, Break.LOSE], ids=lambda kind: kind.name)
@pytest.mark.parametrize("place", [*READS, *WRITES], ids=str)
def test_a_reset_is_survived(broken: Broken, place: Place, kind: Break) -> None:
    """ERR-04, MAN-15, UPL-06, UPL-07: before the registry has heard of the request, and after it did what it was
    asked."""
    rule = place.relay(broken).breaks(place.method, place.path, kind)
    check_all_is_copied(broken)
    assert rule.broken == 1


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (Break.CUT, SOURCE_MANIFEST),
        (Break.CUT, SOURCE_BLOB),
        (Break.CORRUPT_ANSWER, SOURCE_MANIFEST),
        (Break.CORRUPT_ANSWER, SOURCE_BLOB),
    ],
    ids=str,
)
def test_a_body_that_comes_wrong_is_read_again(broken: Broken, place: Place, kind: Break) -> None:
    """BLB-06, BLB-07, MAN-05: cut in the middle, or with one byte that is another."""
    rule = place.relay(broken).breaks(place.method, place.path, kind)
    check_all_is_copied(broken)
    assert rule.broken == 1


@pytest.mark.parametrize("place", BODIES, ids=str)
def test_a_body_that_arrives_wrong_is_sent_again(broken: Broken, place: Place) -> None:
    """UPL-08: the registry finds out, and the bytes are read and sent once more."""
    rule = place.relay(broken).breaks(place.method, place.path, Break.CORRUPT_REQUEST)
    check_all_is_copied(broken)
    assert rule.broken == 1


def test_an_upload_whose_last_answer_is_lost_is_not_sent_twice(broken: Broken) -> None:
    """UPL-07."""
    broken.destination.breaks("PUT", "/uploads/", Break.LOSE)
    check_all_is_copied(broken)
    requests = kinds(broken.sync.destination)
    assert (requests["POST uploads"], requests["PATCH uploads"]) == (6, 4)


@pytest.mark.parametrize("kind", [Break.RESET, Break.LOSE, Break.CORRUPT_REQUEST], ids=lambda kind: kind.name)
def test_a_small_upload_that_breaks_is_survived(broken: Broken, kind: Break) -> None:
    """UPL-07, UPL-08: a PUT with the whole body."""
    rule = broken.destination.breaks("PUT", "/uploads/", kind)
    check_all_is_copied(broken, layer_bytes=1000)
    assert rule.broken == 1
    assert kinds(broken.sync.destination)["POST uploads"] == (6 if kind is Break.LOSE else 7)


def test_the_wait_is_as_long_as_the_registry_asks(broken: Broken, clock: Clock) -> None:
    """UPL-13, LIM-01."""
    broken.destination.answers("PUT", "/uploads/", 503, headers={"Retry-After": "17"})
    began = clock.now
    check_all_is_copied(broken)
    assert clock.now - began >= 17
