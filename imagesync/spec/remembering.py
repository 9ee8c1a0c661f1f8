"""The key `state`: where the state is kept, and what of a spec needs one. Pure but for the variables it expands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from imagesync.errors import InvalidReference, Place, Problem
from imagesync.reference import LAYOUT_SCHEMES, Repository, parse_reference, starts_with_host
from imagesync.spec.document import Node, Scalar
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.model import OnDrift, Rule, StateFile, StatePlace
from imagesync.spec.rules import Origin

_FORMS = "write FILE, ./FOLDER/FILE, or REGISTRY/REPOSITORY"


def read_state(node: Node | None, interpolator: Interpolator, problems: list[Problem]) -> StatePlace | None:
    """A file, or a repository: what begins with a host, by Docker's rule, is one."""
    text = interpolator.text(node) if isinstance(node, Scalar) else ""
    if node is None or not text:
        return None
    try:
        return _parse(text)
    except InvalidReference as error:
        problems.append(Problem(node.place, error.message, error.hint or _FORMS))
        return None


def find_misplaced_state(state: StatePlace | None, place: Place, origins: Iterable[Origin]) -> list[Problem]:
    """A repository that images come from or go to is no place for a state."""
    used = {one for origin in origins for one in (origin.rule.source, *origin.rule.destinations)}
    if not isinstance(state, Repository) or state not in used:
        return []
    message = f"{state} holds images of this spec: a state needs a repository of its own"
    return [Problem(place, message, f"write {state}-state")]


def beside_state(rule: Rule, state: StatePlace | None) -> Rule:
    """The rule; one with a glob does not find the repository of the state."""
    if rule.glob is None or not isinstance(state, Repository):
        return rule
    return replace(rule, glob=replace(rule.glob, left_out=state))


def find_drift_without_state(origins: Iterable[Origin]) -> Iterator[Problem]:
    """Without a state nobody knows whether a tag was changed by another hand."""
    for origin in origins:
        chosen, node = origin.rule.on_drift, origin.nodes.get("on_drift")
        if chosen is not OnDrift.OVERWRITE and node is not None:
            message = f"`on_drift: {chosen.value}` needs to know what was written, and there is no `state`"
            yield Problem(node.place, message, "add `state: FILE` or `state: REGISTRY/REPOSITORY` to the spec")


def _parse(text: str) -> StatePlace:
    if text.startswith(LAYOUT_SCHEMES):
        raise InvalidReference("a state is kept in no layout", hint=_FORMS)
    if "://" in text:
        raise InvalidReference(f"{text[:80]!a} is a URL", hint=_FORMS)
    if text.endswith("/"):
        raise InvalidReference(f"{text[:80]!a} names no file", hint=_FORMS)
    if text.startswith((".", "/")) or not starts_with_host(text):
        return StateFile(text)
    reference = parse_reference(text)
    if "@" in text or ":" in text.rpartition("/")[2]:
        raise InvalidReference(f"{text} names a tag: each run has its own", hint=f"write {reference.repository}")
    return reference.repository
