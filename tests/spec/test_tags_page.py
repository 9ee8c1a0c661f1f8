"""docs/tags.md: its table of cases is what the program does, and its examples are specs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from imagesync.plan.aliases import highest_of
from imagesync.reference import Digest, Tag
from imagesync.selection import Alias, Facts, Selection, Standing, Unknown
from imagesync.spec.tags import parse_tags
from tests.plan.values import make_rule
from tests.spec.written import indented, load, with_images

PAGE = (Path(__file__).parent.parent.parent / "docs" / "tags.md").read_text(encoding="utf-8")
CASES = [
    [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:5]]
    for line in PAGE.partition("## Cases")[2].splitlines()
    if line.startswith("| `")
]
ALIASES = [
    [cell.strip() for cell in line.split("|")[1:4]]
    for line in PAGE.partition("## Aliases")[2].partition("\n## ")[0].splitlines()
    if line.startswith("| `")
]


NOW = datetime(2026, 3, 1, tzinfo=UTC)
LETTERS = "0123456789abcdef"
TOLD = re.compile(r"`([^`]+)` (of [\d-]+|undated|seen [\d, ]+ h ago|never seen)")


@dataclass(frozen=True)
class Seen:
    """A sight of a digest; the page tells how many hours ago it was."""

    digest: Digest
    at: datetime


def facts(cell: str) -> Facts:
    """What a case says of its tags besides their names."""
    told = {
        Tag(tag): what for tag, what in re.findall(r"`([^`]+)` (of [\d-]+|undated|seen [\d, ]+ h ago|never seen)", cell)
    }
    standings = {tag: standing(what) for tag, what in told.items()}
    seen = (one.digest for known in standings.values() for one in known.sights or ())
    created = {tag: date(what) for tag, what in told.items() if "seen" not in what}
    unsaid = dict.fromkeys(told, Unknown("the registry says nothing"))
    return Facts(NOW, created, standings, unsaid, dict.fromkeys(seen, True))


def date(what: str) -> datetime | Unknown:
    if what == "undated":
        return Unknown("its config names no date")
    return datetime.fromisoformat(what.removeprefix("of ")).replace(tzinfo=UTC)


def standing(what: str) -> Standing:
    """The digest that it points to is the one that was seen last."""
    hours = sorted(map(int, re.findall(r"\d+(?=[, ])", what))) if what.startswith("seen") else []
    digests = [Digest(f"sha256:{letter * 64}") for letter in LETTERS]
    sights = [Seen(digest, NOW - timedelta(hours=ago)) for digest, ago in zip(digests, hours, strict=False)]
    return Standing(digests[0], tuple(sights))


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def reasons(cell: str) -> dict[str, str]:
    found = [re.fullmatch(r"`([^`]+)` (.+)", part) for part in cell.split("; ") if part]
    return {match[1]: match[2] for match in found if match is not None}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[1])
def test_a_case_is_what_the_program_does(case: list[str]) -> None:
    """TAG-08."""
    listed, (tags,), taken, dropped = codes(case[0]), codes(case[1]), codes(case[2]), reasons(case[3])
    selection = parse_tags(tags, environment={}).select(listed, facts(case[0]))
    assert isinstance(selection, Selection)
    assert sorted(selection.kept) == sorted(taken)
    assert {drop.tag: drop.reason for drop in selection.dropped} == dropped


@pytest.mark.parametrize("case", ALIASES, ids=lambda case: f"{case[0]} {case[1]}")
def test_a_case_of_aliases_is_what_the_program_does(case: list[str]) -> None:
    selected, (written,) = codes(case[0]), codes(case[1])
    rule = make_rule(*selected, aliases=[Alias(template) for template in yaml.safe_load(written)])
    carried = {alias: str(tag) for alias, tag in highest_of(rule, rule.tags.exact_tags).items()}
    assert carried == {match[1]: match[2] for match in re.finditer(r"`([^`]+)` ([^;]+)", case[2])}


def test_the_page_has_cases() -> None:
    assert len(CASES) > 25
    assert len(ALIASES) > 5


@pytest.mark.parametrize("block", re.findall(r"^( *)```yaml\n *(aliases:.*?)```", PAGE, re.S | re.M))
def test_an_example_of_aliases_is_right(block: tuple[str, str], tmp_path: Path) -> None:
    columns, text = block
    keys = indented(text.replace(f"\n{columns}", "\n"), 2)
    (rule,) = load(tmp_path, with_images(f"- name: redis\n  tags: '7.*'\n{keys}")).rules
    assert rule.aliases


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(tags:.*?)```", PAGE, re.S))
def test_an_example_is_right(block: str) -> None:
    """Each is the key `tags` and its value."""
    value = re.sub(r"^tags:", "", block)
    assert parse_tags(value, environment={}).needs_list
