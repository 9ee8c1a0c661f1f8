"""Parts: a plan has actions of its own, each judged alone, and units beside them. Pure."""

from __future__ import annotations

from imagesync.lazy import replace
from imagesync.plan.actions import Plan


def own_part(plan: Plan) -> Plan:
    """The plan without what moves together, be it all of it."""
    return replace(plan, units=()) if plan.unit is None else replace(plan, actions=(), unit=None)


def as_one(plan: Plan) -> Plan:
    """All of it in one row, as it is shown, counted and compared; what moves together is told where that is all."""
    if not plan.units:
        return plan
    parts = (replace(plan, units=()), *plan.units)
    actions = tuple(action for part in parts for action in part.actions)
    contents = {digest: content for part in parts for digest, content in part.contents.items()}
    specs = tuple(dict.fromkeys(pin for part in parts for pin in part.specs))
    unit = plan.units[0].unit if len(plan.units) == 1 and not plan.actions else None
    return replace(parts[0], actions=actions, contents=contents, specs=specs, unit=unit)


def units_of(plan: Plan) -> tuple[Plan, ...]:
    """What of it moves together, be it all of it."""
    return (plan,) if plan.unit is not None else plan.units
