"""Globs over identities and addresses."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.signature.glob import matches


@pytest.mark.parametrize(
    ("glob", "text", "fits"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("https://github.com/acme/*", "https://github.com/acme/app/.github/workflows/x.yml@refs/heads/main", True),
        ("https://github.com/acme/*", "https://github.com/acmex/app", False),
        ("https://github.com/acme/*@refs/heads/main", "https://github.com/acme/a@refs/heads/main2", False),
        ("*@example.com", "me@example.com.evil", False),
        ("ab*ba", "aba", False),
        ("a*b*a", "aba", True),
        ("a.c", "abc", False),
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_a_glob_fits_the_whole_text(glob: str, text: str, fits: bool) -> None:
    assert matches(glob, text) is fits


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_glob_fits_what_its_regular_expression_does(glob: str, text: str) -> None:
    expression = ".*".join(map(re.escape, glob.split("*")))
    assert matches(glob, text) is (re.fullmatch(expression, text) is not None)


def test_a_text_that_nearly_fits_many_stars_costs_one_pass() -> None:
    assert not matches("*a" * 50 + "*b", "a" * 100_000)
