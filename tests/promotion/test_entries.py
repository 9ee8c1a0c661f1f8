"""Entries of a journal: their names, their order, and what the list of them tells without reading one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from imagesync.promotion.entries import (
    Kind,
    entries_of,
    make_letters,
    next_moment,
    parse_entry,
)
from imagesync.reference import Tag
from tests.promotion.values import START, make_entry


def test_an_entry_is_its_tag_and_back() -> None:
    entry = make_entry(Kind.STARTED, 5)
    assert entry.tag == "shop.staging.20260301T120005Z-0123456789ab.started"
    assert parse_entry(entry.tag) == entry


@pytest.mark.parametrize(
    "tag",
    [
        "latest",
        "shop.staging.20260301T120005Z-0123456789ab",
        "shop.staging.20260301T120005Z-0123456789ab.other",
        "shop.staging.20261301T120005Z-0123456789ab.started",
        "shop.sta.ging.20260301T120005Z-0123456789ab.started",
        "Shop.staging.20260301T120005Z-0123456789ab.started",
    ],
)
def test_any_other_tag_is_none(tag: str) -> None:
    assert parse_entry(Tag(tag)) is None


def test_the_longest_names_make_a_legal_tag() -> None:
    entry = make_entry(Kind.WITHDRAWN, 5, stage="s" * 40)
    assert parse_entry(Tag(entry.tag.replace("shop", "p" * 40))) is not None


def test_entries_of_one_stage_come_in_their_order() -> None:
    entries = [make_entry(Kind.FINISHED, 2), make_entry(Kind.STARTED, 2), make_entry(Kind.HOLD, 1)]
    tags = [*(entry.tag for entry in entries), make_entry(Kind.STARTED, 0, stage="other").tag, Tag("latest")]
    assert [entry.kind for entry in entries_of(tags, "shop", "staging")] == [Kind.HOLD, Kind.STARTED, Kind.FINISHED]


def test_the_letters_of_an_entry_tell_which_version_it_may_be_of() -> None:
    entry = make_entry(Kind.FINISHED, 1, letters=make_letters(Tag("1.4.0"), "{}"))
    assert (entry.may_be_of(Tag("1.4.0")), entry.may_be_of(Tag("1.5.0"))) == (True, False)
    assert make_letters(Tag("1.4.0"), "{}") != make_letters(Tag("1.4.0"), "{ }")


def test_an_entry_comes_after_all_others_though_the_clock_is_behind() -> None:
    assert next_moment([], START) == START
    assert next_moment([make_entry(Kind.STARTED, 30)], START) == START + timedelta(seconds=31)
    assert next_moment([make_entry(Kind.STARTED, 0)], START + timedelta(hours=1)) == START + timedelta(hours=1)
