"""One pattern over tags: a tag, a glob, or a regular expression."""

from __future__ import annotations

import re
import warnings
from enum import Enum
from fnmatch import translate

from imagesync.errors import InvalidReference, Place
from imagesync.lazy import dataclass, field
from imagesync.reference import Tag

MAX_PATTERN_LENGTH = 2048
"""To read brackets that are never closed takes the square of it."""


class PatternKind(Enum):
    EXACT = "exact"
    GLOB = "glob"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class TagPattern:
    """One line under `tags`: a tag, a glob where it holds `* ? [`, or a `/regular expression/` for the whole tag."""

    text: str
    kind: PatternKind
    regex: re.Pattern[str] | None = field(default=None, repr=False, compare=False)
    place: Place | None = field(default=None, repr=False, compare=False)
    """Where a spec says it."""

    @classmethod
    def parse(cls, text: str) -> TagPattern:
        """Raises InvalidReference where the text is none of the three."""
        if is_expression(text):
            return cls(text, PatternKind.REGEX, compile_expression(text))
        if any(letter in text for letter in "*?["):
            return cls(text, PatternKind.GLOB, compile_glob(text))
        return cls(str(Tag(text)), PatternKind.EXACT)

    def matches(self, tag: str) -> bool:
        return self.text == tag if self.regex is None else self.regex.fullmatch(tag) is not None


def is_expression(text: str) -> bool:
    """Whether this is written as a `/regular expression/`."""
    return len(text) > 1 and text.startswith("/") and text.endswith("/")


def compile_expression(text: str) -> re.Pattern[str]:
    """What stands between the slashes. Raises InvalidReference."""
    _check_length(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # what another Python would read in another way
            return re.compile(text[1:-1], re.ASCII)
    except (re.error, FutureWarning, OverflowError, RecursionError) as error:
        raise InvalidReference(f"{text[:100]!r} is not a regular expression: {error}") from error


def compile_glob(text: str) -> re.Pattern[str]:
    """Raises InvalidReference where it is too long."""
    _check_length(text)
    return re.compile(translate(text), re.ASCII)


def _check_length(text: str) -> None:
    if len(text) > MAX_PATTERN_LENGTH:
        raise InvalidReference(f"{text[:100]!r}… is longer than the {MAX_PATTERN_LENGTH} letters of a pattern")
