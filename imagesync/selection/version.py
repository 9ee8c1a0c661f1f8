"""What version a tag stands for, and how versions are ordered: numbers, a pre-release before its release, variant.

A version is an optional `v`, one to four numbers, and an optional suffix, which is a pre-release (`-rc1`), a variant
(`-alpine`), or both, in this order. Builds, dates and hashes are none, unless an Extract says where the version is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass, field, replace
from imagesync.selection.pattern import compile_expression, is_expression

MAX_NUMBERS = 4
_PARTS = re.compile(r"(v?)(\d{1,18}(?:\.\d{1,18}){0,3})(.*)", re.ASCII)
_WORDS = "alpha|beta|rc|prerelease|preview|pre|milestone|nightly|snapshot|canary|dev"
_PRERELEASE = re.compile(
    rf"[-_.]?(?:(?:{_WORDS})(?![a-z])|[abm](?=\d))(?:[-_.]?\d+(?:\.\d+)*)?(?![a-z0-9])", re.ASCII | re.IGNORECASE
)
_VARIANT = re.compile(r"(?:[-_][A-Za-z0-9].*|\.[A-Za-z].*)?", re.ASCII)
"""A dot alone begins a variant only before a letter: `1.2.3.Final` is one, a fifth number is not."""
_BUILD = re.compile(r"v?\d{5}", re.ASCII)
"""A first number of five digits and more is a build, a date or a time."""
_DATE = re.compile(r"(?:19|20)\d\d([-_])(?:0[1-9]|1[0-2])(?:\1(?:0[1-9]|[12]\d|3[01]))?(?!\d)", re.ASCII)

VersionOrder: TypeAlias = tuple[object, ...]
"""Compares with others of its kind, and means nothing else."""


@dataclass(frozen=True, slots=True)
class Version:
    """The parts of a version tag. `prerelease` and `variant` keep the sign that they begin with."""

    numbers: tuple[int, ...]
    prerelease: str = ""
    variant: str = ""
    frame: tuple[str, str] = field(default=("", ""), compare=False)
    """What stands around the version in its tag: `v`, and whatever an Extract leaves out."""

    @classmethod
    def parse(cls, tag: str) -> Version | None:
        """None for a tag that is no version: words, dates and builds of five digits and more, hashes."""
        return None if _BUILD.match(tag) or _DATE.match(tag) else _read(tag)

    @property
    def suffix(self) -> str:
        """All that follows the numbers, without the sign that it begins with."""
        return (self.prerelease + self.variant).lstrip("-_.")

    @property
    def padded(self) -> tuple[int, ...]:
        """Four numbers: what is not written is 0."""
        return (*self.numbers, *(0,) * (MAX_NUMBERS - len(self.numbers)))

    @property
    def order(self) -> VersionOrder:
        """By numbers, then pre-releases before their release, then variant, digits counted as numbers."""
        return (self.padded, not self.prerelease, _natural(self.prerelease), _natural(self.variant), len(self.numbers))


@dataclass(frozen=True, slots=True)
class Extract:
    """`extract`: a regular expression for the whole tag, whose group `version` says where the version is."""

    text: str
    regex: re.Pattern[str] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Extract:
        """Raises InvalidReference where this is no expression, or none that has the group."""
        if not is_expression(text):
            raise InvalidReference(f"{text!r} is not a regular expression", hint="it stands between slashes: /…/")
        regex = compile_expression(text)
        if "version" not in regex.groupindex:
            hint = r"say where the version is: /build-(?P<version>\d+)/"
            raise InvalidReference(f"{text!r} has no group called version", hint=hint)
        return cls(text, regex)

    def version_of(self, tag: str) -> Version | None:
        """None where the expression does not match the tag, or finds no version in it.

        A number of any length is a version here, and so is a date: 2024-01-31 counts as 2024.1.31.
        """
        match = self.regex.fullmatch(tag)
        if match is None or match["version"] is None:
            return None
        version = _read(_dotted(match["version"]))
        if version is None:
            return None
        start, end = match.span("version")
        return replace(version, frame=(tag[:start] + version.frame[0], tag[end:]))


def version_of(tag: str, extract: Extract | None) -> Version | None:
    """The version that a tag stands for, where `extract` says that it is, if it says."""
    return Version.parse(tag) if extract is None else extract.version_of(tag)


@lru_cache(maxsize=65536)
def _read(text: str) -> Version | None:
    match = _PARTS.fullmatch(text)
    if match is None:
        return None
    mark, numbers, rest = match[1], match[2], match[3]
    found = _PRERELEASE.match(rest)
    prerelease = found[0] if found else ""
    if not prerelease and not _VARIANT.fullmatch(rest):
        return None
    if prerelease[:1].isalpha() and "." not in numbers:
        return None  # 3.14rc1 is a version, 3a1 is more likely a hash
    parsed = tuple(int(number) for number in numbers.split("."))
    return Version(parsed, prerelease, rest[len(prerelease) :], (mark, ""))


def _dotted(text: str) -> str:
    """With the date that it begins with, if it does, written as a version."""
    date = _DATE.match(text)
    return text if date is None else date[0].replace(date[1], ".") + text[date.end() :]


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """rc2 before rc10, alpine3.9 before alpine3.20."""
    parts = re.findall(r"\d+|[^\d]+", text.lstrip("-_.").lower(), re.ASCII)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)
