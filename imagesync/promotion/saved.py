"""Saved plans of releases: a file may hold back what the spec yields, and neither widen nor halve it. Pure.

What moves, `conformity` checks as of any plan; here is what only a unit has: all of its tags, and those in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imagesync.errors import PlanFileError
from imagesync.lazy import replace
from imagesync.plan.actions import Action, Attach, Blocked, Copy, Keep, Plan, Waiting, WaitsFor
from imagesync.plan.inventory import Absent, Head, Present
from imagesync.plan.together import subject_of
from imagesync.plan.unit import Move
from imagesync.reference import Digest, Reference
from imagesync.spec.model import Rule
from imagesync.spec.stages import Promotion

_AGAIN = "plan again"


def check_unit(plan: Plan, promotion: Promotion, rules: Sequence[Rule]) -> None:
    """Raise PlanFileError unless the unit is a promotion, and the plan has each of its tags."""
    unit = plan.unit
    assert unit is not None  # noqa: S101 - narrows: others are no releases
    if unit.move is not Move.PROMOTION:
        raise PlanFileError(f"no command saves a {unit.move.value}", hint="`imagesync rollback --confirm` does it")
    if unit.current != promotion.stage(unit.stage).current:
        raise PlanFileError(f"{unit.current} is not the current tag of {unit.stage}", hint=_AGAIN)
    _check_names(plan, rules)
    yielded = {destination: source for rule in rules for source, destination in [_sides(rule)]}
    foreign = [one for one in plan.actions if isinstance(one, Keep | Attach) and not _is_yielded(one, yielded)]
    if foreign:
        raise PlanFileError(f"no rule of the spec yields {foreign[0].source} at {foreign[0].destination}", hint=_AGAIN)
    _check_digests(plan)
    moving = [action for action in plan.actions if isinstance(action, Copy | Keep | Attach)]
    missing = sorted(map(str, yielded.keys() - {action.destination for action in moving}))
    if missing and len(moving) == len(plan.actions):
        raise PlanFileError(f"the plan of {unit} leaves out {missing[0]}", hint=_AGAIN)


def _check_names(plan: Plan, rules: Sequence[Rule]) -> None:
    """Gates and records know what an action is of by the name of its rule alone."""
    names = {destination: rule.name for rule in rules for _, destination in [_sides(rule)]}
    for action in plan.actions:
        own = [names.get(action.destination)] if isinstance(action, Copy | Attach | Keep | Blocked) else names.values()
        if action.rule not in own:
            raise PlanFileError(f"the plan calls {subject_of(action)} {action.rule[:80]!a}", hint=_AGAIN)


def _check_digests(plan: Plan) -> None:
    """Whatever tags an image gets, it is one digest: so the record says."""
    digests: dict[str, Digest | None] = {}
    for action in plan.actions:
        change = action.copy if isinstance(action, Blocked) else action
        if isinstance(change, Copy | Attach | Keep):
            digest = change.root.digest if isinstance(change, Copy) else change.found
            if digests.setdefault(change.rule, digest) != digest:
                raise PlanFileError(f"the plan has two digests of {change.rule}", hint=_AGAIN)


def tags_in_place(plan: Plan) -> tuple[Reference, ...]:
    """What the plan saw in place, and has to be there still."""
    return tuple(action.destination for action in plan.actions if isinstance(action, Keep | Attach))


def with_moved(plan: Plan, heads: Mapping[Reference, Head]) -> Plan:
    """The plan, holding back what is not in place any more."""
    return replace(plan, actions=tuple(_or_moved(action, heads) for action in plan.actions))


def _or_moved(action: Action, heads: Mapping[Reference, Head]) -> Action:
    if not isinstance(action, Keep | Attach):
        return action
    head = heads[action.destination]
    found = head.descriptor.digest if isinstance(head, Present) else None
    if found == action.found and found is not None:
        return action
    has = f"the tag has {found.short}" if found is not None else _without_digest(head)
    saw = action.found.short if action.found is not None else "another"
    return Waiting(
        rule=action.rule,
        place=action.place,
        source=action.source,
        destination=action.destination,
        reason=f"{has}, the plan saw {saw}",
        hint=_AGAIN,
        waits_for=WaitsFor.STAGE,
    )


def _without_digest(head: Head) -> str:
    return "the tag is gone" if isinstance(head, Absent) else "the tag cannot be read"


def _sides(rule: Rule) -> tuple[Reference, Reference]:
    (tag,), (repository,) = rule.tags.exact_tags, rule.destinations
    return Reference(rule.source, tag), Reference(repository, rule.renamed(tag))


def _is_yielded(action: Keep | Attach, yielded: Mapping[Reference, Reference]) -> bool:
    """Gates are asked of the source's digest, and the record is of what was found in place: at a stage they are one."""
    is_same = action.found == action.source.digest
    return is_same and yielded.get(action.destination) == Reference(action.source.repository, action.source.tag)
