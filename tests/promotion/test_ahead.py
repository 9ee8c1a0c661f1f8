"""What is ahead of a stage: by the records of the stage before, or by the tags at the first one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagesync.errors import Place
from imagesync.plan.unit import Move
from imagesync.promotion.ahead import FirstStage, ahead_in_lists, ahead_on_record
from imagesync.promotion.record import Record
from imagesync.reference import Digest, Repository, Tag
from imagesync.selection import Retag
from imagesync.spec.names import parse_source
from imagesync.spec.stages import PromotedImage, Promotion, Stage
from tests.promotion.values import make_record

PLACE = Place("sync.yaml")


def record_of(version: str, move: Move = Move.PROMOTION) -> Record:
    """A record of a version; each has a digest of its own."""
    digest = Digest(f"sha256:{version.encode().hex():0<64}")
    return replace(make_record(version=version, digest=digest), move=move)


def make_stage(name: str, retag: str = "{tag}", current: str = "") -> Stage:
    return Stage(
        name=name,
        place=PLACE,
        root=parse_source("a.internal/shop"),
        journal=Repository("a.internal", "journal"),
        retag=Retag(retag),
        current=Tag(current) if current else None,
        attachments=frozenset(),
    )


def make_promotion(*stages: Stage) -> Promotion:
    images = tuple(PromotedImage(name, PLACE, name) for name in ("api", "worker"))
    return Promotion("shop", PLACE, images, stages or (make_stage("dev"), make_stage("live", "{tag}-live")))


def listed(*tags: str, other: tuple[str, ...] | None = None) -> FirstStage:
    """The tags of two images, the same unless something else is said."""
    return FirstStage([[Tag(tag) for tag in tags], [Tag(tag) for tag in (tags if other is None else other)]])


@pytest.mark.parametrize(
    ("records", "released", "ahead"),
    [
        ([], None, ()),
        (["1.1", "1.0"], None, ("1.1", "1.0")),
        (["1.2", "1.1", "1.0"], "1.0", ("1.2", "1.1")),
        (["1.0"], "1.0", ()),
        (["1.2", "1.2", "1.1"], "1.0", ("1.2", "1.1")),
        (["<1.1", "1.2", "1.1"], "1.0", ("1.1",)),
        (["<1.0", "1.2", "1.1", "1.0"], "1.0", ()),
        (["1.3", "<1.1", "1.2", "1.1"], "1.0", ("1.3", "1.1")),
    ],
)
def test_records_tell_what_came_since_and_was_not_gone_back_from(
    records: list[str], released: str | None, ahead: tuple[str, ...]
) -> None:
    """A `<` before a version is a rollback to it; the latest comes first."""
    found = [record_of(text.lstrip("<"), Move.ROLLBACK if "<" in text else Move.PROMOTION) for text in records]
    assert ahead_on_record(found, record_of(released) if released else None).versions == ahead


def test_the_same_digests_under_another_version_are_not_ahead() -> None:
    renamed = replace(record_of("1.0"), version=Tag("1.1"))
    assert ahead_on_record([renamed], record_of("1.0")).versions == ()


@pytest.mark.parametrize(
    ("found", "released", "ahead"),
    [
        (listed("1.9.0", "1.10.0", "1.10.0-rc1"), "1.8.0", ("1.10.0", "1.10.0-rc1", "1.9.0")),
        (listed("1.9.0", "1.10.0"), "1.10.0", ()),
        (listed("1.9.0", "2.0.0", other=("1.9.0",)), None, ("1.9.0",)),
        (listed("latest", "main", "20260101", "1.0.0"), None, ("1.0.0",)),
        (listed("1", "1.0", "1.0.0"), None, ("1.0.0",)),
        (listed("1.1.0-alpine", "1.1.0"), "1.0.0-alpine", ("1.1.0-alpine",)),
        (listed("1.1.0-alpine", "1.1.0"), "1.0.0", ("1.1.0",)),
        (listed("1.1.0"), "abcdef0", ()),
        (listed("1.1.0", "1.1.0-live"), None, ("1.1.0",)),
        (listed(), None, ()),
    ],
)
def test_tags_tell_which_versions_are_above_what_a_stage_runs(
    found: FirstStage, released: str | None, ahead: tuple[str, ...]
) -> None:
    versions = ahead_in_lists(make_promotion(), found, record_of(released) if released else None).versions
    assert versions == ahead


def test_a_release_file_is_a_version_that_no_tag_has() -> None:
    found = replace(listed("1.0.0"), filed=(Tag("2.0"), Tag("x-1.0")))
    assert ahead_in_lists(make_promotion(), found, None).versions == ("2.0", "1.0.0")


def test_a_first_stage_that_renames_is_read_by_its_versions() -> None:
    promotion = make_promotion(make_stage("dev", "{tag}-dev"), make_stage("live", current="live"))
    assert ahead_in_lists(promotion, listed("1.0.0-dev", "1.1.0", "live"), None).versions == ("1.0.0",)
