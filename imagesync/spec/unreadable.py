"""A file that YAML cannot read: where it stops, and what to do where the usual causes can be told.

A line that says a password is not repeated in the advice: what is wrong with it may be the password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

import yaml

from imagesync.errors import Place, Problem

MAX_DEPTH = 64
"""Lists and maps in each other. libyaml's composer recurses in C: a file of brackets would end the process."""
_SAYS_A_SECRET = re.compile(r"(?:password|passwd|token|secret)[\"']?\s*:", re.IGNORECASE)


class Mark(Protocol):
    """A place as YAML counts, from 0."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


class TooDeep(ValueError):
    """More lists and maps in each other than any spec has; `mark` is where the last one begins."""

    def __init__(self, mark: Mark | None) -> None:
        super().__init__(f"over {MAX_DEPTH} lists and maps in each other")
        self.mark = mark


def place_of(mark: Mark | None, file: str) -> Place:
    return Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)


def quoted(text: str) -> str:
    """The text in the quotes that change nothing in it, for a hint."""
    if not text.isprintable():
        return f'"{ascii(text)[1:-1]}"'
    return f"'{text}'" if set(text) & set('"\\') and "'" not in text else f'"{text}"'


def unreadable(error: Exception, text: str, file: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        # libyaml has a bound of its own, and meets it first where brackets follow one another without an end.
        is_too_deep = "nesting depth" in str(error.problem)
        error = TooDeep(error.problem_mark) if is_too_deep else error
    if isinstance(error, yaml.MarkedYAMLError):
        return _yaml_problem(error, text, file)
    if isinstance(error, yaml.reader.ReaderError):
        return _unreadable_character(error, text, file)
    mark = error.mark if isinstance(error, TooDeep) else None
    return Problem(place_of(mark, file), ascii(str(error))[1:-1], "is a bracket left open?")


def _unreadable_character(error: yaml.reader.ReaderError, text: str, file: str) -> Problem:
    """A control character: YAML gives its code, and no place."""
    before = text[: max(0, text.find(chr(error.character)))]
    place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return Problem(place, f"not YAML: the character U+{error.character:04X} may not stand here", "remove it")


def _yaml_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """YAML's own error with the place, and what to do where the usual causes can be told."""
    mark = error.problem_mark or error.context_mark
    if _is_unclosed(error):
        mark = error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return Problem(Place(file), f"not YAML: {said}")
    lines = text.splitlines()
    hint = _secret_hint(lines[max(0, mark.line - 1) : mark.line + 1]) or _yaml_hint(error, mark, lines)
    return Problem(place_of(mark, file), f"not YAML: {said}", hint)


def _is_unclosed(error: yaml.MarkedYAMLError) -> bool:
    """A quote that is never closed: where it is opened says more than where the file ends."""
    return "quoted scalar" in str(error.context) and "end of stream" in str(error.problem)


def _secret_hint(lines: Iterable[str]) -> str | None:
    """Where a password is said on one of these lines: advice that does not repeat it."""
    if any(_SAYS_A_SECRET.search(line) for line in lines):
        return "put what has signs of YAML's own in single quotes, as passwords may"
    return None


def _yaml_hint(error: yaml.MarkedYAMLError, mark: Mark, lines: list[str]) -> str:
    """What to do about YAML's error: it may show up a line below its cause."""
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not with tabs"
    if "alias" in str(error.problem) or "alias" in str(error.context):
        return _alias_hint(line, error.context_mark or mark)
    if "escape" in str(error.problem):
        return r"in double quotes a backslash begins an escape: use single quotes, '/\d+/'"
    above = lines[mark.line - 1] if mark.line and not _is_unclosed(error) else ""
    for candidate in (line, above):
        if hint := _spacing_hint(candidate) or _range_hint(candidate) or _value_hint(candidate):
            return hint
    if _is_unclosed(error):
        return "close this quote"
    return "check the indentation, and quote what holds YAML's own signs"


def _alias_hint(line: str, mark: Mark) -> str:
    word = re.match(r"[^\s,\]}]*", line[mark.column :])
    return f"quote it: {quoted(word[0] if word else '*')}, an unquoted * refers to an anchor"


def _spacing_hint(line: str) -> str | None:
    """`version:1` and `-source: x`: a space is missing."""
    bare = line.strip()
    if re.match(r"-[A-Za-z_]+:(\s|$)", bare):
        return f"put a space after the dash: - {bare[1:]}"
    match = re.fullmatch(r"([a-z_]+):([^\s/].*)", bare)
    return f"put a space after the colon: {match[1]}: {match[2]}" if match else None


def _range_hint(line: str) -> str | None:
    """`versions: >=7.2 <9`, in a map of its own or in braces."""
    match = re.search(r":\s+(>=?\s*v?\d[^,}\]#]*)", line)
    return f"quote it: {quoted(match[1].strip())}, a value may not begin with >" if match else None


def _value_hint(line: str) -> str | None:
    """What is wrong with the value of a line, by how it begins."""
    value = line.strip().removeprefix("- ").strip()
    value = value.partition(": ")[2].strip() or value
    if value[:1] in ("@", "%", "`", "!", "&", "|") or _is_template(value):
        return f"quote it: {quoted(value)}, a value may not begin with {value[:1]}"
    if value[:1] in ("[", "{") and _is_odd(value):
        return """quote each item that holds brackets or braces: ["/v[0-9]+/"]"""
    if ": " in value and not value.startswith(('"', "'")):
        return f"quote it: {quoted(value)}, a colon and a space begin a map"
    return None


def _is_template(value: str) -> bool:
    """`{tag}-mirror`, not `{a: [b]}`."""
    return value[:1] == "{" and _is_odd(value) and ": " not in value


def _is_odd(value: str) -> bool:
    """Whether a value in brackets or braces is not simply one list or map."""
    return value[-1] not in "]}" or bool(set(value[1:-1]) & set("[]{}"))
