"""`min_age` of a spec, read into the step that it is. Values that the schema refused are passed over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta

from imagesync.errors import Problem
from imagesync.selection import WHICHEVER, Clock, MinAge, OnMissing, TagFilter
from imagesync.spec.document import Map, Node, Scalar
from imagesync.spec.problems import Problems

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def read_min_age(node: Node | None, problems: Problems) -> MinAge | None:
    """None where there is none, or where it cannot be told."""
    age = node.get("age") if isinstance(node, Map) else node
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", age.text) if isinstance(age, Scalar) else None
    if match is None:
        return None
    length = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if not isinstance(node, Map):
        return MinAge(length, match[2])
    on_missing = node.get("on_missing")
    found = MinAge(length, match[2], _clocks(node.get("clock")), _on_missing(on_missing))
    if on_missing is not None and found.uses_state:
        message = "`on_missing` is for tags of which nobody says how old they are: a state knows every tag's age"
        problems.say(on_missing.place, message, "leave it out, or add `clock: pushed` or `clock: created`")
    return found


def find_age_without_state(found: Iterable[tuple[TagFilter, Node | None]]) -> Iterator[Problem]:
    """Filters that wait for an age that nobody remembers, each with the `tags` that it came from."""
    for tags, node in found:
        written = node.get("min_age") if isinstance(node, Map) else None
        if written is not None and tags.min_age is not None and tags.min_age.uses_state:
            message = "`min_age` counts from when a tag was first seen, and there is no `state` that remembers it"
            hint = (
                "add `state: FILE` or `state: REGISTRY/REPOSITORY`, or trust the registry (`{age: …, clock: pushed}`) "
            )
            hint += "or the image (`clock: created`)"
            yield Problem(written.place, message, hint)


def _clocks(node: Node | None) -> tuple[Clock, ...]:
    found = [clock for clock in Clock if isinstance(node, Scalar) and node.text == clock.value]
    return tuple(found) or WHICHEVER


def _on_missing(node: Node | None) -> OnMissing:
    known = {one.value: one for one in OnMissing}
    return known.get(node.text, OnMissing.DEFER) if isinstance(node, Scalar) else OnMissing.DEFER
