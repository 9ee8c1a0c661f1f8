"""docs/repositories.md: its table of globs is what the program does, and its example is a spec."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagesync.spec.globs import RepositoryGlob
from tests.spec.written import load

PAGE = (Path(__file__).parent.parent.parent / "docs" / "repositories.md").read_text(encoding="utf-8")
CASES = [
    [re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:4]]
    for line in PAGE.partition("## What matches")[2].partition("## ")[0].splitlines()
    if line.startswith("| `")
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][0])
def test_a_glob_finds_what_the_page_says(case: list[list[str]]) -> None:
    (pattern,), matching, others = case
    glob = RepositoryGlob("registry.example", "", pattern)
    assert [path for path in (*matching, *others) if glob.matches(path)] == matching


def test_the_example_is_a_spec(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
    spec = load(tmp_path, example)
    assert [rule.image for rule in spec.rules] == ["bitnami/kafka", "bitnami/redis", "hashicorp/*", "grafana/loki-*"]
