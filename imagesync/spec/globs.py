"""Globs over repositories: what one matches, and where each repository that it finds goes. Pure.

`*` stays inside a component of a path. `**` stands for any number of them, none too, but for one at least at the end.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from functools import lru_cache

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass
from imagesync.reference import HUB, LAYOUT_SCHEMES, Name, Repository, Tag, make_repository, normalise_host, parse_name
from imagesync.spec.names import ImageName, SourceName, check_relative, destination_repository, is_host, split_alone

_PLACEHOLDER = re.compile(r"\{(name|path|host)\}")
_NO_COMPONENT = re.compile(r"[^/]\*\*|\*\*[^/]|\*{3}")


@dataclass(frozen=True, slots=True)
class Share:
    """The `part`-th of `whole` shares of all repositories, as `--shard` gives it."""

    part: int = 1
    whole: int = 1

    def holds(self, repository: Repository) -> bool:
        """Whether a source belongs to it: one repository is in one share, whatever rule names it."""
        digest = hashlib.sha256(str(repository).encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.whole == self.part - 1


WHOLE = Share()


@dataclass(frozen=True, slots=True)
class RepositoryGlob:
    """Which repositories of a registry an image's name stands for. `base` stands before `pattern` in their paths."""

    registry: str
    base: str
    pattern: str
    targets: tuple[str, ...] = ()
    """Destination templates, each with a placeholder that tells what is found apart."""
    renamed: str | None = None
    """The image's `as`."""
    share: Share = WHOLE
    left_out: frozenset[Repository] = frozenset()
    """What it does not find: where the state is and journals of promotions, which hold no image, and grow with runs."""

    def __str__(self) -> str:
        return str(self.source)

    @property
    def source(self) -> Repository:
        """The glob in a repository's place, to be shown: there is none of this name."""
        return Repository(self.registry, posixpath.join(self.base, self.pattern))

    @property
    def prefix(self) -> str:
        """The components that every path begins with: a registry is asked for what is below them."""
        parts = self.source.path.split("/")
        return "/".join(parts[: next(number for number, part in enumerate(parts) if "*" in part)])

    def matches(self, path: str) -> bool:
        is_left_out = any((one.registry, one.path) == (self.registry, path) for one in self.left_out)
        return not is_left_out and _compiled(self.source.path).fullmatch(path) is not None

    def image(self, path: str) -> ImageName:
        """The image that a repository is. Raises InvalidReference where it can be none."""
        written = path.removeprefix(f"{self.base}/") if self.base else path
        return ImageName(make_repository(self.registry, path), written, Name(written))

    def may_write(self, repository: Repository) -> bool:
        """Whether anything that it could find would go there."""
        return any(self._shape(target).fullmatch(str(repository)) for target in self.targets)

    def destinations(self, image: ImageName) -> tuple[Repository, ...]:
        """Where an image goes, each once. Raises InvalidReference where a name cannot be made."""
        found = (destination_repository(target, image, self.renamed) for target in self.targets)
        return tuple(dict.fromkeys(found))

    def _shape(self, target: str) -> re.Pattern[str]:
        """What the repositories of a destination template look like."""
        host, slash, path = target.partition("/")
        registry = host if host.startswith(LAYOUT_SCHEMES) else normalise_host(host)
        below = re.sub(r"\{(?:name|path)\}", lambda match: self.renamed or match[0], path)
        values = {"name": _expression(self.pattern), "path": _expression(self.source.path), "host": "[^/]+"}
        parts = _PLACEHOLDER.split(f"{registry}{slash}{below}")
        return re.compile("".join(values[part] if number % 2 else re.escape(part) for number, part in enumerate(parts)))


@dataclass(frozen=True, slots=True)
class GlobName:
    """A name with a glob as a spec has it: with the tag where one was given, and an `example` of what it may find."""

    glob: RepositoryGlob
    tag: Tag | None
    example: ImageName


def is_glob(text: str) -> bool:
    """Whether an image's name stands for repositories that a registry has to list."""
    return "*" in text


def glob_below(source: SourceName, text: str, *, is_literal: bool) -> GlobName:
    """A glob relative to a source, as image_below reads a name."""
    if not is_literal:
        check_relative(source, text)
    return _named(source.registry, source.prefix, text)


def glob_alone(text: str) -> GlobName:
    """A full reference with a glob, in an entry without `source`."""
    first, slash, _ = text.partition("/")
    if slash and is_glob(first) and is_host(first):
        raise InvalidReference(f"{text!r} has a glob for its host", hint="name the registry")
    host, path = split_alone(text)
    return _named(host, "", path)


def _named(registry: str, base: str, text: str) -> GlobName:
    if "@" in text:
        raise InvalidReference(f"{text!r} has a digest, which is that of one image", hint="name the repository")
    pattern, _, tag = text.partition(":")
    if is_glob(tag):
        raise InvalidReference(f"{text!r} has a pattern for its tag", hint=f'patterns stand under `tags: ["{tag}"]`')
    if _NO_COMPONENT.search(pattern):
        raise InvalidReference(f"{text!r}: ** stands for whole components", hint="write a/** or a/**/b")
    name = _example(text)
    if registry == HUB and not base and "/" not in pattern and "**" not in pattern:
        base = "library"
    glob = RepositoryGlob(registry, base, pattern)
    repository = make_repository(registry, posixpath.join(base, name.path))
    return GlobName(glob, name.tag, ImageName(repository, name.path, name))


def _example(text: str) -> Name:
    """A name that the glob matches; there is none where its fixed letters break the grammar."""
    try:
        return parse_name(text.replace("**", "x").replace("*", "x"))
    except InvalidReference as error:
        hint = "components of a-z and 0-9, joined by '.', '_', '__' or dashes, separated by '/'"
        raise InvalidReference(f"{text!r} matches no repository name", hint=hint) from error


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_expression(pattern), re.ASCII)


def _expression(pattern: str) -> str:
    """Each part after a star is taken where it first fits, and kept: with one kind of star that is enough, and a name
    of whatever length costs no more than its letters times the pattern's."""
    first, *others = _between_crossings(pattern)
    regex = first
    for number, part in enumerate(others, start=1):
        is_last = number == len(others)
        above = r"(?:[^/]+/)*" if is_last else r"(?:[^/]+/)*?"
        regex += f"{above}{part or '[^/]+'}" if is_last else f"(?>{above}{part})"
    return regex


def _between_crossings(pattern: str) -> list[str]:
    """The expressions of what stands between `**`; all but the last end with a slash, or are empty."""
    parts: list[list[str]] = [[]]
    for component in pattern.split("/"):
        if component != "**":
            parts[-1].append(_component(component))
        elif parts[-1] or len(parts) == 1:
            parts.append([])
    *above, last = parts
    return [*("".join(f"{component}/" for component in part) for part in above), "/".join(last)]


def _component(text: str) -> str:
    first, *others = map(re.escape, text.split("*"))
    if not others:
        return first
    *middle, last = others
    return first + "".join(f"(?>[^/]*?{part})" for part in middle if part) + f"[^/]*{last}"
