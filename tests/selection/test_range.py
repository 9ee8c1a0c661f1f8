"""Ranges: of plain versions they admit what npm's semver does."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.selection import Version, VersionRange
from tests.selection.values import NUMBERS

TABLE = json.loads((Path(__file__).parent.parent / "vectors" / "semver-ranges.json").read_text())
PLAIN = [version for text in TABLE["versions"] if (version := Version.parse(text))]


def admits(text: str, version: str) -> bool:
    parsed = Version.parse(version)
    assert parsed is not None
    return VersionRange.parse(text).admits(parsed)


@pytest.mark.parametrize("text", TABLE["ranges"])
def test_a_range_admits_the_plain_versions_that_npm_admits(text: str) -> None:
    found = VersionRange.parse(text)
    assert "".join(str(int(found.admits(version))) for version in PLAIN) == TABLE["ranges"][text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [(">9 <7", True), (">*", True), ("<0", True), (">2 <1 || 3", False), ("*", False), (">1", False), ("1 - 0", True)],
)
def test_a_range_that_can_admit_nothing_is_known(text: str, expected: bool) -> None:
    assert VersionRange.parse(text).is_empty == expected


@given(st.sampled_from(sorted(TABLE["ranges"])), st.sampled_from(sorted(TABLE["ranges"])))
def test_alternatives_admit_what_either_admits(one: str, other: str) -> None:
    both = VersionRange.parse(f"{one} || {other}")
    parts = [VersionRange.parse(one), VersionRange.parse(other)]
    assert all(both.admits(version) == any(part.admits(version) for part in parts) for version in PLAIN)


@given(st.sampled_from(["", ">", ">=", "<", "<=", "^", "~"]), NUMBERS, st.sampled_from(["", ">", "<=", "^"]), NUMBERS)
def test_comparisons_side_by_side_admit_what_all_admit(one: str, first: str, other: str, second: str) -> None:
    both = VersionRange.parse(f"{one}{first} {other}{second}")
    parts = [VersionRange.parse(f"{one}{first}"), VersionRange.parse(f"{other}{second}")]
    assert all(both.admits(version) == all(part.admits(version) for part in parts) for version in PLAIN)


@given(NUMBERS, NUMBERS)
def test_what_is_less_is_not_at_least(bound: str, version: str) -> None:
    assert admits(f"<{bound}", version) != admits(f">={bound}", version)
    assert admits(f"<={bound}", version) != admits(f">{bound}", version)


@pytest.mark.parametrize("text", [*TABLE["none"], "1.2.3-rc1", ">=1.2.3-0", "==1", "vv1", "\x1b[31m", "1" * 200])
def test_what_is_no_range_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        VersionRange.parse(text)
    assert "is not a range of versions" in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 200
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (">=1, <2", "'>=1, <2' is not a range of versions: '>=1,' is no comparison", "write a space instead"),
        ("!=1", "'!=1' is not a range of versions", "`exclude` leaves tags out"),
        (">=8.0-rc1", "'>=8.0-rc1' is not a range of versions", "`suffix` and `prereleases` say"),
        ("newest", "'newest' is not a range of versions", "allowed are >=1.2"),
    ],
)
def test_a_range_that_is_none_says_which_part_is_wrong_and_what_to_do(text: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        VersionRange.parse(text)
    assert caught.value.message == message
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("<8", "8.0-rc1", False),
        ("<8", "7.9.9.9", True),
        (">=8", "8.0-rc1", True),
        ("1.2.3", "1.2.3.4", True),
        (">1.2.3", "1.2.3.4", False),
        (">=1.2.3.4", "1.2.3.5", True),
        ("~1.2.3.4", "1.2.9", True),
        (">=22.04", "22.10", True),
        ("22.04", "22.04", True),
        ("=7", "7", True),
        (">=7.4.1", "7.4", False),
    ],
)
def test_beyond_npm_there_are_four_numbers_zeros_in_front_and_suffixes(text: str, version: str, expected: bool) -> None:
    assert admits(text, version) == expected


@given(st.text(max_size=40))
def test_any_text_is_a_range_or_is_refused(text: str) -> None:
    with suppress(InvalidReference):
        assert VersionRange.parse(text).text == text
