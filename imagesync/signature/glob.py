"""Globs over identities, builders and sources: `*` stands for anything, slashes too; all else stands for itself."""

from __future__ import annotations


def matches(glob: str, text: str) -> bool:
    """Whether the glob fits the whole text; in one pass, however long and of whose making the text is."""
    first, *rest = glob.split("*")
    if not rest:
        return glob == text
    *middle, last = rest
    end = len(text) - len(last)
    position = len(first) if text.startswith(first) and text.endswith(last) else end + 1
    for part in middle:
        found = text.find(part, position, max(end, 0))
        position = found + len(part) if found >= 0 else end + 1
    return position <= end
