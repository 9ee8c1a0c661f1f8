"""The key `state`: where the state is kept, and what of a spec needs one. Pure but for the variables it expands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imagesync.errors import InvalidReference, Place, Problem
from imagesync.lazy import replace
from imagesync.reference import LAYOUT_SCHEMES, Repository, parse_reference, starts_with_host
from imagesync.spec.document import Node, Scalar
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.model import OnDrift, Rule, StateFile, StatePlace
from imagesync.spec.rules import Origin

if TYPE_CHECKING:
    from imagesync.spec.stages import Promotion

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


def find_misplaced_state(
    state: StatePlace | None, place: Place, users: tuple[Iterable[Origin], Iterable[Promotion]]
) -> list[Problem]:
    """A repository that images come from or go to is no place for a state, and neither is a journal."""
    origins, promotions = users
    used = {one for origin in origins for one in (origin.rule.source, *origin.rule.destinations)}
    used |= {one for promotion in promotions for one in promotion.repositories()}
    if not isinstance(state, Repository) or state not in used:
        return []
    message = f"{state} holds images or records of this spec: a state needs a repository of its own"
    return [Problem(place, message, f"write {state}-state")]


def kept_apart(state: StatePlace | None, promotions: Iterable[Promotion]) -> frozenset[Repository]:
    """The repositories in which imagesync keeps what is no image: the state, and the records of promotions."""
    journals = {stage.journal for promotion in promotions for stage in promotion.stages}
    return frozenset(journals | ({state} if isinstance(state, Repository) else set()))


def beside(rule: Rule, apart: frozenset[Repository]) -> Rule:
    """The rule; one with a glob does not find what is kept apart."""
    return rule if rule.glob is None else replace(rule, glob=replace(rule.glob, left_out=apart))


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
