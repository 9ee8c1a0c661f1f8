"""Drift: why a destination's tag differs from its source, by what is remembered of it. Pure.

Pending: it has what was last written there, and the source has moved on. Drifted: another hand has changed it.
Unowned: it was never written by imagesync, or was given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagesync.lazy import replace
from imagesync.plan.actions import Action, Cause, Copy, Plan
from imagesync.plan.conformity import is_yielded_by
from imagesync.plan.inventory import Head, Present, Remembered
from imagesync.plan.review import Change, Reviewer
from imagesync.plan.summary import is_drifted
from imagesync.plan.wants import Want, Wanted
from imagesync.reference import Digest, Reference
from imagesync.spec.model import OnDrift, Rule
from imagesync.state import State


def cause_of(state: State, destination: Reference, found: Digest) -> Cause:
    """Why a tag has this digest, where that is not what it should be."""
    written = state.written(destination)
    if written is None:
        return Cause.UNOWNED
    return Cause.PENDING if written.digest == found else Cause.DRIFTED


def with_memory(
    wants: Iterable[Wanted], heads: Mapping[Reference, Head], state: State | None
) -> Mapping[Reference, Head]:
    """The heads, those of destinations with what is remembered of them; as they are without a state."""
    if state is None:
        return heads
    destinations = {want.destination: heads.get(want.destination) for want in wants if isinstance(want, Want)}
    found = {one: _remembered(one, head, state) for one, head in destinations.items() if isinstance(head, Present)}
    return {**heads, **found}


def _remembered(destination: Reference, head: Present, state: State) -> Remembered:
    written = state.written(destination)
    return Remembered(
        head.descriptor,
        cause=cause_of(state, destination, head.descriptor.digest),
        wrote=written.digest if written is not None else None,
    )


def with_causes(plan: Plan, state: State | None) -> Plan:
    """A plan from a file, with why each tag differs by what is remembered now, whatever the file says."""
    return replace(plan, actions=tuple(_caused(action, state) for action in plan.actions))


def _caused(action: Action, state: State | None) -> Action:
    if not isinstance(action, Copy):
        return action
    if state is None or action.replaces is None:
        return replace(action, cause=None)
    return replace(action, cause=cause_of(state, action.destination, action.replaces))


def holding_back(rules: Iterable[Rule]) -> Reviewer:
    """Refuse what a rule says is not to be done to a tag that another hand has changed: a plan from a file may have
    been made before it was known, or been edited."""
    strict = [rule for rule in rules if rule.on_drift is not OnDrift.OVERWRITE]

    def check(change: Change) -> str | None:
        if not isinstance(change, Copy) or not is_drifted(change):
            return None
        rule = next((rule for rule in strict if is_yielded_by(rule, change)), None)
        return None if rule is None else f"changed by another hand, and `on_drift: {rule.on_drift.value}` forbids it"

    return check
