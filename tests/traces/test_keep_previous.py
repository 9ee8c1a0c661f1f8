"""Wire traces of a tag whose digest is kept: one GET and one PUT more, before the new one is written."""

from __future__ import annotations

import pytest

from imagesync.plan.outcome import Status
from imagesync.reference import Tag
from imagesync.selection import Retag
from tests.conftest import MakeRegistry
from tests.images import MadeImage, make_image, make_index
from tests.traces.harness import Sync

OLD = make_index("old")


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    """A mirror of OLD as `1`, and something else at the source by now."""
    made = Sync(make_registry(), make_registry())
    made.keep_previous = Retag("{tag}-previous")
    made.fill(OLD, "1")
    made.apply("1")
    made.fill(make_image("new", layers=1), "1")
    return made


def tags(sync: Sync) -> dict[str, str]:
    repository = sync.destination.repository("mirror/app")
    return {tag: repository.resolve(tag).digest for tag in repository.list_tags()}


def test_what_is_replaced_is_written_first_and_read_at_the_destination(sync: Sync) -> None:
    new = make_image("new", layers=1)
    assert [outcome.status for outcome in sync.apply("1")] == [Status.COPIED]
    assert sync.destination.log.lines("", "/manifests/") == [
        "HEAD /v2/mirror/app/manifests/1 200",
        f"GET /v2/mirror/app/manifests/{OLD.digest} 200",
        "PUT /v2/mirror/app/manifests/1-previous 201",
        "HEAD /v2/mirror/app/manifests/1 200",
        "PUT /v2/mirror/app/manifests/1 201",
    ]
    assert tags(sync) == {"1": new.digest, "1-previous": OLD.digest}
    assert sync.source.log.lines("", str(OLD.digest)) == []


def test_a_tag_that_is_new_or_unchanged_keeps_nothing(sync: Sync) -> None:
    sync.apply("1")
    sync.fill(make_image("two"), "2")
    sync.apply("1", "2")
    assert sync.destination.log.lines("", "previous") == []
    assert set(tags(sync)) == {"1", "1-previous", "2"}


def test_the_next_change_moves_what_is_kept(sync: Sync) -> None:
    sync.apply("1")
    third: MadeImage = make_image("third")
    sync.fill(third, "1")
    sync.apply("1")
    assert tags(sync) == {"1": third.digest, "1-previous": make_image("new", layers=1).digest}


def test_where_it_cannot_be_kept_it_is_not_replaced(sync: Sync) -> None:
    sync.destination.script("PUT", "/manifests/1-previous", status=403)
    (outcome,) = sync.apply("1")
    assert outcome.status is Status.FAILED
    assert "1-previous" in outcome.reason or "destination" in outcome.reason
    assert sync.destination.repository("mirror/app").resolve(Tag("1")).digest == OLD.digest
