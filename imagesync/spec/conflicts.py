"""Mistakes that show only when all rules are seen together: a tag written from two sources, a copy onto itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from imagesync.errors import InvalidReference, Problem
from imagesync.reference import Reference, Tag
from imagesync.spec.model import KEEP_TAG, Rule

Written: TypeAlias = Mapping[Reference, tuple[Reference, Rule]]
"""Tags of destinations, each with what is written there and the first rule that does."""
_HINT = "give one of them another destination, `as` or `retag`"
_ALIAS_HINT = "give the alias another name, or leave that tag out"


def find_conflicts(rules: Iterable[Rule]) -> list[Problem]:
    """What can be known offline: exact tags. Filters are compared once the plan knows what they select."""
    problems: list[Problem] = []
    written: dict[Reference, tuple[Reference, Rule]] = {}
    rules = list(rules)
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
    return [*problems, *_kept_elsewhere(written), *_aliases_elsewhere(rules, written)]


def _kept_elsewhere(written: Written) -> Iterator[Problem]:
    """Tags under which what is replaced would be kept, though they are wanted for something else, or never move."""
    hint = "give `keep_previous` another template"
    for destination, (_, rule) in written.items():
        tag = destination.tag
        if rule.keep_previous is None or tag is None or rule.immutable.holds(tag):
            continue
        kept = Reference(destination.repository, rule.keep_previous.apply(tag))
        if kept in written:
            source, other = written[kept]
            message = f"what {destination} was would be kept as {kept}, which is written from {source} at {other.place}"
            yield Problem(rule.place, message, hint)
        elif rule.immutable.holds(kept.tag):
            yield Problem(rule.place, f"what {destination} was would be kept as {kept.tag}, which is immutable", hint)


def _aliases_elsewhere(rules: Iterable[Rule], written: Written) -> Iterator[Problem]:
    """Aliases that are a tag which is written, or which follows another source too."""
    moved: dict[Reference, Rule] = {}
    for rule in rules:
        for alias in (Reference(place, name) for place in rule.destinations for name in sorted(_known_aliases(rule))):
            other = moved.setdefault(alias, rule)
            if alias in written:
                source, writing = written[alias]
                yield Problem(rule.place, f"the alias {alias} is written from {source} at {writing.place}", _ALIAS_HINT)
            elif other.source != rule.source:
                message = f"{alias} is an alias of {rule.source} here, and of {other.source} at {other.place}"
                yield Problem(rule.place, message, _ALIAS_HINT)


def _known_aliases(rule: Rule) -> frozenset[Tag]:
    """Those that do not depend on what a filter selects."""
    plain = frozenset(Tag(alias.template) for alias in rule.aliases if "{" not in alias.template)
    return plain.union(*(rule.aliases_of(tag) for tag in rule.tags.exact_tags))


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
