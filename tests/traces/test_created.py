"""Wire traces of `sort: created`: what it costs to know when images were made, and what is not read for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.cache import Cache
from imagesync.plan.actions import Copy, Failure, Skip
from imagesync.plan.outcome import Status
from imagesync.selection import Newest, Order, Ordering, TagFilter
from imagesync.spec.tags import parse_tags
from tests.conftest import MakeRegistry
from tests.images import MadeImage, make_image, make_index
from tests.traces.harness import Sync, kinds

BY_DATE = Ordering(Order.CREATED)
ANNOTATION = "org.opencontainers.image.created"


def newest(count: int) -> TagFilter:
    return TagFilter((BY_DATE, Newest(count, BY_DATE)))


def at(day: int) -> str:
    return f"2025-01-{day:02d}T12:00:00.123456789Z"


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    made = Sync(make_registry(), make_registry())
    made.tag_filter = newest(1)
    return made


def image(day: int, **fields: object) -> MadeImage:
    return make_image(f"day {day}", layers=1, created=at(day), **fields)  # type: ignore[arg-type]


def copied(sync: Sync) -> list[str]:
    return [str(action.source.tag) for action in sync.plan().actions if isinstance(action, Copy)]


def test_a_tag_costs_a_head_a_manifest_and_a_config(sync: Sync) -> None:
    for day, tag in enumerate(["b", "c", "a"], start=1):
        sync.fill(image(day), tag)
    assert [outcome.status for outcome in sync.apply()] == [Status.COPIED]
    assert sync.destination.repository("mirror/app").list_tags() == ("a",)
    assert kinds(sync.source) == {"GET tags": 1, "HEAD manifests": 3, "GET manifests": 3, "GET blobs": 3 + 2}


def test_what_is_kept_and_in_place_is_read_no_second_time(sync: Sync) -> None:
    """The head that told which manifest to read is the one that is compared."""
    sync.fill(image(1), "a")
    sync.fill(image(2), "b")
    sync.apply()
    assert [outcome.status for outcome in sync.apply()] == [Status.UNCHANGED]
    assert kinds(sync.source) == {"GET tags": 1, "HEAD manifests": 2, "GET manifests": 2, "GET blobs": 2}
    assert sync.destination.log.lines() == ["HEAD /v2/mirror/app/manifests/b 200"]


def test_an_index_costs_one_manifest_more(sync: Sync) -> None:
    """That of its first image, attestations passed over; the other platforms are not read."""
    sync.fill(make_index("old", created=at(1), attestations=True), "old")
    sync.fill(make_index("new", created=at(2), attestations=True), "new")
    assert copied(sync) == ["new"]
    assert kinds(sync.source)["GET manifests"] == 2 * 2 + 3
    assert kinds(sync.source)["GET blobs"] == 2


def test_an_annotation_of_the_index_spares_the_image_and_its_config(sync: Sync) -> None:
    sync.tag_filter = newest(2)
    for day in (1, 2, 3):
        sync.fill(make_index(f"day {day}", annotations={ANNOTATION: at(day)}), f"v{day}")
    sync.apply()
    sync.apply()
    assert kinds(sync.source) == {"GET tags": 1, "HEAD manifests": 3, "GET manifests": 3}


def test_what_several_tags_point_to_is_read_once(sync: Sync) -> None:
    sync.fill(image(1), "1.0")
    for tag in ("2.0", "2", "latest"):
        sync.fill(image(2), tag)
    assert copied(sync) == ["2.0"]
    assert kinds(sync.source) == {"GET tags": 1, "HEAD manifests": 4, "GET manifests": 2, "GET blobs": 2}


def test_what_earlier_steps_drop_is_not_read(sync: Sync) -> None:
    sync.tag_filter = parse_tags("{include: 'v*', sort: created, newest: 1}", environment={})
    for day, tag in enumerate(["v1", "v2", "x1", "x2", "x3"], start=1):
        sync.fill(image(day), tag)
    assert copied(sync) == ["v2"]
    assert kinds(sync.source)["HEAD manifests"] == 2


def test_where_all_are_kept_no_date_is_read(sync: Sync) -> None:
    sync.tag_filter = newest(3)
    sync.fill(image(1), "a")
    sync.fill(image(2), "b")
    sync.apply()
    sync.apply()
    assert kinds(sync.source) == {"GET tags": 1, "HEAD manifests": 2}


def test_with_a_cache_dates_cost_heads_alone(sync: Sync, tmp_path: Path) -> None:
    for day in (1, 2, 3):
        sync.fill(make_index(f"day {day}", created=at(day)), f"v{day}")
    sync.memory = cache = Cache(tmp_path)
    try:
        sync.apply()
        assert [outcome.status for outcome in sync.apply()] == [Status.UNCHANGED]
        assert kinds(sync.source) == {"GET tags": 1, "HEAD manifests": 3}
    finally:
        cache.close()


def test_what_has_no_date_is_told_and_counts_as_the_oldest(sync: Sync) -> None:
    sync.fill(make_image("epoch", created="1970-01-01T00:00:00Z"), "epoch")
    sync.fill(make_image("none"), "none")
    sync.fill(make_image("junk", created="yesterday"), "junk")
    sync.fill(image(1), "real")
    skip, copy = sync.plan().actions
    assert isinstance(skip, Skip)
    assert isinstance(copy, Copy)
    assert copy.source.tag == "real"
    assert skip.reason == (
        "of 3 of 4 tags nobody knows when they were made, and they count as the oldest "
        "(epoch: its date is 1970-01-01, as reproducible builds write it; junk: its config names no date; "
        "none: its config names no date)"
    )


def test_an_image_that_can_never_be_read_counts_as_the_oldest(sync: Sync) -> None:
    """Schema 1 stays what it is: a rule that waits for it would wait for ever."""
    sync.fill(image(1), "good")
    sync.fill(image(2), "old")
    kind = {"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}
    sync.source.script(
        "HEAD", "/manifests/old", status=200, headers={**kind, "Docker-Content-Digest": "sha256:" + "0" * 64}
    )
    skip, copy = sync.plan().actions
    assert "schema 1" in skip.reason  # type: ignore[union-attr]
    assert copy.source.tag == "good"  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ["/manifests/b", "/manifests/sha256", "/blobs/sha256"])
def test_where_a_date_cannot_be_read_nobody_knows_which_are_the_newest(sync: Sync, path: str) -> None:
    """To take another for the newest would be worse than to take none."""
    sync.fill(image(1), "a")
    sync.fill(image(2), "b")
    sync.source.script("", path, status=403)
    (failure,) = sync.plan().actions
    assert isinstance(failure, Failure)
    assert failure.reason.startswith("it cannot be told which tags are kept")
    assert "source" in failure.reason


def test_a_config_that_is_cut_is_read_once_more(sync: Sync) -> None:
    sync.fill(image(1), "a")
    sync.fill(image(2), "b")
    sync.source.script("GET", "/blobs/", status=503, times=1)
    assert copied(sync) == ["b"]


def test_a_config_with_other_bytes_is_not_believed(sync: Sync) -> None:
    sync.fill(image(1), "a")
    sync.fill(image(2), "b")
    sync.source.script("GET", "/blobs/", status=200, body=b'{"created": "2025-03-01T00:00:00Z"}')
    (failure,) = sync.plan().actions
    assert isinstance(failure, Failure)
    assert failure.kind == "integrity"
