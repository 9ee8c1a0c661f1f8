"""`tags` and `retag` of a spec, read into what selects tags and what renames them.

Values that the schema refused are passed over: it has said so already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from imagesync.errors import InvalidReference, Problem, SpecError
from imagesync.lazy import replace
from imagesync.reference import Tag
from imagesync.selection import (
    ANY_SUFFIX,
    Alias,
    Exclude,
    Extract,
    Include,
    Newest,
    Order,
    Ordering,
    PatternKind,
    Retag,
    Step,
    TagFilter,
    TagPattern,
    VersionRange,
    Versions,
)
from imagesync.spec.ages import read_min_age
from imagesync.spec.document import List, Map, Node, Scalar, parse_document
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.problems import Problems
from imagesync.spec.schema import check_schema

T = TypeVar("T")
_FILTERS = ("include", "exclude", "versions", "newest")
_ANY_VERSION = VersionRange.parse("*")


class TagsReader:
    """Reads the values of one file; what is wrong with them is added to `problems`."""

    def __init__(self, interpolator: Interpolator, problems: list[Problem]) -> None:
        self._interpolator = interpolator
        self._problems = Problems(problems)

    def tags(self, node: Node) -> TagFilter | None:
        """What `tags` selects; None where it cannot be told."""
        if isinstance(node, Map):
            return self._steps(node)
        patterns = self.patterns(node)
        return TagFilter.of(patterns) if patterns else None

    def retag(self, node: Node | None) -> Retag | None:
        """How tags are renamed; None where it cannot be told."""
        if isinstance(node, Map):
            return self._names(node)
        if not isinstance(node, Scalar):
            return Retag()
        retag = Retag(self._interpolator.text(node))
        if not retag.template:
            return None
        for message in retag.problems():
            hint = "allowed are {tag}, {major}, {minor}, {patch}, {suffix} and {digest}"
            self._problems.say(node.place, message, hint)
        return None if retag.problems() else retag

    def aliases(self, node: Node | None) -> tuple[Alias, ...]:
        """The templates of aliases: a list of them, or a map that says more."""
        listed = node.get("tags") if isinstance(node, Map) else node
        found = [self._alias(scalar) for scalar in scalars(listed)] if listed is not None else []
        return tuple(dict.fromkeys(alias for alias in found if alias is not None))

    def _alias(self, scalar: Scalar) -> Alias | None:
        alias = Alias(self._interpolator.text(scalar), scalar.place)
        if not alias.template:
            return None
        for message in alias.problems():
            hint = "an alias is a tag, which may hold {major}, {minor}, {patch} and {suffix}"
            self._problems.say(scalar.place, message, hint)
        return None if alias.problems() else alias

    def _steps(self, node: Map) -> TagFilter | None:
        before = len(self._problems)
        self._check_keys(node)
        versions = self._versions(node.get("versions"))
        include, exclude = self.patterns(node.get("include")), self.patterns(node.get("exclude"))
        steps: list[Step] = []
        steps += [Include(include)] if include else []
        steps += [Exclude(exclude)] if exclude else []
        steps += [versions] if versions is not None else []
        min_age = read_min_age(node.get("min_age"), self._problems)
        steps += [min_age] if min_age is not None else []
        steps += self._newest(node, versions.extract if versions is not None else None)
        always = self._always(node.get("always"))
        return TagFilter(tuple(steps), always) if steps and len(self._problems) == before else None

    def _check_keys(self, node: Map) -> None:
        """Every key must have something to do."""
        if "sort" in node.values and "newest" not in node.values:
            self._problems.say(node.keys["sort"].place, "`sort` says which tags are the newest", "add `newest: N`")
        if "always" in node.values and not any(key in node.values for key in _FILTERS):
            hint = f"add one of {', '.join(_FILTERS)}, or write the tags as a list"
            self._problems.say(node.keys["always"].place, "`always` adds tags to those that filters keep", hint)

    def _versions(self, node: Node | None) -> Versions | None:
        if isinstance(node, Scalar):
            found = self._read(node, _range)
            return None if found is None else Versions(found)
        if not isinstance(node, Map):
            return None
        prereleases = node.get("prereleases")
        return Versions(
            range=self._read(node.get("range"), _range) or _ANY_VERSION,
            suffix=self._read(node.get("suffix"), _suffix) or "",
            prereleases=isinstance(prereleases, Scalar) and prereleases.value is True,
            extract=self._read(node.get("extract"), Extract.parse),
        )

    def _newest(self, node: Map, extract: Extract | None) -> tuple[Step, ...]:
        count, sort = node.get("newest"), node.get("sort")
        if not isinstance(count, Scalar) or not isinstance(count.value, int):
            return ()
        said = sort.text if isinstance(sort, Scalar) else Order.VERSION.value
        if said not in [order.value for order in Order]:
            return ()
        ordering = Ordering(Order(said), extract)
        return (ordering, Newest(count.value, ordering))

    def _always(self, node: Node | None) -> tuple[Tag, ...]:
        found = [self._read(scalar, _exact_tag) for scalar in scalars(node)]
        return tuple(tag for tag in found if tag is not None)

    def patterns(self, node: Node | None) -> tuple[TagPattern, ...]:
        """Tags, globs and expressions, each with its place."""
        found = [(self._read(scalar, TagPattern.parse), scalar.place) for scalar in scalars(node)]
        return tuple(replace(pattern, place=place) for pattern, place in found if pattern is not None)

    def _names(self, node: Map) -> Retag | None:
        if not all(isinstance(value, Scalar) and isinstance(value.value, str) for value in node.values.values()):
            return None
        for key in node.keys.values():
            self._problems.parsed(partial(Tag, key.text), key.place)
        names = {key: self._read(value, Tag) for key, value in node.values.items()}
        found = tuple((key, str(tag)) for key, tag in names.items() if tag is not None)
        return Retag(names=found) if len(found) == len(names) else None

    def _read(self, node: Node | None, parse: Callable[[str], T]) -> T | None:
        """The expanded value of a text, parsed; None where there is none, or a problem with it."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return None
        text = self._interpolator.text(node)
        return self._problems.parsed(partial(parse, text), node.place) if text else None


def parse_tags(text: str, *, environment: Mapping[str, str]) -> TagFilter:
    """The value of `tags` alone, as a command line has it. Raises SpecError with every problem of it."""
    problems: list[Problem] = []
    node = parse_document(text, "--tags", problems)
    if node is None:
        raise SpecError(problems)
    check_schema(_as_spec(node), problems)
    found = TagsReader(Interpolator(environment, Path(), problems), problems).tags(node)
    if found is None or problems:
        raise SpecError(problems)
    return found


def _as_spec(node: Node) -> Node:
    """A spec that holds this as its default: what the schema says of `tags`, it says of a spec."""
    place, key = node.place, Scalar(node.place, "tags", "tags")
    defaults = Map(place, {"tags": node}, {"tags": key})
    return Map(place, {"version": Scalar(place, "1", 1), "defaults": defaults, "sync": List(place, ())}, {})


def scalars(node: Node | None) -> tuple[Scalar, ...]:
    """One text or a list of them; what the schema refused is left out."""
    nodes = node.items if isinstance(node, List) else (node,)
    return tuple(one for one in nodes if isinstance(one, Scalar) and isinstance(one.value, str))


def _exact_tag(text: str) -> Tag:
    if TagPattern.parse(text).kind is not PatternKind.EXACT:
        raise InvalidReference(f"{text!a} is a pattern, and `always` names tags exactly", hint="`include` takes it")
    return Tag(text)


def _range(text: str) -> VersionRange:
    found = VersionRange.parse(text)
    if found.is_empty:
        raise InvalidReference(f"no version is in the range {text!a}", hint="`||` separates alternatives")
    return found


def _suffix(text: str) -> str:
    if text != ANY_SUFFIX and text[0] not in "-_.*?[":
        raise InvalidReference(f"{text!a} begins with no sign, as every suffix does", hint="write -alpine, or any")
    return text
