"""Patterns: a tag, a glob, or a regular expression."""

from __future__ import annotations

import pytest

from imagesync.errors import InvalidReference
from imagesync.selection import PatternKind, TagPattern
from imagesync.selection.pattern import MAX_PATTERN_LENGTH


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
    "text",
    [
        "/" + "(" * 1000 + ")" * 1000 + "/",
        "/a{99999999999999999999}/",
        "/[[a]/",
        "[" * (MAX_PATTERN_LENGTH + 1),
        "/" + "a" * MAX_PATTERN_LENGTH + "/",
    ],
    ids=["too deep", "too many", "a set that may be two", "too long a glob", "too long an expression"],
)
def test_what_the_library_refuses_in_other_ways_is_refused_too_and_shortly(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        TagPattern.parse(text)
    assert len(str(caught.value)) < 300


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
