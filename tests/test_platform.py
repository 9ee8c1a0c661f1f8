"""Platforms: one spelling for what sources write in many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.platform import Platform

SPELLINGS = [
    ("linux/aarch64", "linux/arm64"),
    ("linux/armhf", "linux/arm/v7"),
    ("linux/armel", "linux/arm/v6"),
    ("linux/i386", "linux/386"),
    ("linux/x86_64", "linux/amd64"),
    ("linux/x86-64", "linux/amd64"),
    ("linux/amd64/v1", "linux/amd64"),
    ("linux/amd64/v3", "linux/amd64/v3"),
    ("linux/arm64/8", "linux/arm64"),
    ("linux/arm64/v8", "linux/arm64"),
    ("linux/arm64/v8.0", "linux/arm64"),
    ("linux/arm64/9", "linux/arm64/v9"),
    ("linux/arm64/9.0", "linux/arm64/v9"),
    ("linux/arm64/v9.0", "linux/arm64/v9"),
    ("linux/arm", "linux/arm/v7"),
    ("linux/arm/5", "linux/arm/v5"),
    ("linux/arm/6", "linux/arm/v6"),
    ("linux/arm/7", "linux/arm/v7"),
    ("linux/arm/8", "linux/arm/v8"),
    ("macos/arm64", "darwin/arm64"),
    ("Linux/AMD64", "linux/amd64"),
    ("windows(10.0.17763.1)/amd64", "windows(10.0.17763.1)/amd64"),
    ("linux/s390x", "linux/s390x"),
]


@pytest.mark.parametrize(("written", "expected"), SPELLINGS)
def test_a_platform_has_one_spelling(written: str, expected: str) -> None:
    """PLT-01."""
    assert str(Platform.parse(written)) == expected


@pytest.mark.parametrize("written", [written for written, _ in SPELLINGS])
def test_normalising_twice_changes_nothing(written: str) -> None:
    """PLT-01."""
    once = Platform.parse(written)
    assert Platform.parse(str(once)) == once


@pytest.mark.parametrize(
    "text", ["", "linux", "linux/", "/amd64", "linux/a/b/c", "linux/am d64", "linux()x/y", "a/é", "a/b\n"]
)
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference, match="not a platform"):
        Platform.parse(text)


def test_an_index_entry_is_read_with_its_version_and_features() -> None:
    entry = {"os": "windows", "architecture": "amd64", "os.version": "10.0.1", "os.features": ["win32k", 7]}
    platform = Platform.from_dict(entry)
    assert platform == Platform("windows", "amd64", "", "10.0.1", ("win32k",))


def test_what_a_server_sends_as_something_else_than_text_counts_as_empty() -> None:
    platform = Platform.from_dict({"os": 7, "architecture": None, "variant": ["v8"], "os.features": "win32k"})
    assert platform == Platform("", "")


def test_buildkits_attestations_are_on_no_platform() -> None:
    assert Platform.from_dict({"os": "unknown", "architecture": "unknown"}).is_unknown
    assert not Platform("unknown", "amd64").is_unknown


@given(st.text(max_size=30) | st.text(alphabet="linuxarm64/v8()._", max_size=20))
def test_any_text_is_a_platform_that_prints_back_or_an_invalid_reference(text: str) -> None:
    try:
        platform = Platform.parse(text)
    except InvalidReference:
        return
    assert Platform.parse(str(platform)) == platform
