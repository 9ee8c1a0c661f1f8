"""Versions: which tags are some, what they are made of, and how they are ordered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.reference import Tag
from imagesync.selection import Extract, Order, Ordering, Version
from tests.selection.values import ORDERS_BY_NAME, TAGS, VERSION_TAGS, tags


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("1", Version((1,))),
        ("v1.27.3", Version((1, 27, 3))),
        ("1.2.3.4", Version((1, 2, 3, 4))),
        ("22.04", Version((22, 4))),
        ("2024.12.10", Version((2024, 12, 10))),
        ("3.13-slim", Version((3, 13), variant="-slim")),
        ("12.4.1-devel-ubuntu22.04", Version((12, 4, 1), variant="-devel-ubuntu22.04")),
        ("1.2_x", Version((1, 2), variant="_x")),
        ("3.8.1.Final", Version((3, 8, 1), variant=".Final")),
        ("2022-CU12-ubuntu-22.04", Version((2022,), variant="-CU12-ubuntu-22.04")),
        ("1.2.3-a1b2c3d", Version((1, 2, 3), variant="-a1b2c3d")),
        ("8.0-rc.1", Version((8, 0), "-rc.1")),
        ("1.2.3_b1", Version((1, 2, 3), "_b1")),
        ("3.14.0rc2-slim", Version((3, 14, 0), "rc2", "-slim")),
        ("16-beta1-alpine3.20", Version((16,), "-beta1", "-alpine3.20")),
        ("5.0-SNAPSHOT", Version((5, 0), "-SNAPSHOT")),
        ("4.0.0-M1", Version((4, 0, 0), "-M1")),
    ],
)
def test_a_version_is_numbers_a_pre_release_and_a_variant(tag: str, expected: Version) -> None:
    assert Version.parse(tag) == expected


@pytest.mark.parametrize(
    "word", ["alpha", "beta", "rc", "pre", "preview", "dev", "nightly", "snapshot", "canary", "m1", "a1", "b1", "RC2"]
)
def test_every_word_of_a_pre_release_is_one(word: str) -> None:
    version = Version.parse(f"8.0-{word}")
    assert version is not None
    assert (version.prerelease, version.suffix) == (f"-{word}", word)


@pytest.mark.parametrize(
    "tag",
    [
        *("latest", "20240101", "12345", "1234567", "v20240101", "20240101-1", "20240101.1", "12345-alpine"),
        *("2024-01-31", "2024_01_31-alpine", "2024-01", "deadbeef", "3a1", "7e5f3a2", "v", "vv1", "1.", "1..2"),
        *("1.2.3.4.5", "1-", "1.2a", "1.2.-x", "٣", "V1"),
    ],
)
def test_words_builds_dates_and_hashes_are_no_versions(tag: str) -> None:
    assert Version.parse(tag) is None


@pytest.mark.parametrize(
    ("expression", "tag", "numbers"),
    [
        (r"/release-(?P<version>.*)/", "release-1.2.3", (1, 2, 3)),
        (r"/build-(?P<version>\d+)/", "build-20240131", (20240131,)),
        (r"/(?P<version>\d+)-[a-f0-9]{7}/", "123456-abcdef0", (123456,)),
        (r"/RELEASE\.(?P<version>\d+-\d+-\d+)T.*/", "RELEASE.2024-01-31T01-02-03Z", (2024, 1, 31)),
    ],
)
def test_extract_says_where_the_version_is(expression: str, tag: str, numbers: tuple[int, ...]) -> None:
    version = Extract.parse(expression).version_of(tag)
    assert version is not None
    assert version.numbers == numbers


@pytest.mark.parametrize(
    ("expression", "tag"),
    [
        (r"/release-(?P<version>.*)/", "1.2.3"),
        (r"/release-(?P<version>.*)/", "release-x"),
        (r"/release(?P<version>-.*)?/", "release"),
    ],
)
def test_extract_finds_no_version_where_there_is_none(expression: str, tag: str) -> None:
    assert Extract.parse(expression).version_of(tag) is None


@pytest.mark.parametrize("text", ["release-(?P<version>.*)", r"/release-(.*)/", "/(/", "", "/"])
def test_extract_is_an_expression_with_a_group_for_the_version(text: str) -> None:
    with pytest.raises(InvalidReference):
        Extract.parse(text)


def ordered(order: Order, *texts: str) -> list[str]:
    keys = {tag: Ordering(order).key(tag) for tag in tags(*texts)}
    return sorted((tag for tag, key in keys.items() if key is not None), key=lambda tag: keys[tag])


def test_versions_are_ordered_by_numbers_then_pre_releases_then_variants() -> None:
    """TAG-08."""
    expected = ["1.2", "1.2.3_b1", "1.2.3-rc1", "v1.2.3"]
    assert ordered(Order.VERSION, "v1.2.3", "latest", "1.2.3-rc1", "1.2", "1.2.3_b1") == expected
    assert ordered(Order.VERSION, "8.0", "8.0-alpine", "8.0-rc10", "8.0-rc2", "7.10", "7.9", "8") == [
        *("7.9", "7.10", "8.0-rc2", "8.0-rc10", "8", "8.0", "8.0-alpine"),
    ]
    assert ordered(Order.VERSION, "1-alpine3.20", "1-alpine3.9") == ["1-alpine3.9", "1-alpine3.20"]


def test_other_orders_are_by_the_alphabet_and_by_number() -> None:
    assert ordered(Order.ALPHABETICAL, "b", "10", "9") == ["10", "9", "b"]
    assert ordered(Order.NUMERICAL, "20240131", "9", "10", "1.0", "x") == ["9", "10", "20240131"]


@given(st.text() | TAGS | VERSION_TAGS)
def test_any_text_is_a_version_or_none_and_never_an_error(text: str) -> None:
    version = Version.parse(text)
    assert version is None or 1 <= len(version.numbers) <= 4


@given(st.lists(VERSION_TAGS | TAGS, unique=True), st.sampled_from(ORDERS_BY_NAME))
def test_an_order_is_total_whatever_the_tags(listed: list[Tag], order: Order) -> None:
    keys = [key for key in map(Ordering(order).key, listed) if key is not None]
    assert len(set(keys)) == len(keys)
    assert sorted(keys, reverse=True) == sorted(keys)[::-1]
