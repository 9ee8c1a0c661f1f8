"""Which tags a rule keeps, each drop with its reason, and what a kept tag is called at the destination.

Pure: tags in, Selection out; where tags come from is the survey's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import translate

from imagesync.errors import InvalidReference
from imagesync.reference import Tag

ATTACHMENT_TAG = re.compile(r"sha(?:256|512)-[a-f0-9]{32,128}(?:\.[a-z0-9]+)?")
"""Tags that hold signatures and referrers of a digest: they travel with it, and are never selected."""


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

    @classmethod
    def parse(cls, text: str) -> TagPattern:
        """Raises InvalidReference where the text is none of the three."""
        if len(text) > 1 and text.startswith("/") and text.endswith("/"):
            try:
                return cls(text, PatternKind.REGEX, re.compile(text[1:-1], re.ASCII))
            except re.error as error:
                raise InvalidReference(f"{text!r} is not a regular expression: {error}") from error
        if any(letter in text for letter in "*?["):
            return cls(text, PatternKind.GLOB, re.compile(translate(text), re.ASCII))
        return cls(str(Tag(text)), PatternKind.EXACT)

    def matches(self, tag: str) -> bool:
        return self.text == tag if self.regex is None else self.regex.fullmatch(tag) is not None


@dataclass(frozen=True, slots=True)
class Drop:
    """A tag that was not kept, and why."""

    tag: Tag
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The tags a rule keeps, sorted, and what it dropped."""

    kept: tuple[Tag, ...]
    dropped: tuple[Drop, ...] = ()


@dataclass(frozen=True, slots=True)
class TagFilter:
    """`tags` of a rule: every tag that one of the patterns matches is kept."""

    patterns: tuple[TagPattern, ...]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> TagFilter:
        return cls(tuple(TagPattern.parse(text) for text in texts))

    @property
    def needs_list(self) -> bool:
        """False when all tags are named exactly: then the source is not asked for its list."""
        return any(pattern.kind is not PatternKind.EXACT for pattern in self.patterns)

    @property
    def exact_tags(self) -> tuple[Tag, ...]:
        """The tags named outright; the source must have each."""
        return tuple(Tag(pattern.text) for pattern in self.patterns if pattern.kind is PatternKind.EXACT)

    def select(self, listed: Iterable[Tag]) -> Selection:
        """Keep the tags named outright, listed or not, and of the list whatever a pattern matches."""
        exact = set(self.exact_tags)
        kept, dropped = set(exact), []
        for tag in listed:
            if tag in exact:
                continue
            if ATTACHMENT_TAG.fullmatch(tag):
                dropped.append(Drop(tag, "holds signatures or referrers of a digest"))
            elif any(pattern.matches(tag) for pattern in self.patterns):
                kept.add(tag)
            else:
                dropped.append(Drop(tag, "matches no pattern"))
        return Selection(tuple(sorted(kept)), tuple(sorted(dropped, key=lambda drop: drop.tag)))


@dataclass(frozen=True, slots=True)
class Version:
    """The parts of a version tag: an optional `v`, one to four numbers, an optional suffix."""

    numbers: tuple[int, ...]
    suffix: str = ""

    @classmethod
    def parse(cls, tag: str) -> Version | None:
        """None for a tag that is no version: words, dates and builds of five digits and more, hashes."""
        match = re.fullmatch(r"v?(\d{1,9}(?:\.\d{1,9}){0,3})(?:[-_.+]([A-Za-z0-9][A-Za-z0-9_.-]*))?", tag, re.ASCII)
        if match is None or re.fullmatch(r"\d{5,}|[a-f0-9]{7,64}", tag, re.ASCII):
            return None
        return cls(tuple(int(number) for number in match[1].split(".")), match[2] or "")


RETAG_FIELDS = ("tag", "major", "minor", "patch", "suffix")


@dataclass(frozen=True, slots=True)
class Retag:
    """How a source tag is called at the destination: a template over RETAG_FIELDS, or a map of every tag."""

    template: str = "{tag}"
    names: tuple[tuple[str, str], ...] | None = None

    def apply(self, tag: Tag) -> Tag:
        """The destination tag. Raises InvalidReference when the map lacks the tag, the template asks for a
        part that the tag has not, or the result is no tag."""
        if self.names is not None:
            found = dict(self.names).get(tag)
            if found is None:
                raise InvalidReference(f"retag has no line for the selected tag {tag}", hint=f"add `{tag}: NEW-TAG`")
            return Tag(found)
        return Tag(re.sub(r"\{([a-z_]*)\}", lambda match: self._field(match[1], tag), self.template))

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the template whatever the tag."""
        unknown = [name for name in re.findall(r"\{([^{}]*)\}", self.template) if name not in RETAG_FIELDS]
        left = re.sub(r"\{[^{}]*\}", "", self.template)
        found = [f"{{{name}}} is not known" for name in unknown]
        return tuple(found + ([f"{self.template!r} has an unpaired brace"] if set(left) & set("{}") else []))

    def _field(self, name: str, tag: Tag) -> str:
        if name == "tag":
            return tag
        version = Version.parse(tag)
        if version is None:
            raise InvalidReference(f"retag template {self.template!r} needs a version, {tag} is none")
        if name == "suffix":
            return version.suffix
        position = {"major": 0, "minor": 1, "patch": 2}[name]
        if position >= len(version.numbers):
            raise InvalidReference(f"retag template {self.template!r} needs a {name} number, {tag} has none")
        return str(version.numbers[position])
