"""State: all entries together, at most one for each thing they speak of, and what can be asked of them.

Two states merge to the same one in whatever order, however often: that is all which keeps runs from losing what
others wrote. Of a first sight the earliest counts, of a tag that was written or given up the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from imagesync.lazy import dataclass, field
from imagesync.reference import Digest, Reference, Repository
from imagesync.state.entries import Deleted, Entry, FirstSeen, Narrowed, Written


@dataclass(frozen=True, slots=True)
class State:
    """Made by `State.of`; never changed."""

    _seen: Mapping[Reference, Mapping[Digest, FirstSeen]] = field(default_factory=dict)
    _fates: Mapping[Reference, Written | Deleted] = field(default_factory=dict)
    _narrowed: Mapping[tuple[Digest, str], Narrowed] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> State:
        """The state that these entries make, in whatever order."""
        seen: dict[Reference, dict[Digest, FirstSeen]] = {}
        fates: dict[Reference, Written | Deleted] = {}
        narrowed: dict[tuple[Digest, str], Narrowed] = {}
        for entry in entries:
            if isinstance(entry, FirstSeen):
                sights = seen.setdefault(entry.source, {})
                sights[entry.digest] = min(entry, sights.get(entry.digest, entry))
            elif isinstance(entry, Narrowed):
                key = (entry.source, entry.keep)
                narrowed[key] = min(entry, narrowed.get(key, entry))
            else:
                fates[entry.destination] = max(entry, fates.get(entry.destination, entry), key=_rank)
        return cls(seen, fates, narrowed)

    def entries(self) -> Iterator[Entry]:
        """Every entry, each once; `State.of` makes the same state of them."""
        for sights in self._seen.values():
            yield from sights.values()
        yield from self._fates.values()
        yield from self._narrowed.values()

    def merge(self, *others: State) -> State:
        """What this one and the others remember together."""
        return State.of(entry for state in (self, *others) for entry in state.entries())

    def tidied(self, moment: datetime, most: int) -> State:
        """Without what nobody asks for any more: first sights before a moment, the oldest of over `most` of them, and
        where over `most` indexes were narrowed, what became of those that were neither seen nor written since. The last
        sight of each tag stays, and so does all that was written or given up."""
        lasts = {_last(sights) for sights in self._seen.values()}
        others = (sight for sights in self._seen.values() for sight in sights.values() if sight not in lasts)
        recent = sorted((sight for sight in others if sight.at >= moment), key=lambda sight: sight.at, reverse=True)
        kept = [*lasts, *recent[: max(0, most - len(lasts))]]
        known = {sight.digest for sight in kept} | {fate.source for fate in _sorted(self._fates.values())}
        is_crowded = len(self._narrowed) > most
        narrowed = (one for one in self._narrowed.values() if not is_crowded or one.source in known)
        return State.of((*kept, *self._fates.values(), *narrowed))

    def __bool__(self) -> bool:
        """Whether anything is remembered."""
        return bool(self._seen or self._fates or self._narrowed)

    def first_seen(self, source: Reference, digest: Digest) -> datetime | None:
        """When a run first found this digest under this tag; None where none has."""
        sight = self._seen.get(without_digest(source), {}).get(digest)
        return None if sight is None else sight.at

    def sights(self, source: Reference) -> tuple[FirstSeen, ...]:
        """Every digest that a tag was seen to have, the one that came last first."""
        sights = self._seen.get(without_digest(source), {}).values()
        return tuple(sorted(sights, key=lambda sight: (sight.at, sight.digest), reverse=True))

    def written(self, destination: Reference) -> Written | None:
        """What was last written to this tag; None where it is not ours, or no more."""
        fate = self._fates.get(without_digest(destination))
        return fate if isinstance(fate, Written) else None

    def last_fate(self, destination: Reference) -> Written | Deleted | None:
        """What was last done to this tag."""
        return self._fates.get(without_digest(destination))

    def owned(self, repository: Repository) -> tuple[Written, ...]:
        """The tags of a destination that imagesync wrote or adopted and has not given up, sorted."""
        return _sorted(fate for fate in self._fates.values() if fate.destination.repository == repository)

    def all_owned(self) -> tuple[Written, ...]:
        """As `owned`, of all destinations."""
        return _sorted(self._fates.values())

    def narrowed(self, source: Digest, keep: str) -> Digest | None:
        """What an index became when only `keep` of it was kept; None where that is not known."""
        found = self._narrowed.get((source, keep))
        return None if found is None else found.digest


NOTHING_REMEMBERED = State()


def without_digest(reference: Reference) -> Reference:
    """The tag alone: entries speak of tags, and say apart which digest those had."""
    return Reference(reference.repository, reference.tag) if reference.digest is not None else reference


def _last(sights: Mapping[Digest, FirstSeen]) -> FirstSeen:
    return max(sights.values(), key=lambda sight: (sight.at, sight.digest))


def _sorted(fates: Iterable[Written | Deleted]) -> tuple[Written, ...]:
    owned = (fate for fate in fates if isinstance(fate, Written))
    return tuple(sorted(owned, key=lambda one: one.destination))


def _rank(fate: Written | Deleted) -> tuple[datetime, bool, str, str]:
    """Later beats earlier. In one second, having given up beats having written: what is not ours is not deleted."""
    if isinstance(fate, Deleted):
        return (fate.at, True, "", "")
    return (fate.at, False, fate.digest, fate.source or "")
