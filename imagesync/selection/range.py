"""Ranges of versions: `>=7.2 <9`, `^1.4`, `~1.4.2`, `1.x`, `1.2 - 1.4`, and `||` between alternatives.

Of plain versions they admit what npm's semver admits. They look at numbers alone, whatever suffix follows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import TypeAlias

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass, field
from imagesync.selection.version import MAX_NUMBERS, Version

Bound: TypeAlias = tuple[float, ...]
Interval: TypeAlias = tuple[Bound, Bound]
"""From the first, and less than the second."""

_START: Bound = (0, 0, 0, 0)
_END: Bound = (math.inf,)
_OPERATOR = r"\^|~>?|[<>]=?|="
_COMPARISON = re.compile(rf"({_OPERATOR})?v?([\dxX*][\w.*]*)", re.ASCII)
_HYPHEN = re.compile(r"v?(\S+)\s+-\s+v?(\S+)", re.ASCII)
_NUMBERS = re.compile(r"(\d{1,18}(?:\.\d{1,18})*)?(?:(?:^|\.)[xX*])*", re.ASCII)
_ALLOWED = "allowed are >=1.2, >, <, <=, =, ^1.2, ~1.2, 1.x, 1.2 - 1.4; a space joins them, || separates alternatives"


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The versions between some bounds. A number that a bound leaves out stands for any: `<=8` admits 8.4."""

    text: str
    intervals: tuple[Interval, ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """Raises InvalidReference for what is no range, saying which part of it is not."""
        return cls(text, tuple(_alternative(part.strip(), text) for part in text.split("||")))

    @property
    def is_empty(self) -> bool:
        """Whether there is no version that it could admit, as of `>9 <7`."""
        return all(low >= end for low, end in self.intervals)

    def admits(self, version: Version) -> bool:
        return any(low <= version.padded < end for low, end in self.intervals)


def _alternative(part: str, text: str) -> Interval:
    """What all comparisons of one alternative have in common; an empty one admits everything."""
    hyphen = _HYPHEN.fullmatch(part)
    if hyphen is not None:
        return _numbers(hyphen[1], text), _after(_numbers(hyphen[2], text))
    joined = re.sub(rf"({_OPERATOR})\s+", r"\1", part)
    return _common(_comparison(comparison, text) for comparison in joined.split())


def _common(intervals: Iterable[Interval]) -> Interval:
    low, end = _START, _END
    for other_low, other_end in intervals:
        low, end = max(low, other_low), min(end, other_end)
    return low, end


def _comparison(comparison: str, text: str) -> Interval:
    match = _COMPARISON.fullmatch(comparison)
    if match is None:
        raise _no_range(comparison, text)
    return _INTERVALS[match[1] or "="](_numbers(match[2], text))


def _numbers(written: str, text: str) -> Bound:
    match = _NUMBERS.fullmatch(written)
    numbers = tuple(int(number) for number in match[1].split(".")) if match and match[1] else ()
    if match is None or not written or len(numbers) > MAX_NUMBERS:
        raise _no_range(written, text)
    return numbers


def _after(bound: Bound) -> Bound:
    """Where the versions that begin with these numbers end."""
    return (*bound[:-1], bound[-1] + 1) if bound else _END


def _leading(bound: Bound) -> Bound:
    """Up to the first number that is not 0: what `^` holds on to."""
    for position, number in enumerate(bound, start=1):
        if number:
            return bound[:position]
    return bound


_INTERVALS: dict[str, Callable[[Bound], Interval]] = {
    "=": lambda bound: (bound, _after(bound)),
    ">=": lambda bound: (bound, _END),
    ">": lambda bound: (_after(bound), _END),
    "<": lambda bound: (_START, bound),
    "<=": lambda bound: (_START, _after(bound)),
    "^": lambda bound: (bound, _after(_leading(bound))),
    "~": lambda bound: (bound, _after(bound[:2])),
    "~>": lambda bound: (bound, _after(bound[:2])),
}


def _no_range(part: str, text: str) -> InvalidReference:
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    where = f": {part[:40]!a} is no comparison" if part and part != text else ""
    return InvalidReference(f"{shown!a} is not a range of versions{where}", hint=_hint(part))


def _hint(part: str) -> str:
    if "," in part:
        return "write a space instead of the comma: >=1.2 <2"
    if part.startswith("!"):
        return "`exclude` leaves tags out"
    if re.search(r"\d[-_.]?[A-Za-z]", part) and not re.search(r"[xX*]", part):
        return "a range has numbers alone: `suffix` and `prereleases` say what may follow them"
    return _ALLOWED
