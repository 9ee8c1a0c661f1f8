"""How each tag that a spec wants stands at its destination, by its heads and by what is remembered. Pure.

`drift` tells of it; `adopt` makes some of these tags imagesync's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum

from imagesync.errors import Place
from imagesync.lazy import dataclass
from imagesync.plan.actions import Skip, SpecPin, Waiting, WaitsFor
from imagesync.plan.inventory import Absent, Broken, Head, Present, Unreadable
from imagesync.plan.wants import Want, Wanted
from imagesync.reference import Digest, Reference
from imagesync.state import State

DRIFT_EXIT_CODE = 2
UNREADABLE_EXIT_CODE = 1


class Kind(Enum):
    """How one tag stands."""

    DRIFTED = "drifted"
    GONE = "gone"
    PENDING = "pending"
    UNOWNED = "unowned"
    FOUND = "found"
    OWNED = "owned"
    UNREADABLE = "not readable"


BY_ANOTHER_HAND = frozenset({Kind.DRIFTED, Kind.GONE})
NOT_IN_PLACE = BY_ANOTHER_HAND | {Kind.PENDING, Kind.UNOWNED}
DIFFERING = frozenset({Kind.DRIFTED, Kind.UNOWNED})
"""Tags that have another digest than their source, which imagesync did not write."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One tag that is wanted: `source` has the digest that the tag should have, where that is known; `found` is what
    the tag has, `wrote` what was last written to it. Where even the tag is not known, `destination` is None and
    `subject` says what is."""

    kind: Kind
    rule: str
    place: Place
    subject: str
    destination: Reference | None = None
    source: Reference | None = None
    found: Digest | None = None
    wrote: Digest | None = None
    failure: str = ""
    hint: str | None = None

    @property
    def reason(self) -> str:
        """What is to be known of it, in words."""
        if self.failure:
            return self.failure
        there = f"has {self.found.short}" if self.found is not None else "is not there"
        if self.kind in (Kind.FOUND, Kind.OWNED):
            return f"{there}, as the source"
        before = f"imagesync wrote {self.wrote.short}" if self.wrote is not None else "imagesync never wrote it"
        wanted = self.source.digest if self.source is not None else None
        source = f", the source has {wanted.short}" if wanted is not None and wanted != self.wrote else ""
        return f"{there}, {before}{source}"


@dataclass(frozen=True, slots=True)
class Standings:
    """All tags that a spec wants, in its order."""

    tags: tuple[Standing, ...]
    specs: tuple[SpecPin, ...] = ()

    def of(self, kinds: Collection[Kind]) -> tuple[Standing, ...]:
        return tuple(tag for tag in self.tags if tag.kind in kinds)

    def counts(self) -> Mapping[Kind, int]:
        return Counter(tag.kind for tag in self.tags)

    @property
    def exit_code(self) -> int:
        """1 where something could not be read, else 2 with drift, else 0."""
        if self.of({Kind.UNREADABLE}):
            return UNREADABLE_EXIT_CODE
        return DRIFT_EXIT_CODE if self.of(BY_ANOTHER_HAND) else 0


def standings(wants: Iterable[Wanted], heads: Mapping[Reference, Head], state: State) -> tuple[Standing, ...]:
    """How every want stands; an image of which nothing is wanted is left out."""
    return tuple(one for want in wants for one in _of_wanted(want, heads, state))


def _of_wanted(want: Wanted, heads: Mapping[Reference, Head], state: State) -> Sequence[Standing]:
    if isinstance(want, Want):
        return _of_want(want, heads, state)
    if isinstance(want, Waiting) and want.destination in heads:
        return _of_waiting(want, heads[want.destination], state)
    return _of_failure(want)


def _of_waiting(waiting: Waiting, destination: Head, state: State) -> Sequence[Standing]:
    """An alias that stays where it is: what it should have nobody says, but another hand may have changed it."""
    written = state.written(waiting.destination)
    found = destination.descriptor.digest if isinstance(destination, Present) else None
    if written is None or not isinstance(destination, Present | Absent) or found == written.digest:
        return ()
    subject, kind = str(waiting.destination), Kind.GONE if found is None else Kind.DRIFTED
    return (
        Standing(kind, waiting.rule, waiting.place, subject, waiting.destination, found=found, wrote=written.digest),
    )


def _of_want(want: Want, heads: Mapping[Reference, Head], state: State) -> Sequence[Standing]:
    source, destination = heads[want.source], heads[want.destination]
    if not isinstance(source, Present):
        return (_unreadable(want, source, f"source {want.source}: not found"),)
    if not isinstance(destination, Present | Absent):
        return (_unreadable(want, destination, "the destination does not say what the tag is"),)
    promised = heads.get(want.promise, source)
    if not isinstance(promised, Present):
        return (_unreadable(want, promised, "nobody knows what the tag should be"),)
    written = state.written(want.destination)
    wrote = written.digest if written is not None else None
    found = destination.descriptor.digest if isinstance(destination, Present) else None
    pinned = Reference(want.source.repository, want.source.tag, promised.descriptor.digest)
    kind = _kind(found, wrote, promised.descriptor.digest)
    return (_standing(want, kind, source=pinned, found=found, wrote=wrote),)


def _kind(found: Digest | None, wrote: Digest | None, wanted: Digest) -> Kind:
    if found is None:
        return Kind.PENDING if wrote is None else Kind.GONE
    if found == wanted:
        return Kind.OWNED if found == wrote else Kind.FOUND
    if wrote is None:
        return Kind.UNOWNED
    return Kind.PENDING if found == wrote else Kind.DRIFTED


def _standing(
    want: Want, kind: Kind, *, source: Reference, found: Digest | None = None, wrote: Digest | None = None
) -> Standing:
    rule, subject = want.rule, str(want.destination)
    return Standing(kind, rule.name, rule.place, subject, want.destination, source, found, wrote)


def _unreadable(want: Want, head: Head, otherwise: str) -> Standing:
    reason = head.reason if isinstance(head, Broken | Unreadable) else otherwise
    hint = head.hint if isinstance(head, Broken) else None
    rule, subject = want.rule, str(want.destination)
    return Standing(
        Kind.UNREADABLE, rule.name, rule.place, subject, want.destination, want.source, failure=reason, hint=hint
    )


def _of_failure(action: Wanted) -> Sequence[Standing]:
    if isinstance(action, Skip | Want) or (isinstance(action, Waiting) and action.waits_for is not WaitsFor.PULLS):
        return ()
    subject = str(action.destination) if isinstance(action, Waiting) else action.subject
    failure, hint = action.reason, action.hint
    return (Standing(Kind.UNREADABLE, action.rule, action.place, subject, failure=failure, hint=hint),)
