"""Parts: a plan has actions of its own, each judged alone, and units beside them. Pure."""

from __future__ import annotations

from dataclasses import replace

from imagesync.plan.actions import Plan


def parts_of(plan: Plan) -> tuple[Plan, ...]:
    """The plan without its units, and each of these: what is carried out by itself, one after the other."""
    return (replace(plan, units=()), *plan.units)


def as_one(plan: Plan) -> Plan:
    """All of it in one row, as it is shown, counted and compared; what moves together is not told any more."""
    if not plan.units:
        return plan
    parts = parts_of(plan)
    actions = tuple(action for part in parts for action in part.actions)
    contents = {digest: content for part in parts for digest, content in part.contents.items()}
    specs = tuple(dict.fromkeys(pin for part in parts for pin in part.specs))
    return replace(parts[0], actions=actions, contents=contents, specs=specs)


def units_of(plan: Plan) -> tuple[Plan, ...]:
    """What of it moves together, be it all of it."""
    return (plan,) if plan.unit is not None else plan.units
