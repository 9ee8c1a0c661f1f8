"""What keeps foreign text on its own line: no control character, line break or direction mark reaches a terminal."""

from __future__ import annotations

import json


def printable(text: str) -> str:
    r"""The text with every character that is not printed as itself written as an escape: `\x1b`, `\n`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def printable_json(value: object) -> str:
    """A value as JSON for people and programs: letters of every language, and escapes for what is not printed."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n"))


def _escaped(line: str) -> str:
    """Outside of texts JSON has spaces alone, so that whatever else is not printed stands within one."""
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in line)
