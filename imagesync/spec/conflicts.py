"""Mistakes that show only when all rules are seen together: a tag written from two sources, a copy onto itself."""

from __future__ import annotations

from collections.abc import Iterable

from imagesync.errors import InvalidReference, Problem
from imagesync.reference import Reference, Tag
from imagesync.spec.model import KEEP_TAG, Rule

_HINT = "give one of them another destination, `as` or `retag`"


def find_conflicts(rules: Iterable[Rule]) -> list[Problem]:
    """What can be known offline: exact tags. Filters are compared once the plan knows what they select."""
    problems: list[Problem] = []
    written: dict[Reference, tuple[Reference, Rule]] = {}
    for rule in rules:
        if rule.tags.needs_list and rule.retag == KEEP_TAG and rule.source in rule.destinations:
            problems.append(Problem(rule.place, f"the tags of {rule.source} would be copied onto themselves", _HINT))
        if rule.tags.needs_list and rule.retag.needs_digest:
            problems.append(_without_digest(rule))
            continue
        for tag in rule.tags.exact_tags:
            renamed = _renamed(rule, tag, problems)
            source = Reference(rule.source, tag, rule.digest)
            for repository in rule.destinations if renamed is not None else ():
                destination = Reference(repository, renamed)
                before, other = written.setdefault(destination, (source, rule))
                if source == destination:
                    problems.append(Problem(rule.place, f"{source} would be copied onto itself", _HINT))
                elif before != source:
                    message = f"{destination} is written from {source} here, and from {before} at {other.place}"
                    problems.append(Problem(rule.place, message, _HINT))
                elif other.platforms != rule.platforms:
                    message = (
                        f"{destination} is written with {_content(rule)} here, with {_content(other)} at {other.place}"
                    )
                    problems.append(Problem(rule.place, message, _HINT))
    return problems


def _content(rule: Rule) -> str:
    """`linux/amd64, requiring linux/arm64`: what of an image a rule takes."""
    required = ", ".join(map(str, rule.platforms.required))
    return f"{rule.platforms}, requiring {required}" if required else str(rule.platforms)


def _without_digest(rule: Rule) -> Problem:
    message = f"retag {rule.retag.template!r} needs a digest, and the tags of {rule.source} are selected by filters"
    return Problem(rule.place, message, "leave {digest} out, or name an image NAME:TAG@sha256:…")


def _renamed(rule: Rule, tag: Tag, problems: list[Problem]) -> Tag | None:
    try:
        return rule.renamed(tag)
    except InvalidReference as error:
        problems.append(Problem(rule.place, error.message, error.hint))
        return None
