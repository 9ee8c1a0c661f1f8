"""Aliases: tags that the highest of several versions carries, `7.4` and `7` and `stable` beside `7.4.2`.

A template stands for one alias or several: of those versions for which it comes to the same, the highest has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from imagesync.errors import InvalidReference, Place
from imagesync.lazy import dataclass, field
from imagesync.reference import Tag
from imagesync.selection.version import Version

ALIAS_FIELDS = ("major", "minor", "patch", "suffix")
_NUMBERS = {"major": 0, "minor": 1, "patch": 2}
_DIGITS = re.compile(r"\d+(?:\.\d+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Alias:
    """A template over ALIAS_FIELDS."""

    template: str
    place: Place | None = field(default=None, repr=False, compare=False)
    """Where a spec has it."""

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the template whatever the version."""
        unknown = [name for name in re.findall(r"\{([^{}]*)\}", self.template) if name not in ALIAS_FIELDS]
        filled = re.sub(r"\{[^{}]*\}", "1", self.template)
        if set(filled) & set("{}"):
            return (f"{self.template!a} has an unpaired brace",)
        is_tag = unknown or Tag.is_valid(filled)
        return tuple(f"{{{name}}} is not known" for name in unknown) if is_tag else (f"{filled!a} is not a tag",)

    def of(self, version: Version) -> Tag | None:
        """What a version's alias is called; None for a pre-release, and where a part is asked for that it lacks."""
        values = {name: str(number) for name, number in zip(_NUMBERS, version.numbers, strict=False)}
        values |= {"suffix": version.suffix} if version.suffix else {}
        asked = re.findall(r"\{([a-z]+)\}", self.template)
        if version.prerelease or any(name not in values for name in asked):
            return None
        return Tag(re.sub(r"\{([a-z]+)\}", lambda match: values[match[1]], self.template))


def carriers(aliases: Sequence[Alias], versions: Mapping[Tag, Version]) -> Mapping[Tag, tuple[Tag, ...]]:
    """Of each alias the tags that may carry it, the highest version first: plain ones, where there are some."""
    found: dict[Tag, dict[Tag, None]] = {}
    for tag in sorted(versions, key=lambda one: (versions[one].order, one), reverse=True):
        for name in (alias.of(versions[tag]) for alias in aliases):
            if name is not None:
                found.setdefault(name, {})[tag] = None
    return {name: _plain_ones(tags, versions) for name, tags in sorted(found.items())}


def check_one_variant(tags: Iterable[Tag], versions: Mapping[Tag, Version]) -> None:
    """Raise InvalidReference for versions of which none is the highest: 8.0-alpine and 8.0-slim are no order."""
    kinds = {_DIGITS.sub("", versions[tag].variant): tag for tag in tags}
    if len(kinds) > 1:
        first, second = sorted(kinds.values())[:2]
        message = f"{first} and {second} are variants, and none is the higher version"
        raise InvalidReference(message, hint="add {suffix} to the alias, or let `versions` take one suffix")


def _plain_ones(tags: Iterable[Tag], versions: Mapping[Tag, Version]) -> tuple[Tag, ...]:
    plain = tuple(tag for tag in tags if not versions[tag].variant)
    return plain or tuple(tags)
