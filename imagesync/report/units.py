"""Bytes, seconds and counts as people read them. Decimal units, as registries and disks are sold."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")


def format_bytes(size_bytes: int) -> str:
    """`0 B`, `999 B`, `71.2 MB`: one decimal place, a thousand to the unit."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = size_bytes / 1000
    for unit in _UNITS[:-1]:
        if round(size, 1) < 1000:
            return f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"


def format_seconds(seconds: float) -> str:
    """`45 ms`, `3.2 s`, `42 s`, `3 min 12 s`, `2 h 05 min`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def format_count(number: int, noun: str) -> str:
    """`1 tag`, `2 tags`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
