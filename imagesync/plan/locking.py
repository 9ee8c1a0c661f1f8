"""Locking: what a lock has to hold for a spec, and rules that are held to a lock. Pure; the file is `spec/lock`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from imagesync.errors import Problem
from imagesync.plan.actions import Keep, Plan
from imagesync.reference import Digest, Tag
from imagesync.selection import TagFilter
from imagesync.spec.lock import Lock, Pin
from imagesync.spec.model import OnEmpty, Rule, SpecWarning


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

    An image that is named by its digest needs no lock.
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


def lock_of(plan: Plan) -> Lock:
    """What a plan of `sources_alone` has found."""
    found = [action.source for action in plan.actions if isinstance(action, Keep)]
    return Lock.of(
        Pin(str(source.repository), source.tag, source.digest)
        for source in found
        if source.tag is not None and source.digest is not None
    )


def renewed(before: Lock, fresh: Lock, *, named: Collection[Rule], others: Sequence[Rule]) -> Lock:
    """A lock in which the tags of the named rules are fresh, and those that others want are what they were."""
    sources, kept = {str(rule.source) for rule in named}, _wanted(others, before)
    new = {(pin.source, pin.tag) for pin in fresh.pins}
    left = [pin for pin in before.pins if pin.source not in sources or (pin.source, pin.tag) in kept]
    return Lock.of([*fresh.pins, *(pin for pin in left if (pin.source, pin.tag) not in new)])


def held(rules: Iterable[Rule], lock: Lock) -> tuple[Rule, ...]:
    """The rules, taking from the lock which tags there are and what they point to."""
    return tuple(
        replace(rule, locked=lock.digests.get(str(rule.source), {})) if rule.digest is None else rule for rule in rules
    )


def uncovered(rules: Iterable[Rule], name: str) -> list[Problem]:
    """What rules that are held to the lock called `name` want and do not find there."""
    return [
        Problem(rule.place, f"{name} has no {missing} for {rule.name}", "run `imagesync lock`, and review what it adds")
        for rule in rules
        for missing in _missing(rule)
    ]


def unwanted(rules: Sequence[Rule], lock: Lock) -> list[SpecWarning]:
    """What a lock holds and none of these rules wants."""
    wanted = _wanted(rules, lock)
    return [
        SpecWarning(pin.place, f"no rule wants {pin}: `imagesync lock` would drop it")
        for pin in lock.pins
        if (pin.source, pin.tag) not in wanted
    ]


def _missing(rule: Rule) -> list[str]:
    if rule.locked is None:
        return []
    missing = [f"{rule.source}:{tag}" for tag in rule.tags.exact_tags if tag not in rule.locked]
    is_empty = not rule.tags.select(rule.locked).kept and rule.on_empty is OnEmpty.FAIL
    return [f"tag of {rule.source}"] if is_empty else missing


def _wanted(rules: Iterable[Rule], lock: Lock) -> set[tuple[str, Tag]]:
    """The tags of a lock that rules would take."""
    found: dict[tuple[str, TagFilter], tuple[Tag, ...]] = {}
    for rule in held(rules, lock):
        if rule.locked:
            found[str(rule.source), rule.tags] = rule.tags.select(rule.locked).kept
    return {(source, tag) for (source, _), tags in found.items() for tag in tags}


def _by_name(lock: Lock) -> Mapping[str, Digest]:
    return {str(pin): pin.digest for pin in lock.pins}
