"""docs/signatures.md: every reason that it explains is one that is given, and every option one that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagesync.cli.parser import Parser, command_module

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "signatures.md").read_text(encoding="utf-8")
SOURCES = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "imagesync" / "signature").glob("*.py"))
REASONS = re.findall(r"^\| `([^`]+)` \|", PAGE.partition("## Reasons")[2], re.M)
OPTIONS = sorted(set(re.findall(r"--[a-z-]+[a-z]", PAGE)))


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_of_the_page_is_one_that_is_given(reason: str) -> None:
    assert all(part.strip(" ,") in SOURCES for part in reason.split("…"))


def test_the_page_explains_every_kind_of_reason() -> None:
    assert len(REASONS) >= 7


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_of_the_page_is_one_of_the_command(option: str) -> None:
    parser = Parser()
    command_module("verify").add_arguments(parser)
    assert option in parser.format_help()
