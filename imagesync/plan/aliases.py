"""Aliases: which version a tag such as `7.4` follows, and whether it may move there. Pure; what is asked, survey says.

An alias follows the highest selected version that can be brought, and goes back only where a spec allows it. Which
version it carries so far, the version tags of the destination tell: one of them has the same digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass, field, replace
from imagesync.plan.actions import Failure, Waiting, WaitsFor
from imagesync.plan.following import Carries
from imagesync.plan.inventory import Broken, Head, Present
from imagesync.plan.wants import Want, Wanted, strictness
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.selection import Version, carriers, check_one_variant
from imagesync.spec.model import Rule
from imagesync.state import NOTHING_REMEMBERED, State

MOST_LOOKED_UP = 200
"""Version tags of a destination that are asked for to learn what an alias carries, the highest first."""


@dataclass(frozen=True, slots=True)
class Following:
    """An alias at one destination: the wants of the versions that may carry it, the highest first."""

    rule: Rule
    destination: Reference
    versions: tuple[Want, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What was read: heads of both sides, what is wanted, and what version tags of destinations point to besides."""

    heads: Mapping[Reference, Head]
    wanted: Mapping[Reference, Want]
    """By destination, without conflicts."""
    looked_up: Mapping[Reference, Head] = field(default_factory=dict)
    state: State = NOTHING_REMEMBERED

    def digest_of_alias(self, alias: Reference) -> Digest | None:
        """The digest of what it carries: what was last written there is remembered, whatever another hand did since."""
        written = self.state.written(alias)
        return self.digest_at(alias) if written is None else written.digest

    def may_have_had(self, version: Reference, digest: Digest) -> bool:
        """Whether a version's tag has this digest, or was last written with it."""
        written = self.state.written(version)
        return self.digest_at(version) == digest or (written is not None and written.digest == digest)

    def digest_at(self, reference: Reference) -> Digest | None:
        found = (self.heads.get(reference), self.looked_up.get(reference))
        return next((head.descriptor.digest for head in found if isinstance(head, Present)), None)

    def can_be_brought(self, want: Want) -> bool:
        """Whether a version's own tag will have what it is wanted for, as far as the heads tell."""
        wanted, source = self.wanted.get(want.destination), self.heads.get(want.source)
        destination = self.heads.get(want.destination)
        if wanted is None or wanted.source != want.source or not isinstance(source, Present):
            return False
        if destination is None or isinstance(destination, Broken):
            return False
        there, promised = self.digest_at(want.destination), self.digest_at(want.promise)
        is_other = None not in (there, promised) and there != promised
        return not (is_other and wanted.is_immutable)


def followings(wants: Iterable[Want]) -> Iterator[Following]:
    """The aliases of rules, from all that they want before conflicts were taken out."""
    by_place: dict[tuple[Rule, Repository], list[Want]] = {}
    for want in wants:
        if want.rule.aliases:
            by_place.setdefault((want.rule, want.destination.repository), []).append(want)
    for (rule, repository), several in by_place.items():
        versions = _versions_of(rule, several)
        by_tag = {want.source.tag: want for want in several}
        for name, tags in carriers(rule.aliases, versions).items():
            yield Following(rule, Reference(repository, name), tuple(by_tag[tag] for tag in tags))


def _versions_of(rule: Rule, wants: Iterable[Want]) -> dict[Tag, Version]:
    """The versions that source tags stand for; what stands for none carries no alias."""
    tags = [want.source.tag for want in wants if want.source.tag is not None]
    found = {tag: rule.tags.version_of(tag) for tag in tags}
    return {tag: version for tag, version in found.items() if version is not None}


def highest_of(rule: Rule, kept: Iterable[Tag]) -> dict[Tag, Tag]:
    """The tag that each alias of a rule follows, as far as a list can tell."""
    found = {tag: rule.tags.version_of(tag) for tag in (kept if rule.aliases else ())}
    versions = {tag: version for tag, version in found.items() if version is not None}
    return {name: tags[0] for name, tags in carriers(rule.aliases, versions).items()}


def strictest(aliases: Iterable[Following]) -> tuple[Following, ...]:
    """Of several rules alike that move one alias the strictest, as of several that write one tag."""
    found: dict[tuple[Reference, tuple[Reference, ...]], Following] = {}
    for one in aliases:
        first = found.setdefault((one.destination, _sources(one)), one)
        if _strictness(one) > _strictness(first):
            found[one.destination, _sources(one)] = one
    return tuple(found.values())


def _strictness(one: Following) -> tuple[tuple[bool, int], bool]:
    return strictness(_first_want(one)), not one.rule.allow_backwards


def _first_want(one: Following) -> Want:
    return Want(one.rule, one.versions[0].source, one.destination)


def in_conflict(aliases: Sequence[Following], written: Mapping[Reference, Want]) -> dict[Following, Failure]:
    """The aliases that are a tag which something else is written to, or which two rules would move."""
    moved: dict[Reference, dict[tuple[Reference, ...], Following]] = {}
    for one in aliases:
        moved.setdefault(one.destination, {}).setdefault(_sources(one), one)
    found = {one: _why_not(one, written, tuple(moved[one.destination].values())) for one in aliases}
    return {one: failure for one, failure in found.items() if failure is not None}


def _why_not(one: Following, written: Mapping[Reference, Want], rivals: Sequence[Following]) -> Failure | None:
    want = written.get(one.destination)
    if want is not None:
        return _failure(one, f"it is an alias, and {want.source} would be written there ({want.rule.place})")
    others = [rival for rival in rivals if _sources(rival) != _sources(one)]
    if others:
        return _failure(one, f"it is an alias of {one.rule.source}, and of {others[0].rule.source} too")
    return _why_not_kept(one, written)


def _why_not_kept(one: Following, written: Mapping[Reference, Want]) -> Failure | None:
    """Why what the alias was could not be kept."""
    try:
        previous = _first_want(one).previous
    except InvalidReference as error:
        return replace(_failure(one, error.message), kind=error.kind, hint=error.hint)
    if previous is None:
        return None
    if one.rule.immutable.holds(previous):
        return _failure(one, f"what it was would be kept as {previous}, which is immutable and could not move")
    kept = written.get(Reference(one.destination.repository, previous))
    return _failure(one, f"what it was would be kept as {previous}, which {kept.source} is") if kept else None


def _failure(one: Following, reason: str) -> Failure:
    return Failure(
        rule=one.rule.name,
        place=one.rule.place,
        subject=str(one.destination),
        reason=reason,
        kind="conflict",
        hint="give the alias another name, or leave that tag out",
    )


def _sources(one: Following) -> tuple[Reference, ...]:
    return tuple(want.source for want in one.versions)


def follow(one: Following, known: Known) -> Wanted:
    """What becomes of an alias: a want for the version that it follows, or why it stays where it is."""
    try:
        check_one_variant(_tags(one.versions), _versions_of(one.rule, one.versions))
    except InvalidReference as error:
        return replace(_failure(one, error.message), kind=error.kind, hint=error.hint)
    chosen = next(filter(known.can_be_brought, one.versions), None)
    if chosen is None:
        reason = "no version that could carry it can be brought"
        return _waiting(one, one.versions[0], reason=reason, hint="see to these first", waits_for=WaitsFor.VERSION)
    if not _moves(one, chosen, known):
        return _want(one, chosen, None)
    before = carried(one, known)
    if one.rule.allow_backwards or (before is not None and not _is_higher(before, chosen)):
        return _want(one, chosen, before)
    return _held_back(one, chosen, before)


def _held_back(one: Following, chosen: Want, before: Want | None) -> Waiting:
    hint = "`allow_backwards: true` lets it move"
    if before is None:
        reason = f"no version tag there has its digest, so nobody knows whether {chosen.destination.tag} is newer"
        return _waiting(one, chosen, reason=reason, hint=hint, waits_for=WaitsFor.KNOWLEDGE)
    reason = f"it carries {before.destination.tag}, and the highest selected version is {chosen.destination.tag}"
    return _waiting(one, chosen, reason=reason, hint=hint, waits_for=WaitsFor.VERSION)


def _waiting(one: Following, want: Want, *, reason: str, hint: str, waits_for: WaitsFor) -> Waiting:
    return Waiting(
        rule=one.rule.name,
        place=one.rule.place,
        source=want.source,
        destination=one.destination,
        reason=reason,
        hint=hint,
        exit_code=0,
        waits_for=waits_for,
    )


def _want(one: Following, chosen: Want, before: Want | None) -> Want:
    version, carried_before = chosen.destination.tag, before.destination.tag if before is not None else None
    assert version is not None  # noqa: S101 - narrows: what a rule wants has a tag
    carries = Carries(version, carried_before)
    return Want(one.rule, chosen.source, one.destination, carries, chosen.others_gates)


def _moves(one: Following, chosen: Want, known: Known) -> bool:
    """Whether the alias is there, and to be replaced: else nothing can go back."""
    there = known.digest_at(one.destination)
    is_other = there is not None and there != known.digest_at(chosen.promise)
    return is_other and not one.rule.immutable.holds(one.destination.tag)


def carried(one: Following, known: Known) -> Want | None:
    """The highest version that the alias carries, by what is there and what is remembered."""
    there, repository = known.digest_of_alias(one.destination), one.destination.repository
    looked_up = [found.tag for found in known.looked_up if found.repository == repository]
    owned = [written.destination.tag for written in known.state.owned(repository)]
    tags = dict.fromkeys(tag for tag in (*looked_up, *owned) if tag is not None)
    candidates = [*one.versions, *versions_to_look_up(one, tags, known)]
    same = [want for want in candidates if there is not None and known.may_have_had(want.destination, there)]
    return max(same, key=lambda want: _order(one.rule, want), default=None)


def is_unknown(one: Following, known: Known) -> bool:
    """Whether the version that it carries has to be looked up before it can be told whether it may move."""
    chosen = next(filter(known.can_be_brought, one.versions), None)
    if chosen is None or one.rule.allow_backwards or not _moves(one, chosen, known):
        return False
    return carried(one, known) is None


def versions_to_look_up(one: Following, listed: Iterable[Tag], known: Known) -> tuple[Want, ...]:
    """The tags of the destination that are versions which may have carried the alias, the highest first, without those
    that were asked for, and without whatever may be an alias itself."""
    listed = list(listed)
    left_out = {want.destination.tag for want in one.versions if known.digest_at(want.destination) is not None}
    left_out |= {name for tag in listed for name in _aliases_at(one.rule, tag)}
    found = [_as_want(one, tag) for tag in listed if tag not in left_out]
    earlier = [want for want in found if want is not None]
    return tuple(sorted(earlier, key=lambda want: _order(one.rule, want), reverse=True)[:MOST_LOOKED_UP])


def _aliases_at(rule: Rule, tag: Tag) -> frozenset[Tag]:
    """The aliases that a tag of the destination would carry."""
    source = rule.retag.undone(tag)
    return rule.aliases_of(source) if source is not None else frozenset()


def _as_want(one: Following, tag: Tag) -> Want | None:
    """The want that has written this tag of the destination, if it was a version of this alias."""
    source = one.rule.retag.undone(tag)
    if source is None or one.destination.tag not in _aliases_at(one.rule, tag):
        return None
    return Want(one.rule, Reference(one.rule.source, source), Reference(one.destination.repository, tag))


def _is_higher(before: Want, chosen: Want) -> bool:
    return _order(before.rule, before) > _order(chosen.rule, chosen)


def _order(rule: Rule, want: Want) -> tuple[object, ...]:
    tag = want.source.tag
    version = rule.tags.version_of(tag) if tag is not None else None
    return version.order if version is not None else ()


def _tags(wants: Iterable[Want]) -> list[Tag]:
    return [want.source.tag for want in wants if want.source.tag is not None]


def place_aliases(wants: Sequence[Wanted], aliases: Mapping[Following, Wanted]) -> tuple[Wanted, ...]:
    """All wants in the order of the spec, those of aliases behind the last one of their rule."""
    last = {want.rule: number for number, want in enumerate(wants) if isinstance(want, Want)}
    behind: dict[int, list[Wanted]] = {}
    for one, want in aliases.items():
        behind.setdefault(last.get(one.rule, len(wants) - 1), []).append(want)
    return tuple(one for number, want in enumerate(wants) for one in (want, *behind.get(number, ())))
