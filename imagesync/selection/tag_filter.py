"""`tags` of a rule: steps, one after the other, and tags that are taken whatever the steps say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from imagesync.lazy import dataclass, replace
from imagesync.reference import Digest, Tag
from imagesync.selection.age import MinAge, OldEnough, TooYoung
from imagesync.selection.facts import NO_FACTS, Facts, Known, NeedsFacts, Reasons, Unknown
from imagesync.selection.pattern import PatternKind, TagPattern
from imagesync.selection.sieve import Selection, Sieve
from imagesync.selection.steps import Include, Newest, Step, Versions
from imagesync.selection.version import Version, version_of

ATTACHMENT_TAG = re.compile(r"sha(?:256|512)-[a-f0-9]{32,128}(?:\.[a-z0-9]+)?")
"""Tags that hold signatures and referrers of a digest: they travel with it, and no step selects them."""


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

    @property
    def min_age(self) -> MinAge | None:
        """How old what a tag points to has to be; it binds the tags that are named outright, too."""
        return next((step for step in self.steps if isinstance(step, MinAge)), None)

    def select(self, listed: Iterable[str], facts: Facts = NO_FACTS) -> Selection | NeedsFacts:
        """Keep the tags named outright, listed or not, and of the list whatever no step drops.

        The list may hold anything that a server sends: what is no tag is dropped first. Where the facts are too few to
        tell, says which are needed; more than those change nothing.
        """
        names = list(listed)
        sieve = self._sift(names, self.steps, facts)
        needed = self._needed(sieve, facts)
        if needed is not None:
            return needed
        selection = sieve.selection(self.exact_tags, self._reasons(self.exact_tags, facts))
        return replace(
            selection,
            created={tag: facts.believed(tag) for tag in facts.created},
            undated=self._undated(facts),
            pinned=self._pinned(selection.kept, facts),
            waiting=self._waiting(names, facts),
        )

    def select_by_name(self, listed: Iterable[str]) -> Selection:
        """The selection as far as names tell: a step that may need more than those drops nothing."""
        sieve = self._sift(listed, [step for step in self.steps if not step.needs_facts], NO_FACTS)
        return sieve.selection(self.exact_tags, {})

    def _sift(self, listed: Iterable[str], steps: Iterable[Step], facts: Facts) -> Sieve:
        """What is left of a list, up to the first step that has to know more."""
        names = sorted(set(listed)) if self.needs_list else []
        sieve = Sieve(names)
        sieve.drop("legal", {name: "is no legal tag" for name in names if not Tag.is_valid(name)})
        legal = sieve.tags
        attachments = [tag for tag in legal if ATTACHMENT_TAG.fullmatch(tag)]
        sieve.drop("attachments", dict.fromkeys(attachments, "holds signatures or referrers of a digest"))
        for step in steps:
            reasons = step.reasons(sieve.tags, Known(legal, facts))
            if isinstance(reasons, NeedsFacts):
                sieve.needed = reasons
                break
            sieve.drop(step.name, reasons, is_shown=True)
        return sieve

    def _needed(self, sieve: Sieve, facts: Facts) -> NeedsFacts | None:
        """What has still to be read. Ages are asked for before dates, which cost more; and where dates are not asked
        for, of those tags alone that would be kept: the age of any other changes nothing for these."""
        if self.min_age is None:
            return sieve.needed
        if sieve.needed is not None:
            return self.min_age.needs(sieve.needed.created, facts) or sieve.needed
        kept = (*sieve.tags, *self.exact_tags)
        needed = self.min_age.needs(kept, facts)
        return needed and self.min_age.needs((*kept, *sieve.next_ones), facts)

    def _reasons(self, tags: Iterable[Tag], facts: Facts) -> Reasons:
        return {} if self.min_age is None else self.min_age.reasons(tuple(tags), Known((), facts))

    def _undated(self, facts: Facts) -> dict[Tag, Unknown]:
        is_by_date = any(isinstance(step, Newest) and step.needs_facts for step in self.steps)
        dates = {tag: facts.believed(tag) for tag in sorted(facts.created)} if is_by_date else {}
        return {tag: created for tag, created in dates.items() if isinstance(created, Unknown)}

    def _pinned(self, kept: Iterable[Tag], facts: Facts) -> dict[Tag, Digest]:
        verdicts = {} if self.min_age is None else {tag: self.min_age.judge(tag, facts) for tag in kept}
        taken = {tag: verdict.digest for tag, verdict in verdicts.items() if isinstance(verdict, OldEnough)}
        return {tag: digest for tag, digest in taken.items() if digest is not None}

    def _waiting(self, names: Iterable[str], facts: Facts) -> dict[Tag, TooYoung]:
        if self.min_age is None:
            return {}
        whatever_age = self._sift(names, [step for step in self.steps if step is not self.min_age], facts)
        wanted = sorted({*whatever_age.tags, *self.exact_tags})
        verdicts = {tag: self.min_age.judge(tag, facts) for tag in wanted}
        return {tag: verdict for tag, verdict in verdicts.items() if isinstance(verdict, TooYoung)}
