"""Selection: which tags a rule keeps, why it drops the rest, and what a kept tag is called at the destination."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.reference import Tag
from imagesync.selection import Drop, PatternKind, Retag, TagFilter, TagPattern, Version

TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True).map(Tag)


def tags(*texts: str) -> list[Tag]:
    return [Tag(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1.27", PatternKind.EXACT),
        ("1.*", PatternKind.GLOB),
        ("1.?", PatternKind.GLOB),
        ("1.[23]", PatternKind.GLOB),
        ("/v[0-9]+/", PatternKind.REGEX),
    ],
)
def test_a_pattern_is_a_tag_a_glob_or_an_expression_by_its_signs(text: str, kind: PatternKind) -> None:
    assert TagPattern.parse(text).kind is kind


@pytest.mark.parametrize("text", ["", "/", "-x", "a b", "v1+build", "/(/", "/[/", "a/b", "1\n"])
def test_what_is_none_of_the_three_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        TagPattern.parse(text)


@pytest.mark.parametrize(
    ("pattern", "kept", "dropped"),
    [
        ("1.2?", "1.27", "1.270"),
        ("1.*", "1.", "11."),
        ("*-alpine", "3-alpine", "3-alpine3"),
        ("/v1|v2/", "v2", "v10"),
        ("/v[0-9]+/", "v12", "xv12"),
        ("/\\d+/", "12", "12a"),
        ("[!l]*", "1", "latest"),
    ],
)
def test_a_pattern_matches_the_whole_tag(pattern: str, kept: str, dropped: str) -> None:
    assert TagPattern.parse(pattern).matches(kept)
    assert not TagPattern.parse(pattern).matches(dropped)


def test_every_tag_is_kept_or_dropped_with_a_reason() -> None:
    selection = TagFilter.parse(["1.*", "latest"]).select(tags("2.0", "1.1", "latest", "1.0"))
    assert selection.kept == ("1.0", "1.1", "latest")
    assert selection.dropped == (Drop(Tag("2.0"), "matches no pattern"),)


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


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("1", Version((1,))),
        ("v1.27.3", Version((1, 27, 3))),
        ("1.2.3.4", Version((1, 2, 3, 4))),
        ("3.13-slim", Version((3, 13), "slim")),
        ("8.0-rc.1", Version((8, 0), "rc.1")),
        ("1.2_x", Version((1, 2), "x")),
    ],
)
def test_a_version_is_numbers_and_a_suffix(tag: str, expected: Version) -> None:
    assert Version.parse(tag) == expected


@pytest.mark.parametrize("tag", ["latest", "20240101", "12345", "1234567", "deadbeef", "v", "vv1", "1.", "٣"])
def test_words_dates_and_hashes_are_no_versions(tag: str) -> None:
    assert Version.parse(tag) is None


@pytest.mark.parametrize(
    ("template", "tag", "expected"),
    [
        ("{tag}", "1.27", "1.27"),
        ("{tag}-mirror", "latest", "latest-mirror"),
        ("{major}.{minor}", "v1.27.3", "1.27"),
        ("{patch}", "1.27.3", "3"),
        ("{major}-{suffix}", "3.13-slim", "3-slim"),
        ("fixed", "1.27", "fixed"),
    ],
)
def test_a_template_names_the_tag_at_the_destination(template: str, tag: str, expected: str) -> None:
    assert Retag(template).apply(Tag(tag)) == expected


@pytest.mark.parametrize(
    ("template", "tag", "said"),
    [
        ("{major}", "latest", "needs a version"),
        ("{patch}", "1.27", "needs a patch number"),
        ("{tag}/x", "1", "not a tag"),
        ("{suffix}", "1.0", "not a tag"),
    ],
)
def test_a_tag_that_the_template_cannot_name_is_refused(template: str, tag: str, said: str) -> None:
    with pytest.raises(InvalidReference, match=said):
        Retag(template).apply(Tag(tag))


def test_a_map_names_every_tag_or_refuses_it() -> None:
    retag = Retag(names=(("1.27", "stable"), ("1.28", "edge")))
    assert retag.apply(Tag("1.27")) == "stable"
    with pytest.raises(InvalidReference) as caught:
        retag.apply(Tag("1.29"))
    assert caught.value.hint == "add `1.29: NEW-TAG`"
    with pytest.raises(InvalidReference, match="not a tag"):
        Retag(names=(("1", "-x"),)).apply(Tag("1"))


@pytest.mark.parametrize(
    ("template", "problems"),
    [
        ("{tag}-{major}", ()),
        ("plain", ()),
        ("{Tag}", ("{Tag} is not known",)),
        ("{digest}{x}", ("{digest} is not known", "{x} is not known")),
        ("{tag", ("'{tag' has an unpaired brace",)),
        ("tag}", ("'tag}' has an unpaired brace",)),
        ("{}", ("{} is not known",)),
    ],
)
def test_a_template_that_is_wrong_for_every_tag_says_so(template: str, problems: tuple[str, ...]) -> None:
    assert Retag(template).problems() == problems


@given(TAGS)
def test_the_default_changes_no_name(tag: Tag) -> None:
    assert Retag().apply(tag) == tag
