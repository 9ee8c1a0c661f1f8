"""Sizes as a spec writes them: a whole number and a unit, decimal (`90MB`) or binary (`64MiB`). Pure."""

from __future__ import annotations

import re

_UNITS = {
    "GiB": 1024**3,
    "GB": 1000**3,
    "MiB": 1024**2,
    "MB": 1000**2,
    "KiB": 1024,
    "KB": 1000,
    "B": 1,
}
"""Those that are larger stand first."""


def parse_size(text: str) -> int | None:
    """Bytes, or None for what is no size."""
    match = re.fullmatch(r"([1-9][0-9]{0,8})([KMG]i?B|B)", text, re.ASCII)
    return None if match is None else int(match[1]) * _UNITS[match[2]]


def format_size(size_bytes: int) -> str:
    """The shortest that reads back as the same number: `90MB`, `64MiB`, `1000001B`."""
    unit = next(unit for unit, size in _UNITS.items() if size_bytes % size == 0)
    return f"{size_bytes // _UNITS[unit]}{unit}"
