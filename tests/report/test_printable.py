"""Foreign text stays on its line."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from imagesync.report.printable import printable, printable_json


def test_control_characters_line_ends_and_direction_marks_are_escaped() -> None:
    assert printable("a\x1b[2J\r\n\u202e\x9b\u2028\x00ü…") == r"a\x1b[2J\r\n\u202e\x9b\u2028\x00ü…"


@given(st.text(st.characters()))
def test_whatever_comes_in_is_one_printable_line_that_can_be_encoded(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


@given(st.text())
def test_what_is_printable_stays_as_it_is(text: str) -> None:
    assert printable(printable(text)) == printable(text)


def test_json_holds_what_is_not_printed_as_escapes_and_every_other_letter_as_it_is() -> None:
    """S26: a terminal reorders a line at U+202E, and takes U+009B for the beginning of a command."""
    value = {"ä\u202e": ["\x9b2J", "\u2028::error::", "\U000e0041", "日本", "😀"]}
    text = printable_json(value)
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text) == value
    assert "ä" in text
    assert "日本" in text
    assert "😀" in text
