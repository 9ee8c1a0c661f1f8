"""Dead parts of a spec: patterns, lines of a retag, and whole images that come to nothing. Pure; warnings, no failures.

Whatever is said once for several images is dead only where none of them has a use for it. What cannot be known, as long
as a list was not read, is not called dead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from imagesync.errors import Place
from imagesync.lazy import dataclass
from imagesync.plan.actions import Failure, Waiting, WaitsFor
from imagesync.plan.aliases import highest_of
from imagesync.plan.wants import Listings, Want, Wanted, make_wants, needs_list
from imagesync.reference import Reference, Repository, Tag
from imagesync.selection import Alias, Exclude, Include, TagPattern
from imagesync.spec.model import Rule, SpecWarning

Judged = tuple[SpecWarning, bool]
"""A warning, and whether there is no reason for it."""


def find_dead(rules: Sequence[Rule], wants: Iterable[Wanted], listings: Listings) -> tuple[SpecWarning, ...]:
    """What is of no use, sorted by place, once all lists that rules ask for have been asked for."""
    found: dict[SpecWarning, bool] = {}
    seen = _Seen.of(wants, listings)
    for rule in rules:
        for warning, is_alive in _judge(rule, seen):
            found[warning] = found.get(warning, False) or is_alive
    return tuple(sorted((one for one, is_alive in found.items() if not is_alive), key=lambda one: one.place))


def with_unlisted(rules: Sequence[Rule], named: Sequence[Rule]) -> tuple[Rule, ...]:
    """Rules of repositories, with the globs of a spec that stand for none of them: what these would find is open."""
    places = {rule.place for rule in named}
    return (*named, *(rule for rule in rules if rule.glob is not None and rule.place not in places))


def find_dead_offline(rules: Sequence[Rule]) -> tuple[SpecWarning, ...]:
    """What is of no use whatever the registries have."""
    known = [rule for rule in rules if not _is_open(rule, {})]
    return find_dead(rules, make_wants(known, {}), {})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of all rules together, sorted by what is asked of it."""

    listings: Listings
    written: Mapping[tuple[Repository, Repository], set[Tag | None]]
    """Destination tags by source and destination."""
    selected: Mapping[Repository, set[Tag | None]]
    """Source tags."""
    asking: set[tuple[Place, Repository]]
    """Rules that something is wanted for: their places and sources."""
    told: set[Place]
    """Rules of which something else is told."""
    failed: set[Place]

    @classmethod
    def of(cls, wants: Iterable[Wanted], listings: Listings) -> _Seen:
        seen = cls(listings, defaultdict(set), defaultdict(set), set(), set(), set())
        for want in wants:
            if not isinstance(want, Want):
                (seen.failed if _leaves_open(want) else seen.told).add(want.place)
            if isinstance(want, Want | Waiting):
                seen._note(want.source, want.destination)
            if isinstance(want, Want):
                seen.asking.add((want.rule.place, want.source.repository))
        return seen

    def _note(self, source: Reference, destination: Reference) -> None:
        """What is taken from one place to another, be it once it is old enough."""
        self.written[source.repository, destination.repository].add(destination.tag)
        self.selected[source.repository].add(source.tag)

    def has_carrier(self, rule: Rule, alias: Alias) -> bool:
        """Whether an alias of a rule follows some tag of its source that is taken."""
        tags = [tag for tag in self.selected.get(rule.source, ()) if tag is not None]
        versions = (rule.tags.version_of(tag) for tag in tags)
        return any(version is not None and alias.of(version) is not None for version in versions)

    def tags_written(self, rule: Rule) -> set[Tag | None]:
        pairs = ((rule.source, destination) for destination in rule.destinations)
        tags = set().union(*(self.written[pair] for pair in pairs if pair in self.written))
        return tags | set(highest_of(rule, [tag for tag in self.selected.get(rule.source, ()) if tag is not None]))


def _leaves_open(want: Wanted) -> bool:
    """Whether nobody knows by it what a rule wants."""
    is_unread = isinstance(want, Waiting) and want.waits_for is WaitsFor.PULLS
    return is_unread or isinstance(want, Failure)


def _judge(rule: Rule, seen: _Seen) -> Iterator[Judged]:
    is_open = _is_open(rule, seen.listings) or rule.place in seen.failed
    yield from _patterns_of_steps(rule, seen.listings)
    written = seen.tags_written(rule) if rule.immutable.patterns else set()
    for pattern in rule.immutable.patterns:
        message = f"{pattern.text} is immutable, and no tag that is written is like it"
        yield _warning(rule, pattern, message), is_open or _matches_any(pattern, written)
    for alias in rule.aliases:
        message = f"{alias.template} is an alias that no selected tag carries: an alias follows versions"
        yield SpecWarning(alias.place or rule.place, message), is_open or seen.has_carrier(rule, alias)
    for tag, _ in rule.retag.names or ():
        message = f"`retag` of {rule.entry} has a line for {tag}, which is not selected"
        yield SpecWarning(rule.place, message), is_open or tag in seen.selected.get(rule.source, ())
    message = f"{rule.name} wants nothing that another image of the spec does not want already"
    is_needed = rule.place in seen.told or (rule.place, rule.source) in seen.asking
    yield SpecWarning(rule.place, message), is_open or is_needed


def _patterns_of_steps(rule: Rule, listings: Listings) -> Iterator[Judged]:
    listed = listings.get(rule.source)
    is_open = rule.lock is not None or not isinstance(listed, tuple)
    tags = listed if isinstance(listed, tuple) else ()
    for step in rule.tags.steps:
        patterns = step.patterns if isinstance(step, Include | Exclude) else ()
        verb = "takes" if isinstance(step, Include) else "leaves out"
        for pattern in patterns:
            message = f"{pattern.text} {verb} nothing: no tag that is listed is like it"
            yield _warning(rule, pattern, message), is_open or _matches_any(pattern, tags)


def _is_open(rule: Rule, listings: Listings) -> bool:
    """Whether it is not known what a rule wants."""
    if rule.glob is not None:
        return True
    return needs_list(rule) and not isinstance(listings.get(rule.source), tuple)


def _matches_any(pattern: TagPattern, tags: Iterable[Tag | None]) -> bool:
    return any(tag is not None and pattern.matches(tag) for tag in tags)


def _warning(rule: Rule, pattern: TagPattern, message: str) -> SpecWarning:
    return SpecWarning(pattern.place or rule.place, message)
