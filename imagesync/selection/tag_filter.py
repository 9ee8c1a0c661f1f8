"""`tags` of a rule: steps, one after the other, and tags that are taken whatever the steps say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from imagesync.reference import Tag
from imagesync.selection.facts import NO_FACTS, Created, Facts, Known, NeedsFacts, Unknown
from imagesync.selection.pattern import PatternKind, TagPattern
from imagesync.selection.steps import Include, Step, Versions
from imagesync.selection.version import Version, version_of

ATTACHMENT_TAG = re.compile(r"sha(?:256|512)-[a-f0-9]{32,128}(?:\.[a-z0-9]+)?")
"""Tags that hold signatures and referrers of a digest: they travel with it, and no step selects them."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A tag that was not kept, why, and which step says so. What is no legal tag is a plain str."""

    tag: str
    reason: str
    step: str


@dataclass(frozen=True, slots=True)
class StepCount:
    """How many tags one step dropped, or for `always` took back, and how many were left after it."""

    step: str
    change: int
    left: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The tags a rule keeps, sorted, what it dropped, and what each step came to."""

    kept: tuple[Tag, ...]
    dropped: tuple[Drop, ...] = ()
    steps: tuple[StepCount, ...] = ()
    created: Mapping[Tag, Created] = field(default_factory=dict)
    """When the images were made, of the tags of which that had to be read."""

    @property
    def undated(self) -> dict[Tag, Unknown]:
        """The tags of which it had to be read when they were made, and why that is not known."""
        return {tag: created for tag, created in sorted(self.created.items()) if isinstance(created, Unknown)}


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Keeps what no step drops of a source's list, and the tags that are named exactly, listed or not."""

    steps: tuple[Step, ...] = ()
    exact_tags: tuple[Tag, ...] = ()
    """The tags named outright; the source must have each."""

    @classmethod
    def parse(cls, texts: Iterable[str]) -> TagFilter:
        """A list of tags, globs and expressions. Raises InvalidReference."""
        return cls.of([TagPattern.parse(text) for text in texts])

    @classmethod
    def of(cls, patterns: Sequence[TagPattern]) -> TagFilter:
        """Whatever one of the patterns matches; a tag that is one of them is named outright."""
        exact = tuple(Tag(pattern.text) for pattern in patterns if pattern.kind is PatternKind.EXACT)
        others = tuple(pattern for pattern in patterns if pattern.kind is not PatternKind.EXACT)
        return cls((Include(others),) if others else (), exact)

    @property
    def needs_list(self) -> bool:
        """False when all tags are named exactly: then the source is not asked for its list."""
        return bool(self.steps)

    def version_of(self, tag: Tag) -> Version | None:
        """The version that a tag stands for, read as the step `versions` reads it."""
        extracts = [step.extract for step in self.steps if isinstance(step, Versions)]
        return version_of(tag, extracts[0] if extracts else None)

    def select(self, listed: Iterable[str], facts: Facts = NO_FACTS) -> Selection | NeedsFacts:
        """Keep the tags named outright, listed or not, and of the list whatever no step drops.

        The list may hold anything that a server sends: what is no tag is dropped first. Where the facts are too few to
        tell, says which are needed; more than those change nothing.
        """
        return self._sift(listed, self.steps, facts)

    def select_by_name(self, listed: Iterable[str]) -> Selection:
        """The selection as far as names tell: a step that may need more than those drops nothing."""
        found = self._sift(listed, [step for step in self.steps if not step.needs_facts], NO_FACTS)
        assert isinstance(found, Selection)  # noqa: S101 - narrows: none of these steps needs a fact
        return found

    def _sift(self, listed: Iterable[str], steps: Iterable[Step], facts: Facts) -> Selection | NeedsFacts:
        names = sorted(set(listed)) if self.needs_list else []
        sieve = _Sieve(names)
        sieve.drop("legal", {name: "is no legal tag" for name in names if not Tag.is_valid(name)})
        legal = tuple(Tag(name) for name in sieve.left)
        attachments = [tag for tag in legal if ATTACHMENT_TAG.fullmatch(tag)]
        sieve.drop("attachments", dict.fromkeys(attachments, "holds signatures or referrers of a digest"))
        for step in steps:
            reasons = step.reasons([Tag(name) for name in sieve.left], Known(legal, facts))
            if isinstance(reasons, NeedsFacts):
                return reasons
            sieve.drop(step.name, reasons, is_shown=True)
        return sieve.selection(self.exact_tags, facts)


class _Sieve:
    """What is left of a list, and what was dropped of it."""

    def __init__(self, names: Iterable[str]) -> None:
        self.left = list(names)
        self._dropped: dict[str, Drop] = {}
        self._steps = [StepCount("listed", 0, len(self.left))]

    def drop(self, step: str, reasons: Mapping[Tag, str] | Mapping[str, str], *, is_shown: bool = False) -> None:
        """Drop these; a step that is not the user's is counted where it drops something."""
        self.left = [name for name in self.left if name not in reasons]
        self._dropped.update({name: Drop(name, reason, step) for name, reason in reasons.items()})
        if reasons or is_shown:
            self._steps.append(StepCount(step, -len(reasons), len(self.left)))

    def selection(self, exact: Iterable[Tag], facts: Facts) -> Selection:
        """With the tags that are taken whatever was dropped."""
        kept = {*(Tag(name) for name in self.left), *exact}
        taken = len(kept) - len(self.left)
        last = [StepCount("always", taken, len(kept))] if taken else []
        dropped = tuple(self._dropped[name] for name in sorted(self._dropped.keys() - kept))
        created = {tag: facts.believed(tag) for tag in facts.created}
        return Selection(tuple(sorted(kept)), dropped, (*self._steps, *last), created)
