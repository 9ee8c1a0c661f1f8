"""What pages of the project show: their blocks of code, and the commands in them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from imagesync.cli.parser import build_parser


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language in a Markdown page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def shell_lines(page: Path) -> list[str]:
    return [line for block in blocks(page, "sh") for line in block.splitlines() if line and not line.startswith("#")]


def check_understood(line: str) -> None:
    """Fail the test where a command line of a page is none that imagesync takes; what it reads need not be there."""
    _, command, *arguments = shlex.split(line, comments=True)
    assert build_parser().parse_args([command, *arguments]).command == command
