"""`platforms` and `require_platforms` of a spec: read, overridden, and refused with their place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imagesync.selection import EVERY_PLATFORM, IndexForm, PlatformPattern, Platforms
from imagesync.spec.conflicts import find_conflicts
from imagesync.spec.explain import explain
from tests.spec.test_conflicts import make_rule
from tests.spec.test_rules import only
from tests.spec.written import found, load, make_files, with_images

AMD64, ARM64 = map(PlatformPattern.parse, ("linux/amd64", "linux/arm64"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("platforms: linux/amd64", Platforms.of([AMD64])),
        ("platforms: [linux/arm64/v8, linux/amd64]", Platforms.of([AMD64, ARM64])),
        ("platforms: {keep: linux/amd64}", Platforms.of([AMD64])),
        ("platforms: {keep: [linux/amd64], index: rewrite}", Platforms.of([AMD64])),
        ("platforms: {keep: [linux/amd64], index: sparse}", Platforms.of([AMD64], IndexForm.SPARSE)),
        ("platforms: {keep: [linux/amd64, linux/x86_64], index: flatten}", Platforms.of([AMD64], IndexForm.FLATTEN)),
        ("platforms: all", EVERY_PLATFORM),
        ("require_platforms: [linux/amd64, linux/arm64]", Platforms.of([], required=[AMD64, ARM64])),
        ("require_platforms: none", EVERY_PLATFORM),
    ],
)
def test_platforms_are_read(written: str, expected: Platforms, tmp_path: Path) -> None:
    assert only(load(tmp_path, with_images(f"- name: nginx\n  {written}"))).platforms == expected


@pytest.mark.parametrize(
    ("written", "column", "message"),
    [
        ("platforms: linux/amd46", 20, "'amd46' is not an architecture\n    did you mean amd64?"),
        ("platforms: [linux/amd64, linus/arm64]", 34, "'linus' is not an operating system\n    did you mean linux?"),
        (
            "require_platforms: [linux]",
            29,
            "'linux' is not a platform\n    write linux/amd64, linux/arm/v7, linux/arm/*",
        ),
        ("platforms: {keep: 'windows/amd64:10.0.*'}", 27, "'windows/amd64:10.0.*' is not a platform\n    write linux"),
        ("platforms: {keep: [linux/amd64, linux/arm64], index: flatten}", 27, "keeps one platform, and 2 are named"),
    ],
)
def test_a_platform_that_does_not_exist_is_said_with_its_place(
    written: str, column: int, message: str, *, tmp_path: Path
) -> None:
    (problem,) = found(tmp_path, with_images(f"- name: nginx\n  {written}"))
    assert (problem.place.line, problem.place.column) == (7, column)
    assert message in str(problem)


def test_a_platform_in_defaults_that_nobody_uses_is_checked_as_well(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, "version: 1\ndefaults:\n  platforms: linux/amd46\nsync: []\n")
    assert (problem.place.line, problem.place.column) == (3, 14)


def test_a_platform_may_come_from_the_environment(tmp_path: Path) -> None:
    spec = with_images('- name: nginx\n  platforms: "linux/${ARCH}"')
    assert only(load(tmp_path, spec, environment={"ARCH": "amd64"})).platforms == Platforms.of([AMD64])


def test_a_variable_that_is_empty_keeps_nothing_rather_than_everything(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, with_images('- name: nginx\n  platforms: ["${ARCH:-}"]'))
    assert "'' is not a platform" in problem.message


def test_what_platforms_come_to_is_explained(tmp_path: Path) -> None:
    text = with_images("- name: nginx\n  platforms: {keep: linux/x86-64, index: sparse}\n  require_platforms: none")
    path = make_files(tmp_path, {"sync.yaml": text})
    lines = {line.key: line.value for line in explain(str(path), environment={})}
    assert (lines["platforms"], lines["require_platforms"]) == ("linux/amd64; index: sparse", "none")


def test_one_tag_with_two_sets_of_platforms_is_a_conflict() -> None:
    """Neither wins: nobody could say which digest the tag should have."""
    whole, narrow = make_rule("v1", line=1), make_rule("v1", line=2)
    narrow = replace(narrow, platforms=Platforms.of([AMD64], required=[ARM64]))
    (problem,) = find_conflicts([whole, narrow])
    assert "with linux/amd64, requiring linux/arm64 here, with all platforms at sync.yaml:1:1" in problem.message
    assert find_conflicts([narrow, narrow]) == []
