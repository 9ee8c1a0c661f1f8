"""Tag filters: a list of tags and patterns, or steps one after the other; each drop has its reason."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.reference import Tag
from imagesync.selection import (
    Drop,
    Exclude,
    Extract,
    Include,
    Newest,
    Order,
    Ordering,
    Step,
    StepCount,
    TagFilter,
    TagPattern,
    VersionRange,
    Versions,
)
from tests.selection.values import ORDERS_BY_NAME, TAGS, VERSION_TAGS, tags


def test_every_tag_is_kept_or_dropped_with_a_reason() -> None:
    selection = TagFilter.parse(["1.*", "latest"]).select(tags("2.0", "1.1", "latest", "1.0"))
    assert selection.kept == ("1.0", "1.1", "latest")
    assert selection.dropped == (Drop(Tag("2.0"), "matches no pattern", "include"),)


def test_exact_tags_alone_ask_for_no_list() -> None:
    assert not TagFilter.parse(["1.0", "latest"]).needs_list
    assert TagFilter.parse(["1.0", "1.*"]).needs_list


def test_an_exact_tag_is_kept_though_the_source_does_not_list_it() -> None:
    tag_filter = TagFilter.parse(["1.*", "edge"])
    assert tag_filter.exact_tags == ("edge",)
    assert tag_filter.select(tags("1.0")).kept == ("1.0", "edge")


@pytest.mark.parametrize("tag", [f"sha256-{'a' * 64}", f"sha256-{'a' * 64}.sig", f"sha512-{'b' * 64}"])
def test_signatures_are_never_selected_by_a_pattern(tag: str) -> None:
    selection = TagFilter.parse(["*"]).select(tags(tag, "1.0"))
    assert selection.kept == ("1.0",)
    assert "signatures" in selection.dropped[0].reason


@given(st.lists(TAGS, unique=True), st.lists(TAGS, max_size=3), st.sampled_from(["*", "a*", "/[0-9.]+/", "?"]))
def test_nothing_listed_is_lost_and_the_order_of_the_list_does_not_matter(
    listed: list[Tag], exact: list[Tag], pattern: str
) -> None:
    tag_filter = TagFilter.parse([pattern, *exact])
    selection = tag_filter.select(listed)
    dropped = {drop.tag for drop in selection.dropped}
    assert {*selection.kept} | dropped == {*listed, *exact}
    assert not {*selection.kept} & dropped
    assert tag_filter.select(reversed(listed)) == selection


REDIS = tags(
    *("latest", "7", "7.2", "7.2.0", "7.2.6", "7.4", "7.4.1", "7.4.1-alpine", "7.4-alpine", "8", "8.0-rc1", "8.0.0"),
    *("8.0.0-alpine", "9.0.0", "20240131", "v7.4.0", f"sha256-{'a' * 64}.sig"),
)


def versions(
    text: str = "*", *, suffix: str = "", prereleases: bool = False, extract: Extract | None = None
) -> Versions:
    return Versions(VersionRange.parse(text), suffix, prereleases, extract)


def patterns(*texts: str) -> tuple[TagPattern, ...]:
    return tuple(map(TagPattern.parse, texts))


def kept(*steps: Step, listed: Sequence[Tag] = REDIS, always: Sequence[Tag] = ()) -> list[str]:
    return list(TagFilter(steps, tuple(always)).select(listed).kept)


def reasons(*steps: Step, listed: Sequence[Tag] = REDIS) -> dict[str, str]:
    return {drop.tag: drop.reason for drop in TagFilter(steps).select(listed).dropped}


def newest(count: int, order: Order = Order.VERSION) -> tuple[Step, ...]:
    return (Ordering(order), Newest(count, Ordering(order)))


def test_versions_keep_plain_versions_in_the_range_each_other_tag_with_its_reason() -> None:
    """TAG-08."""
    assert kept(versions(">=7.2 <9")) == ["7.2.0", "7.2.6", "7.4.1", "8.0.0", "v7.4.0"]
    assert reasons(versions(">=7.2 <9")) == {
        "latest": "is no version",
        "20240131": "is no version",
        "7": "is not in the range >=7.2 <9",
        "7.2": "floats: 7.2.0 is more exact",
        "7.4": "floats: 7.4.1 is more exact",
        "7.4-alpine": "has the suffix -alpine",
        "7.4.1-alpine": "has the suffix -alpine",
        "8": "floats: 8.0.0 is more exact",
        "8.0-rc1": "is a pre-release",
        "8.0.0-alpine": "has the suffix -alpine",
        "9.0.0": "is not in the range >=7.2 <9",
        f"sha256-{'a' * 64}.sig": "holds signatures or referrers of a digest",
    }


def test_a_suffix_is_kept_where_it_is_asked_for() -> None:
    assert kept(versions("<9", suffix="-alpine*")) == ["7.4.1-alpine", "8.0.0-alpine"]
    assert kept(versions(">=8 <9", suffix="any")) == ["8.0.0", "8.0.0-alpine"]
    assert reasons(versions("8", suffix="-alpine*"))["8.0.0"] == "has no suffix -alpine*"


def test_pre_releases_are_kept_where_they_are_asked_for_and_never_below_the_range() -> None:
    assert kept(versions(">=8 <9", prereleases=True)) == ["8.0-rc1", "8.0.0"]
    assert "8.0-rc1" not in kept(versions("<8", prereleases=True, suffix="any"))
    listed = tags("3.14.0rc1", "3.14.0rc1-slim", "3.14.0-slim")
    assert kept(versions(prereleases=True, suffix="-slim"), listed=listed) == ["3.14.0-slim", "3.14.0rc1-slim"]


def test_whether_a_version_floats_is_judged_on_the_whole_list_before_include() -> None:
    assert kept(Include(patterns("7.4")), versions()) == []
    assert kept(Exclude(patterns("7.4.*")), versions("7.4")) == ["v7.4.0"]


def test_a_version_floats_over_versions_of_its_own_suffix_alone() -> None:
    listed = tags("3.13-slim", "3.13.0-alpine")
    assert kept(versions(suffix="any"), listed=listed) == ["3.13-slim", "3.13.0-alpine"]
    assert kept(versions(suffix="any"), listed=[*listed, Tag("3.13.0-slim")]) == ["3.13.0-alpine", "3.13.0-slim"]
    assert kept(versions(), listed=tags("1.2", "v1.2.3")) == ["1.2", "v1.2.3"]


def test_extract_reads_the_versions_and_what_floats_by_what_surrounds_them() -> None:
    step = versions(">=1.2", extract=Extract.parse("/(app|web)-(?P<version>.*)/"))
    listed = tags("app-1.2", "app-1.2.3", "web-1.2", "1.2.3", "app-1.1.0")
    assert kept(step, listed=listed) == ["app-1.2.3", "web-1.2"]
    assert reasons(step, listed=listed)["1.2.3"] == "`extract` finds no version in it"
    version = TagFilter((step,)).version_of(Tag("app-1.2.3"))
    assert version is not None
    assert version.numbers == (1, 2, 3)


def test_newest_keeps_the_last_of_an_order_and_drops_what_has_no_place_in_it() -> None:
    assert kept(versions("<9"), *newest(2)) == ["7.4.1", "8.0.0"]
    assert kept(*newest(1, Order.NUMERICAL)) == ["20240131"]
    assert kept(*newest(2, Order.ALPHABETICAL)) == ["latest", "v7.4.0"]
    assert reasons(*newest(1))["latest"] == "is no version, and has no place in the order"
    assert reasons(*newest(1))["7"] == "is not among the newest 1"


def test_always_takes_tags_whatever_the_steps_say_and_besides_the_newest() -> None:
    assert kept(versions("<9"), *newest(1), always=tags("latest", "unlisted")) == ["8.0.0", "latest", "unlisted"]
    assert kept(versions("<9"), *newest(1), always=tags("8.0.0")) == ["8.0.0"]


def test_every_step_counts_what_it_drops() -> None:
    steps = (Include(patterns("7*", "8*")), Exclude(patterns("*-alpine")), versions("<9"), *newest(2))
    assert TagFilter(steps, (Tag("latest"),)).select([*REDIS, Tag("x")]).steps == (
        StepCount("listed", 0, 18),
        StepCount("attachments", -1, 17),
        StepCount("include", -5, 12),
        StepCount("exclude", -3, 9),
        StepCount("versions", -5, 4),
        StepCount("sort", 0, 4),
        StepCount("newest", -2, 2),
        StepCount("always", 1, 3),
    )


@pytest.mark.parametrize("name", ["-x", "sha256:" + "a" * 64, "x" * 200, "../../x", "\x1b[31mred", ""])
def test_what_a_server_lists_that_is_no_tag_is_dropped_and_counted(name: str) -> None:
    """TAG-05."""
    selection = TagFilter.parse(["*"]).select([name, "1.0"])
    assert selection.kept == ("1.0",)
    assert selection.dropped == (Drop(name, "is no legal tag", "legal"),)
    assert StepCount("legal", -1, 1) in selection.steps


@pytest.mark.parametrize("ending", ["", ".sig", ".att", ".sbom"])
def test_no_step_selects_signatures_and_referrers_unless_they_are_named(ending: str) -> None:
    """TAG-07."""
    tag = Tag(f"sha256-{'a' * 64}{ending}")
    assert kept(Include(patterns("sha256-*")), listed=[tag]) == []
    assert kept(*newest(9, Order.ALPHABETICAL), listed=[tag]) == []
    assert kept(Include(patterns("*")), listed=[tag], always=[tag]) == [tag]


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["*", "1*", "/v.*/", "*-alpine"]).map(lambda text: Include(patterns(text))),
        st.sampled_from(["1*", "*.1", "/.*rc.*/"]).map(lambda text: Exclude(patterns(text))),
        st.builds(
            lambda text, suffix, prereleases: versions(text, suffix=suffix, prereleases=prereleases),
            st.sampled_from(["*", "<8", ">=1.2", "^1 || ~2.1"]),
            st.sampled_from(["", "any", "-alpine*"]),
            st.booleans(),
        ),
        st.builds(
            lambda count, order: Newest(count, Ordering(order)), st.integers(1, 5), st.sampled_from(ORDERS_BY_NAME)
        ),
    ),
    max_size=4,
)
LISTS = st.lists(VERSION_TAGS | TAGS, max_size=12)


@given(LISTS, STEPS, st.lists(TAGS, max_size=2), st.randoms())
def test_a_selection_is_a_subset_and_the_order_of_the_list_does_not_matter(
    listed: list[Tag], steps: list[Step], always: list[Tag], random: object
) -> None:
    tag_filter = TagFilter(tuple(steps), tuple(always))
    selection = tag_filter.select(listed)
    assert {*always} <= {*selection.kept} <= {*listed, *always}
    shuffled = list(listed)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert tag_filter.select(shuffled) == selection
    assert sum(step.change for step in selection.steps) + selection.steps[0].left == len(selection.kept)


@given(LISTS, STEPS, st.sampled_from([Exclude(patterns("*1*")), versions(suffix="any"), Newest(2)]))
def test_one_step_more_at_the_end_never_adds_a_tag(listed: list[Tag], steps: list[Step], more: Step) -> None:
    before = TagFilter((*steps, Include(patterns("*")))).select(listed)
    assert {*TagFilter((*steps, Include(patterns("*")), more)).select(listed).kept} <= {*before.kept}


@given(LISTS, st.integers(1, 9), st.sampled_from(ORDERS_BY_NAME))
def test_more_of_the_newest_hold_fewer_of_them(listed: list[Tag], count: int, order: Order) -> None:
    fewer, more = ({*kept(*newest(number, order), listed=listed)} for number in (count, count + 1))
    assert fewer <= more
    assert len(more) <= count + 1


@given(LISTS)
def test_a_wider_range_a_suffix_and_pre_releases_only_add(listed: list[Tag]) -> None:
    narrow = {*kept(versions(">=1.2 <8"), listed=listed)}
    assert narrow <= {*kept(versions(">=1"), listed=listed)}
    assert narrow <= {*kept(versions(">=1.2 <8", suffix="any"), listed=listed)}
    assert narrow <= {*kept(versions(">=1.2 <8", prereleases=True), listed=listed)}
