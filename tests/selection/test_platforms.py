"""Platform patterns: what each matches, in whatever spelling it is written."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.platform import Platform
from imagesync.selection import EVERY_PLATFORM, IndexForm, PlatformPattern, Platforms

THERE = (
    "linux/amd64",
    "linux/amd64/v3",
    "linux/arm64",
    "linux/arm64/v9",
    "linux/arm/v6",
    "linux/arm/v7",
    "linux/386",
    "windows(10.0.17763.6054)/amd64",
    "windows(10.0.20348.2582)/amd64",
    "windows(10.0.20348.2700)/amd64",
    "darwin/arm64",
)
MATCHES = [
    ("linux/amd64", ["linux/amd64"]),
    ("linux/x86_64", ["linux/amd64"]),
    ("linux/amd64/v1", ["linux/amd64"]),
    ("Linux/AMD64/V3", ["linux/amd64/v3"]),
    ("linux/amd64/*", ["linux/amd64", "linux/amd64/v3"]),
    ("linux/arm64/v8", ["linux/arm64"]),
    ("linux/aarch64", ["linux/arm64"]),
    ("linux/arm", ["linux/arm/v7"]),
    ("linux/armhf", ["linux/arm/v7"]),
    ("linux/arm/*", ["linux/arm/v6", "linux/arm/v7"]),
    ("linux/*", [name for name in THERE if name.startswith("linux/")]),
    ("macos/arm64", ["darwin/arm64"]),
    ("windows/amd64", [name for name in THERE if name.startswith("windows")]),
    ("windows/*", [name for name in THERE if name.startswith("windows")]),
    ("windows(10.0.20348)/amd64", ["windows(10.0.20348.2582)/amd64", "windows(10.0.20348.2700)/amd64"]),
    ("windows(10.0.20348.2700)/amd64", ["windows(10.0.20348.2700)/amd64"]),
    ("windows(10.0.2)/amd64", []),
    ("linux/s390x", []),
]


@pytest.mark.parametrize(("written", "expected"), MATCHES)
def test_a_pattern_matches_by_what_it_says(written: str, expected: list[str]) -> None:
    """PLT-01, PLT-03."""
    pattern = PlatformPattern.parse(written)
    assert [name for name in THERE if pattern.matches(Platform.parse(name))] == expected


@pytest.mark.parametrize("written", [written for written, _ in MATCHES])
def test_a_pattern_is_printed_so_that_it_is_read_back(written: str) -> None:
    pattern = PlatformPattern.parse(written)
    assert PlatformPattern.parse(str(pattern)) == pattern


@pytest.mark.parametrize(
    "text", ["", "*", "*/amd64", "linux", "linux/", "linux/arm/v7/*", "linux/a/b/c", "windows/amd64:10.0", "linux/**"]
)
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference, match=r"not a platform|is not an"):
        PlatformPattern.parse(text)


@given(st.text(max_size=30))
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(InvalidReference):
        PlatformPattern.parse(text)


def test_platforms_are_one_value_in_whatever_order_they_are_named() -> None:
    first, second = map(PlatformPattern.parse, ("linux/amd64", "linux/arm64"))
    made = [Platforms.of([first, second, first]), Platforms.of([second, first])]
    assert made[0] == made[1]
    assert made[0].key == "1 rewrite linux/amd64, linux/arm64"
    assert Platforms.of([first], IndexForm.SPARSE, [second]).key == "1 sparse linux/amd64 of linux/arm64"
    assert EVERY_PLATFORM.key == "1 all"
