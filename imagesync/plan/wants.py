"""Wants: rules and tag lists in, one Want for every destination tag out, or the reason why there is none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from imagesync.errors import InvalidReference, NotFoundError
from imagesync.gates import Gate
from imagesync.lazy import dataclass, replace
from imagesync.plan.actions import TOO_YOUNG, Failure, Skip, Waiting, WaitsFor
from imagesync.plan.following import Carries
from imagesync.plan.inventory import Broken, NotRead
from imagesync.plan.limits import too_many_tags
from imagesync.plan.repositories import Named
from imagesync.reference import Digest, Reference, Repository, Tag, TagList
from imagesync.selection import EVERY_PLATFORM, MinAge, NeedsFacts, Platforms, Selection, TooYoung
from imagesync.spec.model import OnDrift, OnEmpty, Rule


@dataclass(frozen=True, slots=True)
class NarrowedSource(Reference):
    """A source of which some platforms are kept, or required: what is known of it as such is kept apart."""

    platforms: Platforms = EVERY_PLATFORM

    def __str__(self) -> str:
        return f"{Reference(self.repository, self.tag, self.digest)} with {self.platforms}"


@dataclass(frozen=True, slots=True)
class Want:
    """`destination` should point to what `source` points to, or to what becomes of that where it is narrowed."""

    rule: Rule
    source: Reference
    destination: Reference
    carries: Carries | None = None
    """Set where the destination's tag is an alias."""
    others_gates: tuple[Gate, ...] = ()
    """Of other rules that want the same: none of them is passed by."""

    @property
    def gates(self) -> tuple[Gate, ...]:
        """What it has to fulfil before it is copied, each once."""
        return tuple(dict.fromkeys((*self.rule.gates, *self.others_gates)))

    @property
    def promise(self) -> Reference:
        """What the destination's tag should be equal to."""
        source, platforms = self.source, self.rule.platforms
        if platforms == EVERY_PLATFORM:
            return source
        return NarrowedSource(source.repository, source.tag, source.digest, platforms)

    @property
    def is_immutable(self) -> bool:
        """Whether the destination's tag is never moved once it is there."""
        return self.rule.immutable.holds(self.destination.tag)

    @property
    def previous(self) -> Tag | None:
        """The tag that what it replaces gets first; None where that is not kept, or never replaced."""
        template, tag = self.rule.keep_previous, self.destination.tag
        return None if template is None or tag is None or self.is_immutable else template.apply(tag)

    @property
    def asked(self) -> Reference:
        """What is asked of the source: the tag, also where a lock or the spec says what is taken for it."""
        has_tag = self.rule.locked is not None or self.rule.named_tag is not None
        return Reference(self.source.repository, self.source.tag) if has_tag else self.source

    @property
    def takes_earlier_digest(self) -> bool:
        """Whether what the tag points to now is too young."""
        return self.source.digest is not None and not self.rule.is_held

    @property
    def trusts_list(self) -> bool:
        """Whether it is enough that the destination's tag list has the tag."""
        return self.is_immutable and self.rule.immutable.trusts_list


Wanted = Want | Skip | Failure | Waiting
Listings = Mapping[Repository, tuple[Tag, ...] | Broken]
Chosen = Mapping[Rule, Selection | Broken]
"""What became of the rules whose tags cannot be chosen by their names alone."""
NONE_CHOSEN: Chosen = {}
_NAMED = 3


def lists_needed(rules: Iterable[Rule]) -> tuple[Repository, ...]:
    """The source repositories whose tag list a rule asks for, each once."""
    return tuple(dict.fromkeys(rule.source for rule in rules if needs_list(rule)))


def needs_list(rule: Rule) -> bool:
    """Whether the tag list of its source has to be read to know what a rule wants."""
    return not rule.is_held and rule.tags.needs_list


def lists_trusted(rule: Rule, listings: Listings, chosen: Chosen = NONE_CHOSEN) -> tuple[Repository, ...]:
    """The destination repositories whose tag list is taken for what is there of a tag that the rule wants."""
    wants = wants_of(rule, listings, chosen) if rule.immutable.trusts_list else ()
    trusting = (want for want in wants if isinstance(want, Want) and want.trusts_list)
    return tuple(dict.fromkeys(want.destination.repository for want in trusting))


def trusting_no_list(rules: Iterable[Rule]) -> list[Rule]:
    """The rules without what spares a plan its questions: for whoever looks for what is not as it is assumed to be."""
    return [replace(rule, immutable=replace(rule.immutable, trusts_list=False)) for rule in rules]


def make_wants(
    rules: Sequence[Named], listings: Listings, chosen: Chosen = NONE_CHOSEN, *, beside: Iterable[Rule] = ()
) -> tuple[Wanted, ...]:
    """Apply every rule. Two rules that want one destination tag from different sources both fail. Rules `beside` these
    have a say in what happens to tags that these want, and want nothing of their own."""
    wants = [want for rule in rules for want in _of_named(rule, listings, chosen)]
    wanted = {want.destination for want in wants if isinstance(want, Want | Waiting)}
    others = (want for rule in beside for want in wants_of(rule, listings, chosen))
    saying = [want for want in others if isinstance(want, Want | Waiting) and want.destination in wanted]
    return tuple(_without_conflicts([*wants, *saying]))


def _of_named(rule: Named, listings: Listings, chosen: Chosen) -> Iterable[Wanted]:
    return wants_of(rule, listings, chosen) if isinstance(rule, Rule) else (rule,)


def select(rule: Rule, listings: Listings, chosen: Chosen = NONE_CHOSEN) -> Selection | Broken:
    """The tags that a rule keeps of its source's list. Those that names alone cannot tell are `chosen` before. A rule
    that is held to a lock is the same as without, and is not among those."""
    found = look_at_names(rule, listings) if rule.locked is not None or rule not in chosen else chosen[rule]
    assert not isinstance(found, NeedsFacts)  # noqa: S101 - narrows: such a rule has been chosen for
    return found


def look_at_names(rule: Rule, listings: Listings) -> Selection | NeedsFacts | Broken:
    """The tags that a rule keeps of its source's list, or of those that a lock has of it; else what has to be read
    besides to tell. What a lock has was chosen when that was made."""
    if rule.locked is not None:
        return rule.tags.select_by_name(rule.locked)
    listed = listings.get(rule.source, ()) if rule.tags.needs_list else ()
    if not isinstance(listed, Broken):
        found = rule.tags.select(names_of(listed))
        return too_many_tags(rule.source, found) or found
    return replace(listed, reason=f"tags cannot be listed: {listed.reason}")


def names_of(listed: tuple[Tag, ...]) -> Iterable[str]:
    """All that a list holds, what is no tag too: that it is dropped is told as well."""
    return (*listed, *listed.illegal) if isinstance(listed, TagList) else listed


def wants_of(rule: Rule, listings: Listings, chosen: Chosen = NONE_CHOSEN) -> Iterator[Wanted]:
    """What one rule alone asks for."""
    selection = select(rule, listings, chosen)
    if isinstance(selection, Broken) and _is_without_tags(rule, selection):
        yield _skipped(rule, f"{rule.found_by} finds {rule.source}, which has no tags")
        return
    if isinstance(selection, Broken):
        yield from _not_chosen(rule, selection)
        return
    if not selection.kept and not selection.waiting:
        yield _nothing_kept(rule, selection)
    if selection.undated:
        yield _undated(rule, selection)
    for tag in selection.kept:
        yield from _of_tag(rule, tag, selection.pinned.get(tag))
    for tag, verdict in selection.waiting.items():
        yield from map(partial(_too_young, verdict=verdict), _of_tag(rule, tag, None))


def young_of(rule: Rule, listings: Listings, chosen: Chosen = NONE_CHOSEN) -> Iterator[Waiting]:
    """What a rule asked for if no tag were too young, be it behind others in its order: as long as none of these is old
    enough, what stands of it is all that there is."""
    selection = select(rule, listings, chosen)
    dropped = selection.dropped if isinstance(selection, Selection) else ()
    young = {Tag(drop.tag): TooYoung(drop.reason) for drop in dropped if drop.step == MinAge.name}
    found = (_too_young(want, verdict) for tag, verdict in young.items() for want in _of_tag(rule, tag, None))
    yield from (waiting for waiting in found if isinstance(waiting, Waiting))


def _not_chosen(rule: Rule, broken: Broken) -> Iterator[Failure | Waiting]:
    """Nobody knows which tags it keeps; where a budget is why, they wait, for each destination."""
    if isinstance(broken, NotRead):
        for repository in rule.destinations:
            yield waiting_for(rule, (Reference(rule.source), Reference(repository)), broken)
        return
    yield failure_of(rule, rule.source, broken)


def failure_of(rule: Rule, subject: Reference | Repository, broken: Broken) -> Failure:
    """What comes of a rule where something that it needs cannot be read."""
    return Failure(
        rule=rule.name,
        place=rule.place,
        subject=str(subject),
        reason=broken.reason,
        kind=broken.kind,
        hint=broken.hint,
    )


def waiting_for(rule: Rule, sides: tuple[Reference, Reference], unread: NotRead) -> Waiting:
    """What comes of a source and a destination where something was not asked for, since a budget is spent."""
    source, destination = sides
    return Waiting(
        rule=rule.name,
        place=rule.place,
        source=source,
        destination=destination,
        reason=unread.reason,
        hint=unread.hint,
        exit_code=unread.exit_code,
    )


def _undated(rule: Rule, selection: Selection) -> Skip:
    """What is told of tags that count as the oldest since nobody knows when they were made."""
    named = [f"{tag}: {unknown.reason}" for tag, unknown in selection.undated.items()][:_NAMED]
    count, whole = len(selection.undated), len(selection.created)
    more = f", and {count - _NAMED} more" if count > _NAMED else ""
    reason = f"of {count} of {whole} tags nobody knows when they were made, and they count as the oldest"
    return _skipped(rule, f"{reason} ({'; '.join(named)}{more})")


def _is_without_tags(rule: Rule, listed: Broken) -> bool:
    """Whether a glob has found what has no tags any more: some registries go on listing it, and then know nothing."""
    return bool(rule.found_by) and listed.kind == NotFoundError.kind and rule.on_empty is OnEmpty.WARN


def _skipped(rule: Rule, reason: str) -> Skip:
    return Skip(rule=rule.name, place=rule.place, subject=str(rule.source), reason=reason)


def _nothing_kept(rule: Rule, selection: Selection) -> Skip | Failure:
    dropped = len(selection.dropped)
    shares = [f"{-step.change} by {step.step}" for step in selection.steps if step.change < 0]
    lists = "it lists" if rule.locked is None else "the lock has"
    reason = f"no tag of {rule.source} is selected: all {dropped} that {lists} are dropped"
    reason += f" ({', '.join(shares)})" if shares else ""
    if rule.on_empty is OnEmpty.WARN:
        return _skipped(rule, reason)
    return Failure(
        rule=rule.name,
        place=rule.place,
        subject=str(rule.source),
        reason=reason,
        kind="empty",
        hint="`imagesync tags` shows why each is dropped; `on_empty: warn` lets it pass",
    )


def _too_young(want: Want | Failure, verdict: TooYoung) -> Failure | Waiting:
    """Why a tag that would be kept is not, or not yet."""
    if isinstance(want, Failure):
        return want
    if not verdict.is_failure:
        return Waiting(
            rule=want.rule.name,
            place=want.rule.place,
            source=want.source,
            destination=want.destination,
            reason=verdict.reason,
            hint=verdict.hint,
            waits_for=WaitsFor.AGE,
            exit_code=0,
        )
    return Failure(
        rule=want.rule.name,
        place=want.rule.place,
        subject=str(want.destination),
        reason=f"{want.source}: {verdict.reason}",
        kind=TOO_YOUNG,
        hint=verdict.hint,
    )


def _of_tag(rule: Rule, tag: Tag, pinned: Digest | None) -> Iterator[Want | Failure]:
    source = Reference(rule.source, tag, rule.digest_of(tag) or pinned)
    try:
        _check_locked(rule, tag)
        renamed = rule.renamed(tag)
        _check_previous(rule, renamed)
    except InvalidReference as error:
        yield failure_of(rule, source, Broken(error.message, error.kind, error.hint))
        return
    for repository in rule.destinations:
        yield Want(rule, source, Reference(repository, renamed))


def _check_locked(rule: Rule, tag: Tag) -> None:
    """Raise InvalidReference for a tag of which a lock does not say what it is."""
    if rule.locked is not None and tag not in rule.locked:
        raise InvalidReference(f"the lock has no {rule.source}:{tag}", hint="run `imagesync lock`")


def _check_previous(rule: Rule, tag: Tag) -> None:
    """Raise InvalidReference where what is replaced could not be kept, or would move an immutable tag."""
    previous = rule.keep_previous.apply(tag) if rule.keep_previous is not None else None
    if previous is not None and rule.immutable.holds(previous) and not rule.immutable.holds(tag):
        message = f"what {tag} was would be kept as {previous}, which is immutable and could not move"
        raise InvalidReference(message, hint="let `immutable` leave out what `keep_previous` writes")


def _without_conflicts(wants: Iterable[Wanted]) -> Iterator[Wanted]:
    wants = list(_without_the_young(wants))
    sources: dict[Reference, dict[Reference, Rule]] = {}
    strictest: dict[Reference, Want] = {}
    gates: dict[Reference, tuple[Gate, ...]] = {}
    for want in wants:
        if isinstance(want, Want):
            sources.setdefault(want.destination, {}).setdefault(want.promise, want.rule)
            gates[want.destination] = (*gates.get(want.destination, ()), *want.rule.gates)
            first = strictest.setdefault(want.destination, want)
            if strictness(want) > strictness(first):
                strictest[want.destination] = want
    for want in wants:
        if not isinstance(want, Want):
            yield want
        elif len(sources[want.destination]) > 1:
            yield _conflict(want, sources[want.destination])
        elif strictest[want.destination] is want:
            yield _kept_elsewhere(want, sources) or replace(want, others_gates=gates[want.destination])


def _without_the_young(wants: Iterable[Wanted]) -> Iterator[Wanted]:
    """A tag that is too young for one rule is written for no other from the same source, and told of once. Where that
    rule takes an earlier digest, so do the others."""
    wants = list(wants)
    young = {_way(want): want for want in wants if isinstance(want, Waiting) and want.waits_for is WaitsFor.AGE}
    aged = {_way(want) for want in wants if isinstance(want, Want) and want.takes_earlier_digest}
    for want in wants:
        held = None if isinstance(want, Skip | Failure) else young.get(_way(want))
        is_careless = isinstance(want, Want) and want.source.digest is None and _way(want) in aged
        if held is want or (held is None and not is_careless):
            yield want


def _way(want: Want | Waiting) -> tuple[Reference, Repository, Tag | None]:
    return want.destination, want.source.repository, want.source.tag


def strictness(want: Want) -> tuple[bool, int]:
    """Of several that want one tag the strictest says whether it may move."""
    return (want.is_immutable, list(OnDrift).index(want.rule.on_drift))


def _kept_elsewhere(want: Want, sources: Mapping[Reference, Mapping[Reference, Rule]]) -> Failure | None:
    """Why what a tag was cannot be kept: that tag is wanted for something else."""
    kept = Reference(want.destination.repository, want.previous)
    if want.previous is None or kept not in sources:
        return None
    source, rule = next(iter(sources[kept].items()))
    return Failure(
        rule=want.rule.name,
        place=want.rule.place,
        subject=str(want.destination),
        reason=f"what it was would be kept as {kept}, where {source} would be written ({rule.place})",
        kind="conflict",
        hint="give `keep_previous` another template",
    )


def _conflict(want: Want, sources: Mapping[Reference, Rule]) -> Failure:
    others = ", ".join(f"{source} ({rule.place})" for source, rule in sources.items() if source != want.promise)
    return Failure(
        rule=want.rule.name,
        place=want.rule.place,
        subject=str(want.destination),
        reason=f"{want.promise} would be written there, and so would {others}",
        kind="conflict",
        hint="give one of them another destination, `as` or `retag`",
    )
