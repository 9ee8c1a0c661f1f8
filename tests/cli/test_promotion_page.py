"""docs/promotion.md: its example is a spec, and its command lines are understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Cli
from tests.pages import blocks, check_understood
from tests.signature.signers import make_ed25519

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "promotion.md"


@pytest.mark.parametrize("block", blocks(PAGE, "yaml"))
def test_the_example_of_the_page_is_a_spec(block: str, cli: Cli) -> None:
    cli.file(make_ed25519().pem, "records.pub")
    ran = cli("validate", cli.file(block))
    assert (ran.code, ran.err) == (0, ""), ran.text


@pytest.mark.parametrize("line", [line for block in blocks(PAGE, "sh") for line in block.splitlines()])
def test_a_command_line_of_the_page_is_understood(line: str) -> None:
    check_understood(line)
