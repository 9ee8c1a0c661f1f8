"""Repositories that globs stand for: rules and what registries list in, the rules of each repository out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass
from imagesync.plan.actions import Failure, Skip
from imagesync.plan.inventory import Broken
from imagesync.plan.limits import too_many_repositories
from imagesync.plan.making import Found
from imagesync.reference import Repository, RepositoryList
from imagesync.spec.globs import RepositoryGlob
from imagesync.spec.model import OnEmpty, Rule
from imagesync.spec.pins import Lock

Below = tuple[str, str]
"""A registry, and the prefix below which its repositories are asked for."""
Catalogs = Mapping[Below, RepositoryList | Broken]
Named = Rule | Skip | Failure
"""A rule whose source is one repository, or why there is none in its place."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """The rules of a spec in its order, each glob replaced by what it found; and how much that was."""

    rules: tuple[Named, ...]
    found: tuple[Found, ...] = ()


def catalogs_needed(rules: Iterable[Rule]) -> Mapping[str, tuple[str, ...]]:
    """The prefixes that globs ask for, by registry, each once."""
    needed: dict[str, dict[str, None]] = {}
    for glob in (rule.glob for rule in rules if rule.glob is not None and rule.lock is None):
        needed.setdefault(glob.registry, {})[glob.prefix] = None
    return {registry: tuple(prefixes) for registry, prefixes in needed.items()}


def expand(rules: Sequence[Rule], catalogs: Catalogs) -> Expanded:
    """Put a rule for each repository that it finds in the place of every glob."""
    named: list[Named] = []
    found: list[Found] = []
    for rule in rules:
        if rule.glob is None:
            named.append(rule)
            continue
        listed = _listed(rule.lock, rule.glob, catalogs)
        if isinstance(listed, Broken):
            named.append(_not_listed(rule, listed))
            continue
        paths = [path for path in listed if rule.glob.matches(path)]
        found.append(Found(str(rule.source), len(paths), sum(map(rule.glob.matches, listed.illegal))))
        named += _of_found(rule, rule.glob, paths) if paths else [_nothing_found(rule, len(listed))]
    return Expanded(tuple(named), tuple(dict.fromkeys(found)))


def of_source(rule: Rule, source: Repository) -> Rule | None:
    """The rule as it takes one source, be it by its glob; None where it does not."""
    if rule.glob is None:
        return rule if rule.source == source else None
    if rule.glob.registry != source.registry or not rule.glob.matches(source.path):
        return None
    with suppress(InvalidReference):
        return rule.for_repository(source.path)
    return None


def companions(rules: Sequence[Named], left_out: Iterable[Rule]) -> tuple[Rule, ...]:
    """Of the rules that were left out those that write to the same places from the same sources."""
    places: dict[Repository, set[Repository]] = {}
    for rule in rules:
        if isinstance(rule, Rule):
            places.setdefault(rule.source, set()).update(rule.destinations)
    left_out = list(left_out)
    found = ((of_source(rule, source), beside) for source, beside in places.items() for rule in left_out)
    shared = (rule for rule, beside in found if rule is not None and beside.intersection(rule.destinations))
    return tuple(rule for rule in dict.fromkeys(shared) if rule not in rules)


def _listed(lock: Lock | None, glob: RepositoryGlob, catalogs: Catalogs) -> RepositoryList | Broken:
    """What a glob is looked for in: of a rule that is held to a lock, what that has."""
    return catalogs[glob.registry, glob.prefix] if lock is None else lock.repositories(glob.registry)


def _of_found(rule: Rule, glob: RepositoryGlob, paths: Sequence[str]) -> Iterable[Named]:
    too_many = too_many_repositories(str(rule.source), paths)
    return _of_paths(rule, glob, paths) if too_many is None else [_not_listed(rule, too_many)]


def _of_paths(rule: Rule, glob: RepositoryGlob, paths: Iterable[str]) -> Iterator[Named]:
    """What is found, without what it has itself brought there: that would be brought again, and again below it."""
    made = [_of_path(rule, path) for path in paths]
    written = {repository for one in made if isinstance(one, Rule) for repository in one.destinations}
    for one in made:
        if not isinstance(one, Rule):
            yield one
        elif glob.share.holds(one.source):
            yield _finds_itself(one) if one.source in written else one


def _of_path(rule: Rule, path: str) -> Rule | Failure:
    try:
        return rule.for_repository(path)
    except InvalidReference as error:
        return _failure(rule, f"{rule.source.registry}/{path}", error.message, kind=error.kind, hint=error.hint)


def _finds_itself(rule: Rule) -> Failure:
    reason = f"{rule.found_by} finds {rule.source}, which it also writes"
    hint = "let the glob leave out what is below the destination"
    return _failure(rule, str(rule.source), reason, kind="conflict", hint=hint)


def _not_listed(rule: Rule, listed: Broken) -> Failure:
    reason = f"repositories cannot be listed: {listed.reason}"
    return _failure(rule, str(rule.source), reason, kind=listed.kind, hint=listed.hint)


def _nothing_found(rule: Rule, listed: int) -> Skip | Failure:
    reason = f"no repository is like {rule.source}: {listed} {'is' if listed == 1 else 'are'} listed there"
    if rule.on_empty is OnEmpty.WARN:
        return Skip(rule=rule.name, place=rule.place, subject=str(rule.source), reason=reason)
    hint = "`*` stays between two slashes, `**` crosses them; `on_empty: warn` lets it pass"
    return _failure(rule, str(rule.source), reason, kind="empty", hint=hint)


def _failure(rule: Rule, subject: str, reason: str, *, kind: str, hint: str | None) -> Failure:
    return Failure(rule=rule.name, place=rule.place, subject=subject, reason=reason, kind=kind, hint=hint)
