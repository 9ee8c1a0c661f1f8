"""What a selection comes to: the tags that are kept, those that were dropped and why, and what each step did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagesync.lazy import dataclass, field
from imagesync.reference import Digest, Tag
from imagesync.selection.age import MinAge, TooYoung
from imagesync.selection.facts import Created, NeedsFacts, Reasons, Unknown
from imagesync.selection.steps import Newest


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
    undated: Mapping[Tag, Unknown] = field(default_factory=dict)
    """The tags that count as the oldest, since that is not known, and why it is not."""
    pinned: Mapping[Tag, Digest] = field(default_factory=dict)
    """The digest to take of tags that point to one which is too young by now."""
    waiting: Mapping[Tag, TooYoung] = field(default_factory=dict)
    """The tags that would be kept if they were older."""


class Sieve:
    """What is left of a list, and what was dropped of it; `needed` is what the next step has to know."""

    def __init__(self, names: Iterable[str]) -> None:
        self.left = list(names)
        self.needed: NeedsFacts | None = None
        self._dropped: dict[str, Drop] = {}
        self._steps = [StepCount("listed", 0, len(self.left))]

    @property
    def tags(self) -> tuple[Tag, ...]:
        """What is left, once all that is no tag has been dropped."""
        return tuple(map(Tag, self.left))

    @property
    def next_ones(self) -> tuple[Tag, ...]:
        """The newest that were dropped behind those that are left: as many as it takes that a long row of young ones
        is not asked for one by one."""
        young = sum(-step.change for step in self._steps if step.step == MinAge.name)
        behind = [name for name, drop in self._dropped.items() if drop.step == Newest.name]
        return tuple(map(Tag, behind[: max(0, young - len(self.left))]))

    def drop(self, step: str, reasons: Mapping[Tag, str] | Mapping[str, str], *, is_shown: bool = False) -> None:
        """Drop these; a step that is not the user's is counted where it drops something."""
        self.left = [name for name in self.left if name not in reasons]
        self._dropped.update({name: Drop(name, reason, step) for name, reason in reasons.items()})
        if reasons or is_shown:
            self._steps.append(StepCount(step, -len(reasons), len(self.left)))

    def selection(self, exact: Iterable[Tag], young: Reasons) -> Selection:
        """With the tags that are taken whatever was dropped, unless they are too young."""
        self._dropped.update({tag: Drop(tag, reason, MinAge.name) for tag, reason in young.items()})
        kept = {*self.tags, *(tag for tag in exact if tag not in young)}
        taken = len(kept) - len(self.left)
        last = [StepCount("always", taken, len(kept))] if taken else []
        dropped = tuple(self._dropped[name] for name in sorted(self._dropped.keys() - kept))
        return Selection(tuple(sorted(kept)), dropped, (*self._steps, *last))
