"""Locking: what a lock has to hold for a spec, and rules that are held to a lock. Pure; the file is `spec/lock`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from imagesync.errors import Problem
from imagesync.lazy import dataclass, replace
from imagesync.plan.actions import Copy, Failure, Keep, Plan, Skip, Waiting, WaitsFor
from imagesync.plan.repositories import Named, expand
from imagesync.reference import Digest, Tag
from imagesync.selection import TagFilter
from imagesync.spec.model import OnEmpty, Rule, SpecWarning
from imagesync.spec.pins import Lock, Pin

NOTHING_LOCKED = Lock()


@dataclass(frozen=True, slots=True)
class LockChange:
    """A tag that is new in a lock, has another digest there, or is gone from it."""

    pin: str
    before: Digest | None
    after: Digest | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A lock as it was and as it is to be. `is_changed` tells whether the file called `name` is another one then."""

    name: str
    before: Lock
    after: Lock
    is_changed: bool

    @property
    def changes(self) -> tuple[LockChange, ...]:
        """What is not the same in both, sorted."""
        old, new = _by_name(self.before), _by_name(self.after)
        names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        return tuple(LockChange(name, old.get(name), new.get(name)) for name in names)


def sources_alone(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Rules that want each tag where it is: their plan says what every tag points to, and no destination is asked.

    An image that is named by its digest needs no lock. Globs have been expanded before.
    """
    return tuple(
        Rule(
            entry=rule.entry,
            image=rule.image,
            place=rule.place,
            source=rule.source,
            destinations=(rule.source,),
            tags=rule.tags,
            on_empty=rule.on_empty,
        )
        for rule in rules
        if rule.digest is None
    )


def lock_of(plan: Plan, before: Lock = NOTHING_LOCKED) -> Lock:
    """What a plan of `sources_alone` has found. A tag that would be copied onto itself takes an earlier digest, since
    what it points to is too young; one that waits until it is old enough stays what it was."""
    found = [action.source for action in plan.actions if isinstance(action, Keep | Copy)]
    waiting = {(str(one.source.repository), one.source.tag) for one in plan.actions if isinstance(one, Waiting)}
    fresh = [
        Pin(str(source.repository), source.tag, source.digest)
        for source in found
        if source.tag is not None and source.digest is not None
    ]
    return Lock.of([*fresh, *(pin for pin in before.pins if (pin.source, pin.tag) in waiting)])


def is_whole(plan: Plan) -> bool:
    """Whether it is known of every rule which tags it takes: a lock without some of them would pass for a whole one."""
    return not any(isinstance(one, Waiting) and one.waits_for is WaitsFor.PULLS for one in plan.actions)


def renewed(before: Lock, fresh: Lock, *, rules: Sequence[Rule], named: Sequence[Rule]) -> Lock:
    """A lock in which the tags of the named rules are fresh, and those that other rules want are what they were."""
    renewing = {_identity(rule): rule for rule in taken(hold(named, before))}
    others = [rule for rule in taken(hold(rules, before)) if _identity(rule) not in renewing]
    sources, kept = {str(rule.source) for rule in renewing.values()}, _wanted(others)
    new = {(pin.source, pin.tag) for pin in fresh.pins}
    left = [pin for pin in before.pins if pin.source not in sources or (pin.source, pin.tag) in kept]
    return Lock.of([*fresh.pins, *(pin for pin in left if (pin.source, pin.tag) not in new)])


def hold(rules: Iterable[Rule], lock: Lock) -> tuple[Rule, ...]:
    """The rules, taking from the lock which tags there are and what they point to."""
    return tuple(replace(rule, lock=lock) for rule in rules)


def taken(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """What rules that are held to a lock stand for: a rule for each repository in it that a glob finds."""
    return tuple(rule for rule in expand(rules, {}).rules if isinstance(rule, Rule))


def uncovered(rules: Sequence[Rule], name: str) -> list[Problem]:
    """What rules that are held to the lock called `name` want and do not find there."""
    hint = "run `imagesync lock`, and review what it adds"
    return [
        Problem(rule.place, f"{name} has no {missing}", hint)
        for rule in expand(rules, {}).rules
        for missing in _missing(rule)
    ]


def undecided(rules: Sequence[Rule], whole: Sequence[Rule], name: str) -> list[Problem]:
    """Which of these rules choose by age or date from a source of which the lock called `name` has tags that others of
    the whole spec take: whether a rule has chosen these as well, the lock does not say."""
    hint = "give both the same `tags`, or each a spec with a lock of its own"
    choosing = [rule for rule in taken(rules) if any(step.needs_facts for step in rule.tags.steps)]
    all_rules = taken(whole) if choosing else ()
    found: list[Problem] = []
    for rule in choosing:
        others = (one for one in all_rules if one.source == rule.source and one.tags != rule.tags)
        shared = _wanted([rule]) & _wanted(others)
        if shared:
            source, tag = min(shared)
            message = f"{name} does not say which tags of {source} {rule.name} takes: {tag} may be another image's"
            found.append(Problem(rule.place, message, hint))
    return found


def unwanted(rules: Sequence[Rule], lock: Lock) -> list[SpecWarning]:
    """What a lock holds and none of these rules wants."""
    wanted = _wanted(taken(hold(rules, lock)))
    return [
        SpecWarning(pin.place, f"no rule wants {pin}: `imagesync lock` would drop it")
        for pin in lock.pins
        if (pin.source, pin.tag) not in wanted
    ]


def _missing(rule: Named) -> list[str]:
    if isinstance(rule, Failure):
        return [f"repository like {rule.subject} for {rule.rule}"]
    if isinstance(rule, Skip) or rule.locked is None:
        return []
    missing = [f"{rule.source}:{tag} for {rule.name}" for tag in rule.tags.exact_tags if tag not in rule.locked]
    is_empty = not rule.tags.select_by_name(rule.locked).kept and rule.on_empty is OnEmpty.FAIL
    return [f"tag of {rule.source} for {rule.name}"] if is_empty else missing


def _wanted(rules: Iterable[Rule]) -> set[tuple[str, Tag]]:
    """The tags that rules take from their lock."""
    found: dict[tuple[str, TagFilter], tuple[Tag, ...]] = {}
    for rule in rules:
        if rule.locked:
            found[str(rule.source), rule.tags] = rule.tags.select_by_name(rule.locked).kept
    return {(source, tag) for (source, _), tags in found.items() for tag in tags}


def _identity(rule: Rule) -> object:
    """What is the same of a rule whether it was named or not."""
    return rule.name, rule.place, rule.source


def _by_name(lock: Lock) -> Mapping[str, Digest]:
    return {str(pin): pin.digest for pin in lock.pins}
