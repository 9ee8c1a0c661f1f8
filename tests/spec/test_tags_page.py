"""docs/tags.md: its table of cases is what the program does, and its examples are specs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagesync.spec.tags import parse_tags

PAGE = (Path(__file__).parent.parent.parent / "docs" / "tags.md").read_text(encoding="utf-8")
CASES = [
    [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:5]]
    for line in PAGE.partition("## Cases")[2].splitlines()
    if line.startswith("| `")
]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def reasons(cell: str) -> dict[str, str]:
    found = [re.fullmatch(r"`([^`]+)` (.+)", part) for part in cell.split("; ") if part]
    return {match[1]: match[2] for match in found if match is not None}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[1])
def test_a_case_is_what_the_program_does(case: list[str]) -> None:
    """TAG-08."""
    listed, (tags,), taken, dropped = codes(case[0]), codes(case[1]), codes(case[2]), reasons(case[3])
    selection = parse_tags(tags, environment={}).select(listed)
    assert sorted(selection.kept) == sorted(taken)
    assert {drop.tag: drop.reason for drop in selection.dropped} == dropped


def test_the_page_has_cases() -> None:
    assert len(CASES) > 15


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.S))
def test_an_example_is_right(block: str) -> None:
    """Each is the key `tags` and its value."""
    value = re.sub(r"^tags:", "", block)
    assert parse_tags(value, environment={}).needs_list
