"""Aliases: which tags of several versions carry which, and what a template may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.reference import Tag
from imagesync.selection import Alias, Version, carriers, check_one_variant


def versions(*tags: str) -> dict[Tag, Version]:
    found = {Tag(tag): Version.parse(tag) for tag in tags}
    return {tag: version for tag, version in found.items() if version is not None}


def carried(templates: tuple[str, ...], *tags: str) -> dict[str, list[str]]:
    found = carriers([Alias(template) for template in templates], versions(*tags))
    return {str(name): list(map(str, several)) for name, several in found.items()}


def test_each_value_of_a_template_has_its_versions_highest_first() -> None:
    assert carried(("{major}.{minor}", "{major}", "stable"), "7.2.6", "7.4.9", "7.4.10", "8.0.1") == {
        "7": ["7.4.10", "7.4.9", "7.2.6"],
        "7.2": ["7.2.6"],
        "7.4": ["7.4.10", "7.4.9"],
        "8": ["8.0.1"],
        "8.0": ["8.0.1"],
        "stable": ["8.0.1", "7.4.10", "7.4.9", "7.2.6"],
    }


def test_what_is_no_version_and_a_pre_release_carry_nothing() -> None:
    assert carried(("stable",), "latest", "8.0-rc1", "7.4.1") == {"stable": ["7.4.1"]}


def test_a_version_without_a_part_that_is_asked_for_has_no_such_alias() -> None:
    assert carried(("{major}.{minor}.{patch}-x", "{major}-{suffix}"), "7.4", "8.0-alpine") == {
        "8-alpine": ["8.0-alpine"]
    }


def test_plain_versions_go_before_variants() -> None:
    assert carried(("stable",), "8.0", "8.1-alpine", "7.4") == {"stable": ["8.0", "7.4"]}


def test_variants_of_one_kind_are_in_order() -> None:
    found = versions("8.0-alpine3.9", "8.0-alpine3.20", "7.4-alpine3.20")
    check_one_variant(found, found)
    assert carried(("stable",), *map(str, found))["stable"][0] == "8.0-alpine3.20"


def test_of_variants_of_two_kinds_none_is_the_highest() -> None:
    found = versions("8.0-alpine", "8.1-slim")
    with pytest.raises(InvalidReference) as caught:
        check_one_variant(found, found)
    assert caught.value.message == "8.0-alpine and 8.1-slim are variants, and none is the higher version"
    assert "{suffix}" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{tag}", "{tag} is not known"),
        ("{digest}-{Major}", "{digest} is not known"),
        ("{major", "has an unpaired brace"),
        ("v{major}}", "has an unpaired brace"),
        ("a b", "'a b' is not a tag"),
        ("-{major}", "'-1' is not a tag"),
    ],
)
def test_a_template_that_no_version_can_fill_is_a_mistake(template: str, said: str) -> None:
    assert said in Alias(template).problems()[0]


@pytest.mark.parametrize("template", ["stable", "{major}.{minor}", "v{major}-{suffix}"])
def test_a_right_template_has_no_problems(template: str) -> None:
    assert Alias(template).problems() == ()


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)), min_size=1))
def test_the_highest_of_all_carries_what_has_no_placeholder(numbers: list[tuple[int, int, int]]) -> None:
    tags = [".".join(map(str, several)) for several in numbers]
    assert carried(("stable",), *tags)["stable"][0] == ".".join(map(str, max(numbers)))
