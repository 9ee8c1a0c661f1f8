"""The step `min_age`: how old what a tag points to has to be, by which clocks, and what of it is old enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import Enum

from imagesync.lazy import dataclass
from imagesync.reference import Digest, Tag
from imagesync.selection.facts import Facts, Known, NeedsFacts, Reasons, Standing, Unknown


class Clock(Enum):
    """What tells the age: the registry, from when a digest was pushed; a state, from when a run first saw a tag with
    it; or the image itself."""

    PUSHED = "pushed"
    FIRST_SEEN = "first_seen"
    CREATED = "created"


WHICHEVER = (Clock.PUSHED, Clock.FIRST_SEEN)
"""Either may say that a tag is old enough. The state is asked first, since that costs nothing."""


class OnMissing(Enum):
    """What becomes of a tag whose age nobody knows."""

    DEFER = "defer"
    ALLOW = "allow"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class OldEnough:
    """The tag may be taken, with this digest: an earlier one where what it points to now is too young."""

    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class TooYoung:
    """The tag waits, or fails where nobody knows its age and that is an error."""

    reason: str
    hint: str | None = None
    is_failure: bool = False


@dataclass(frozen=True, slots=True)
class MinAge:
    """Drops the tags that are younger than this, of whatever they pointed to since somebody looks."""

    age: timedelta
    unit: str = "h"
    """In which ages are told: m, h or d."""
    clocks: tuple[Clock, ...] = WHICHEVER
    on_missing: OnMissing = OnMissing.DEFER

    name = "min_age"
    needs_facts = True

    def __str__(self) -> str:
        missing = "" if self.uses_state else f", on_missing {self.on_missing.value}"
        return (
            f"{self._in_units(self.age)}{self.unit}, clock {' or '.join(clock.value for clock in self.clocks)}{missing}"
        )

    @property
    def uses_state(self) -> bool:
        """Whether it counts from what is remembered: then every tag's age is known, be it none."""
        return Clock.FIRST_SEEN in self.clocks

    def reasons(self, tags: Sequence[Tag], known: Known) -> Reasons:
        """What is known to be too young; what is not known yet passes, and `needs` says what would tell."""
        verdicts = ((tag, self.judge(tag, known.facts)) for tag in tags)
        return {tag: verdict.reason for tag, verdict in verdicts if isinstance(verdict, TooYoung)}

    def needs(self, tags: Iterable[Tag], facts: Facts) -> NeedsFacts | None:
        """What has to be read to judge these tags; None where all that is known."""
        found = [verdict for tag in tags if isinstance(verdict := self.judge(tag, facts), NeedsFacts)]
        if not found:
            return None
        return NeedsFacts(
            created=tuple(dict.fromkeys(tag for one in found for tag in one.created)),
            standings=tuple(dict.fromkeys(tag for one in found for tag in one.standings)),
            pushed=tuple(dict.fromkeys(tag for one in found for tag in one.pushed)),
            held=tuple(dict.fromkeys(pair for one in found for pair in one.held)),
        )

    def judge(self, tag: Tag, facts: Facts) -> OldEnough | TooYoung | NeedsFacts:
        """Whether the tag may be taken, and with which digest."""
        if Clock.CREATED in self.clocks:
            return self._by_date(tag, facts)
        if tag not in facts.standings:
            return NeedsFacts(standings=(tag,))
        standing = facts.standings[tag]
        if standing is None:
            return OldEnough()  # it cannot be copied, and whoever tries says why
        return _unread(standing) if isinstance(standing, Unknown) else self._by_sights(tag, standing, facts)

    def _by_sights(self, tag: Tag, standing: Standing, facts: Facts) -> OldEnough | TooYoung | NeedsFacts:
        seen = standing.first_seen if self.uses_state else None
        if seen is not None and self._is_reached(seen, facts):
            return OldEnough()
        if Clock.PUSHED in self.clocks and tag not in facts.pushed:
            return NeedsFacts(pushed=(tag,))
        return self._by_push(tag, standing, facts)

    def _by_push(self, tag: Tag, standing: Standing, facts: Facts) -> OldEnough | TooYoung | NeedsFacts:
        """Of a tag that was not seen for long enough, or of which nobody remembers that."""
        pushed = facts.pushed.get(tag, Unknown("no state says when it was first seen"))
        if not isinstance(pushed, Unknown) and self._is_reached(pushed, facts):
            return OldEnough()
        is_remembered = self.uses_state and standing.sights is not None
        if isinstance(pushed, Unknown) and not is_remembered:
            return self._ageless(pushed.reason)
        seen = standing.first_seen if is_remembered else None
        earlier = self._earlier(tag, standing, facts) if is_remembered else None
        known = [moment for moment in (seen, pushed) if isinstance(moment, datetime)]
        return earlier or self._too_young(min(known, default=None), facts)

    def _by_date(self, tag: Tag, facts: Facts) -> OldEnough | TooYoung | NeedsFacts:
        if tag not in facts.created:
            return NeedsFacts(created=(tag,))
        created = facts.believed(tag)
        if isinstance(created, Unknown):
            return self._ageless(created.reason)
        return OldEnough() if self._is_reached(created, facts) else self._too_young(created, facts)

    def _earlier(self, tag: Tag, standing: Standing, facts: Facts) -> OldEnough | TooYoung | NeedsFacts | None:
        """The digest that came last of those which the tag had before, are old enough, and are there still. Of one that
        nobody answers for now none before it is taken: the destination would go back."""
        for digest in self._old_ones(standing, facts):
            if digest not in facts.held:
                return NeedsFacts(held=((tag, digest),))
            is_held = facts.held[digest]
            if isinstance(is_held, Unknown):
                return _unread(is_held)
            if is_held:
                return OldEnough(digest)
        return None

    def _old_ones(self, standing: Standing, facts: Facts) -> Iterator[Digest]:
        for sight in sorted(standing.sights or (), key=lambda one: (one.at, one.digest), reverse=True):
            if sight.digest != standing.digest and self._is_reached(sight.at, facts):
                yield sight.digest

    def _is_reached(self, since: datetime, facts: Facts) -> bool:
        return facts.now - since >= self.age

    def _too_young(self, since: datetime | None, facts: Facts) -> TooYoung:
        age = timedelta() if since is None else max(timedelta(), facts.now - since)
        reason = f"{self._in_units(age)} of {self._in_units(self.age)} {_SHOWN[self.unit]} old"
        return TooYoung(reason, "its clock starts with the first apply that sees it" if since is None else None)

    def _ageless(self, reason: str) -> OldEnough | TooYoung:
        if self.on_missing is OnMissing.ALLOW:
            return OldEnough()
        is_failure = self.on_missing is OnMissing.FAIL
        hint = "`on_missing: allow` takes it all the same"
        return TooYoung(f"of unknown age: {reason}", hint, is_failure)

    def _in_units(self, age: timedelta) -> int:
        return age // _UNITS[self.unit]


def _unread(unknown: Unknown) -> TooYoung:
    """What could not be asked for now: whatever is taken in its place may be wrong."""
    return TooYoung(unknown.reason, is_failure=True)


_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_SHOWN = {"m": "min", "h": "h", "d": "d"}
