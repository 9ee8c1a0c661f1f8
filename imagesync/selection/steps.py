"""The steps of a selection. Each looks at the tags that are left, and says which to drop, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Protocol, TypeAlias

from imagesync.lazy import dataclass, field
from imagesync.reference import Tag
from imagesync.selection.facts import Facts, Known, NeedsFacts, Reasons, Unknown, without_date
from imagesync.selection.order import Ordering
from imagesync.selection.pattern import TagPattern
from imagesync.selection.range import VersionRange
from imagesync.selection.version import Extract, Version, version_of

ANY_SUFFIX = "any"
"""What `suffix` says for: whatever it is, and none."""


class Step(Protocol):
    """One key of `tags`. As text it is what the spec says there."""

    @property
    def name(self) -> str:
        """The key."""
        ...

    @property
    def needs_facts(self) -> bool:
        """Whether names may not be enough for it."""
        ...

    def reasons(self, tags: Sequence[Tag], known: Known) -> Reasons | NeedsFacts:
        """Of the tags that are left, those to drop, each with why; else what has to be read to tell."""
        ...


@dataclass(frozen=True, slots=True)
class Include:
    """Drops what no pattern matches."""

    patterns: tuple[TagPattern, ...]

    name = "include"
    needs_facts = False

    def __str__(self) -> str:
        return _texts(self.patterns)

    def reasons(self, tags: Sequence[Tag], known: Known) -> Reasons:  # noqa: ARG002 - as every step
        return {tag: "matches no pattern" for tag in tags if not any(pattern.matches(tag) for pattern in self.patterns)}


@dataclass(frozen=True, slots=True)
class Exclude:
    """Drops what a pattern matches."""

    patterns: tuple[TagPattern, ...]

    name = "exclude"
    needs_facts = False

    def __str__(self) -> str:
        return _texts(self.patterns)

    def reasons(self, tags: Sequence[Tag], known: Known) -> Reasons:  # noqa: ARG002 - as every step
        matching = {tag: next((one.text for one in self.patterns if one.matches(tag)), None) for tag in tags}
        return {tag: f"is excluded by {text}" for tag, text in matching.items() if text is not None}


@dataclass(frozen=True, slots=True)
class Versions:
    """Drops what is no version, floats over others, has a suffix that was not asked for, or is out of range."""

    range: VersionRange
    suffix: str = ""
    """A glob for the variant with its sign, `-alpine*`; empty for plain versions, `any` for all."""
    prereleases: bool = False
    extract: Extract | None = None

    name = "versions"
    needs_facts = False

    def __str__(self) -> str:
        suffix = f"suffix {self.suffix}" if self.suffix else ""
        extract = f"extract {self.extract.text}" if self.extract is not None else ""
        parts = [self.range.text, suffix, "prereleases" if self.prereleases else "", extract]
        return ", ".join(part for part in parts if part)

    def reasons(self, tags: Sequence[Tag], known: Known) -> Reasons:
        more_exact = _more_exact(known.listed, self.extract)
        found = {tag: self._reason(version_of(tag, self.extract), more_exact) for tag in tags}
        return {tag: reason for tag, reason in found.items() if reason is not None}

    def _reason(self, version: Version | None, more_exact: Mapping[_Family, Tag]) -> str | None:
        if version is None:
            return "is no version" if self.extract is None else "`extract` finds no version in it"
        if version.prerelease and not self.prereleases:
            return "is a pre-release"
        if not self._takes(version.variant):
            return f"has the suffix {version.variant}" if version.variant else f"has no suffix {self.suffix}"
        if not self.range.admits(version):
            return f"is not in the range {self.range.text}"
        extending = more_exact.get(_family(version, len(version.numbers)))
        return None if extending is None else f"floats: {extending} is more exact"

    def _takes(self, variant: str) -> bool:
        return self.suffix == ANY_SUFFIX or fnmatchcase(variant, self.suffix)


@dataclass(frozen=True, slots=True)
class Newest:
    """Drops all but the last ones of an order."""

    count: int
    ordering: Ordering = field(default_factory=Ordering)

    name = "newest"

    def __str__(self) -> str:
        return str(self.count)

    @property
    def needs_facts(self) -> bool:
        return self.ordering.needs_facts

    def reasons(self, tags: Sequence[Tag], known: Known) -> Reasons | NeedsFacts:
        if len(tags) <= self.count:
            return {}
        missing = without_date(tags, known.facts) if self.ordering.needs_facts else ()
        return NeedsFacts(created=missing) if missing else self._behind(tags, known)

    def _behind(self, tags: Sequence[Tag], known: Known) -> Reasons:
        placed = {tag: key for tag in tags if (key := self.ordering.key(tag, known.facts)) is not None}
        newest_first = sorted(placed, key=placed.__getitem__, reverse=True)
        return {tag: self._reason(tag, known.facts) for tag in newest_first[self.count :]}

    def _reason(self, tag: Tag, facts: Facts) -> str:
        reason = f"is not among the newest {self.count}"
        created = facts.believed(tag) if self.ordering.needs_facts else None
        return f"{reason}: {created.reason}" if isinstance(created, Unknown) else reason


_Family: TypeAlias = tuple[tuple[str, str], tuple[int, ...], str]
"""What surrounds a version, its first numbers, and its suffix: what the versions that one floats over share."""


def _family(version: Version, count: int) -> _Family:
    return version.frame, version.numbers[:count], version.prerelease + version.variant


def _more_exact(listed: Sequence[Tag], extract: Extract | None) -> Mapping[_Family, Tag]:
    """Of each family that a listed version extends, one that does."""
    found: dict[_Family, Tag] = {}
    for tag in listed:
        for family in _families_extended(version_of(tag, extract)):
            found.setdefault(family, tag)
    return found


def _families_extended(version: Version | None) -> Iterator[_Family]:
    if version is not None:
        yield from (_family(version, count) for count in range(1, len(version.numbers)))


def _texts(patterns: Sequence[TagPattern]) -> str:
    return ", ".join(pattern.text for pattern in patterns)
