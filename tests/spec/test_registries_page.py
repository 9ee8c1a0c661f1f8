"""docs/registries.md: its table is that of the program, its specs are valid, its commands are those of the errors."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from pathlib import Path

import pytest

from imagesync.behaviour import TABLE, Behaviour, Creation, Kind, creation_advice
from imagesync.spec.sizes import format_size
from tests.pages import blocks
from tests.spec.written import load, make_files

PAGE = Path(__file__).resolve().parents[2] / "docs" / "registries.md"


def cell(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return format_size(value) if isinstance(value, int) and value > 1_000_000 else str(value)


def table() -> str:
    """The table as the page has it: what differs from `generic` is set off."""
    usual = TABLE[Kind.GENERIC]
    names = [one.name.replace("manifest_bytes", "manifest_size") for one in fields(Behaviour)]
    lines = [f"| kind | {' | '.join(names)} |", f"|---{'|---' * len(names)}|"]
    for kind, row in TABLE.items():
        values = [(getattr(row, one.name), getattr(usual, one.name)) for one in fields(Behaviour)]
        cells = [cell(value) if value == usually else f"**{cell(value)}**" for value, usually in values]
        lines.append(f"| `{kind.value}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_page_shows_the_table_of_the_program() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")


def test_every_kind_has_a_row() -> None:
    assert set(TABLE) == set(Kind)


@pytest.mark.parametrize("block", blocks(PAGE, "yaml"))
def test_a_spec_of_the_page_is_valid(block: str, tmp_path: Path) -> None:
    make_files(tmp_path, {"ecr.json": "{}"})
    assert load(tmp_path, block).rules


@pytest.mark.parametrize(
    ("kind", "creation", "repository"),
    [
        (Kind.ECR, Creation.ECR, "111122223333.dkr.ecr.eu-central-1.amazonaws.com/mirror/nginx"),
        (Kind.ECR_PUBLIC, Creation.ECR, "public.ecr.aws/acme/nginx"),
        (Kind.GAR, Creation.COMMAND, "europe-docker.pkg.dev/acme/mirror/nginx"),
    ],
)
def test_a_command_of_the_page_is_the_one_that_the_error_holds(kind: Kind, creation: Creation, repository: str) -> None:
    host, _, path = repository.partition("/")
    advice = creation_advice(kind, creation, host, path) or ""
    assert f"`{advice.split('`')[1]}`" in PAGE.read_text(encoding="utf-8")
