"""How much one rule may come to, whatever a server lists."""

from __future__ import annotations

from datetime import timedelta

import pytest

from imagesync.plan.inventory import Broken
from imagesync.plan.limits import MAX_FOUND, MAX_SELECTED, too_many_repositories, too_many_tags
from imagesync.reference import Repository
from imagesync.selection import MinAge, NeedsFacts, Selection, TagFilter

SOURCE = Repository("registry.example", "app")


def listed(count: int) -> list[str]:
    return [f"v{number}" for number in range(count)]


def test_ten_thousand_tags_are_selected_and_no_more() -> None:
    everything = TagFilter.parse(["*"])
    assert too_many_tags(SOURCE, everything.select(listed(MAX_SELECTED))) is None
    found = too_many_tags(SOURCE, everything.select(listed(MAX_SELECTED + 1)))
    assert found == Broken(
        "10001 tags of registry.example/app are selected, and one image may select 10000",
        "limit",
        "take fewer, by `newest` or a narrower `include`; what is over 10000 needs entries of its own",
    )


def test_a_list_may_be_longer_than_what_is_selected_of_it() -> None:
    assert too_many_tags(SOURCE, TagFilter.parse(["v1*"]).select(listed(20_000))) is not None
    assert too_many_tags(SOURCE, TagFilter.parse(["v11*"]).select(listed(20_000))) is None


def test_tags_whose_age_would_have_to_be_asked_count_as_well() -> None:
    found = TagFilter((MinAge(timedelta(days=1)),)).select(listed(MAX_SELECTED + 1))
    assert isinstance(found, NeedsFacts)
    assert too_many_tags(SOURCE, found) is not None


@pytest.mark.parametrize(("count", "is_refused"), [(MAX_FOUND, False), (MAX_FOUND + 1, True)])
def test_a_glob_finds_ten_thousand_repositories_and_no_more(count: int, is_refused: bool) -> None:
    assert (too_many_repositories("registry.example/*", listed(count)) is not None) is is_refused


def test_nothing_selected_is_few_enough() -> None:
    assert too_many_tags(SOURCE, Selection(())) is None
