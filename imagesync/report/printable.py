"""What keeps foreign text on its own line: no control character, line break or direction mark reaches a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with every character that is not printed as itself written as an escape: `\x1b`, `\n`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
