"""The `sync` part of a spec, turned into rules: defaults merged, names resolved, each value with where it came from.

Values that the schema refused are passed over: it has said so already. Nothing here reads files.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from imagesync.errors import InvalidReference, Place, Problem
from imagesync.lazy import dataclass, replace
from imagesync.reference import HUB, LAYOUT_SCHEMES, Digest, Repository, Tag, footguns
from imagesync.selection import Platforms, Retag, TagFilter
from imagesync.spec.document import List, Map, Node, Scalar
from imagesync.spec.entries import entries_of
from imagesync.spec.gates import GatesReader, adding_up
from imagesync.spec.globs import GlobName, RepositoryGlob, glob_alone, glob_below, is_glob
from imagesync.spec.interpolate import Interpolator
from imagesync.spec.model import (
    ALL_ATTACHMENTS,
    NO_ATTACHMENTS,
    AttachmentType,
    OnEmpty,
    Rule,
    SpecWarning,
)
from imagesync.spec.moving import MovingReader, on_drift
from imagesync.spec.names import (
    ImageName,
    SourceName,
    check_destination,
    destination_repository,
    expand_alternatives,
    image_alone,
    image_below,
    layout_name,
    parse_source,
    renamed_path,
    split_layout,
    with_placeholder,
)
from imagesync.spec.nearness import near_words
from imagesync.spec.platforms import PlatformsReader
from imagesync.spec.problems import Problems
from imagesync.spec.pruning import PruneReader
from imagesync.spec.tags import TagsReader, scalars

T = TypeVar("T")
Nodes = Mapping[str, Node]
_CONTENT_KEYS = ("attachments", "platforms", "require_platforms")
_NAME_KEYS = ("tags", "retag", "aliases")
_TAG_KEYS = (*_NAME_KEYS, "on_empty", "immutable", "keep_previous", "on_drift", *_CONTENT_KEYS, "prune", "gates")
_ENTRY_KEYS = ("source", "destination", *_TAG_KEYS)
_IMAGE_KEYS = ("as", "as_tag", *_TAG_KEYS)


@dataclass(frozen=True, slots=True)
class Origin:
    """A rule, and the nodes that its values came from, by key; what was not written is missing."""

    rule: Rule
    nodes: Nodes


@dataclass(frozen=True, slots=True)
class _Text:
    """An expanded value and where it stands."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class _Entry:
    """What an entry says for all of its images: what it is called, from where, to where, and its other keys."""

    label: str
    source: SourceName | None
    where: tuple[_Text, ...]
    nodes: Nodes


class RulesReader:
    """Reads the sync entries of one file. `folder` is that file's, `directory` the first file's.

    `is_single` says of `oci:DIRECTORY`, counted from `directory`, whether that is itself a layout.
    """

    def __init__(
        self,
        interpolator: Interpolator,
        problems: list[Problem],
        warnings: list[SpecWarning],
        *,
        folder: Path,
        directory: Path,
        is_single: Callable[[str], bool],
        gates: GatesReader,
    ) -> None:
        self._interpolator = interpolator
        self._problems = Problems(problems)
        self._warnings = warnings
        self._folder = folder
        self._directory = directory
        self._is_single = is_single
        self._gates_reader = gates
        self._tags_reader = TagsReader(interpolator, problems)
        self._moving_reader = MovingReader(interpolator, problems)
        self._platforms_reader = PlatformsReader(interpolator, problems)
        self._prune_reader = PruneReader(interpolator, self._problems)

    def read(self, root: Node, defaults: Nodes, destinations: Nodes, *, first: int = 0) -> Iterator[Origin]:
        """Every rule of a file's `sync`; `first` is the number of its first entry, for entries without a name."""
        self._check(defaults)
        for number, entry in enumerate(entries_of(root), start=first):
            if isinstance(entry, Map):
                yield from self._entry(entry, number, defaults, destinations)

    def _entry(self, entry: Map, number: int, defaults: Nodes, destinations: Nodes) -> Iterator[Origin]:
        own = {key: entry.values[key] for key in _ENTRY_KEYS if key in entry.values}
        nodes = adding_up(defaults, own)
        self._check(own)
        name = entry.get("name")
        label = name.text if isinstance(name, Scalar) else f"sync[{number}]"
        source = self._source(nodes.get("source"))
        said = _Entry(label, source, self._destinations(nodes.get("destination"), destinations, entry), nodes)
        images = entry.get("images")
        for image in images.items if isinstance(images, List) else ():
            yield from self._image(image, said)

    def _source(self, node: Node | None) -> SourceName | None:
        if not isinstance(node, Scalar):
            return None
        text = self._interpolator.text(node)
        source = self._problems.parsed(lambda: parse_source(text), node.place) if text else None
        if source is None or not source.is_layout:
            return source
        return SourceName(self._relative(text))

    def _destinations(self, node: Node | None, named: Nodes, entry: Map) -> tuple[_Text, ...]:
        """The templates, names of destinations looked up."""
        if node is None and near_words("destination", entry.values):
            return ()  # it is there under a misspelt name: that has been said
        if node is None:
            hint = "add `destination:` to it, or to `defaults`"
            self._problems.say(entry.place, "this entry has no destination", hint)
            return ()
        found: list[_Text] = []
        for one in map(self._text, scalars(node)):
            if one.text in named and _is_name(one.text):
                found += [self._text(inner) for inner in scalars(named[one.text])]
            elif one.text and _is_name(one.text):
                self._problems.say(one.place, f"no destination is called {one.text!r}", _near_name(one.text, named))
            else:
                found.append(one)
        return tuple(one for one in found if self._is_right(one))

    def _is_right(self, destination: _Text) -> bool:
        if not destination.text:
            return False

        def check() -> bool:
            check_destination(destination.text)
            return True

        return self._problems.parsed(check, destination.place) is not None

    def _image(self, node: Node, entry: _Entry) -> Iterator[Origin]:
        name_node = node.get("name") if isinstance(node, Map) else node
        if not isinstance(name_node, Scalar):
            return
        text = self._interpolator.text(name_node)
        own = {key: node.values[key] for key in _IMAGE_KEYS if key in node.values} if isinstance(node, Map) else {}
        alternatives = self._problems.parsed(lambda: expand_alternatives(text), name_node.place) if text else None
        self._check(own)
        for name in alternatives or ():
            found = self._problems.parsed(partial(_named, name, entry.source, isinstance(node, Map)), name_node.place)
            if found is not None:
                self._warn(name, entry.source, name_node.place)
                yield from self._rule(_Image.of(found, name_node, own), entry, adding_up(entry.nodes, own))

    def _warn(self, text: str, source: SourceName | None, place: Place) -> None:
        is_bare = source is None or str(source) == HUB
        for message in footguns(text if is_bare else f"{source}/{text}"):
            self._warnings.append(SpecWarning(place, message))

    def _rule(self, image: _Image, entry: _Entry, nodes: Nodes) -> Iterator[Origin]:
        found = image.found
        tags, digest = self._tags(image, nodes)
        retag = Retag() if "as_tag" in image.own else self._tags_reader.retag(nodes.get("retag"))
        renamed = self._renamed(image)
        if tags is None or retag is None or (renamed is None and "as" in image.own):
            return
        repositories = [self._destination(one, found, renamed) for one in entry.where]
        if None in repositories:
            return
        rule = Rule(
            entry=entry.label,
            image=found.written,
            place=image.node.place,
            source=found.repository,
            destinations=tuple(dict.fromkeys(repository for repository in repositories if repository is not None)),
            tags=tags,
            digest=digest,
            named_tag=found.name.tag if digest is not None else None,
            retag=retag,
            on_empty=_on_empty(nodes.get("on_empty")),
            immutable=self._moving_reader.immutable(nodes.get("immutable")),
            keep_previous=self._moving_reader.keep_previous(nodes.get("keep_previous")),
            attachments=read_attachments(nodes.get("attachments")),
            aliases=self._tags_reader.aliases(nodes.get("aliases")),
            allow_backwards=_allows_backwards(nodes.get("aliases")),
            platforms=self._platforms(nodes),
            on_drift=on_drift(nodes.get("on_drift")),
            prune=self._prune_reader.read(nodes.get("prune")),
            gates=self._gates_reader.gates(nodes.get("gates")),
        )
        if image.glob is not None:
            rule = self._glob_rule(rule, image.glob, image.own.get("as"), entry.where)
        from_name = {"tags": image.node} if found.name.tag is not None else {}
        yield Origin(rule, {**nodes, **from_name, "name": image.node})

    def _glob_rule(self, rule: Rule, glob: RepositoryGlob, renamed: Node | None, where: tuple[_Text, ...]) -> Rule:
        """The rule of what a glob finds: it keeps the templates, which have to tell those apart."""
        as_text = self._text(renamed) if isinstance(renamed, Scalar) else None
        told = [(one.place, "destination", with_placeholder(one.text)) for one in where]
        for place, key, template in (*told, *([(as_text.place, "as", as_text.text)] if as_text else [])):
            if "{name}" not in template and "{path}" not in template:
                message = f"{key} {template!r} is one repository, and {glob.pattern} stands for several"
                self._problems.say(place, message, "add {name} or {path}")
        targets = tuple(dict.fromkeys(map(self._target, where)))
        own = replace(glob, targets=targets, renamed=as_text.text if as_text else None)
        return replace(rule, image=glob.pattern, source=glob.source, destinations=(), glob=own)

    def _target(self, template: _Text) -> str:
        """A destination template, a layout's place counted from the first file's folder."""
        text = with_placeholder(template.text)
        if not text.startswith("oci:"):
            return text
        directory, path = split_layout(text)
        registry = self._relative(directory)
        if self._is_single(registry):
            message = f"{registry} is itself a layout, which holds one repository"
            self._problems.say(template.place, message, "name another folder: it becomes a tree of layouts")
        return f"{registry}/{path}"

    def _renamed(self, image: _Image) -> str | None:
        node = image.own.get("as")
        text = self._interpolator.text(node) if isinstance(node, Scalar) else ""
        if node is None or not text:
            return None
        return self._problems.parsed(lambda: renamed_path(text, image.found), node.place)

    def _destination(self, template: _Text, image: ImageName, renamed: str | None) -> Repository | None:
        found = self._problems.parsed(lambda: destination_repository(template.text, image, renamed), template.place)
        if found is None or not found.is_layout:
            return found
        registry = self._relative(found.registry)
        return Repository(registry, layout_name(registry) if self._is_single(registry) else found.path)

    def _tags(self, image: _Image, nodes: Nodes) -> tuple[TagFilter | None, Digest | None]:
        """The tags of one image: its own, else those of the entry or the defaults, else latest."""
        name, own = image.found.name, image.own
        as_tag = own.get("as_tag")
        self._check_own_tags(image)
        if name.digest is not None:
            return self._tag_of_digest(image, as_tag), name.digest
        if name.tag is not None:
            return TagFilter.parse([name.tag]), None
        return (self._tags_reader.tags(nodes["tags"]) if "tags" in nodes else TagFilter.parse(["latest"])), None

    def _check_own_tags(self, image: _Image) -> None:
        """What an image says of its tags may not be said twice, and nothing of it may go unused."""
        name, own = image.found.name, image.own
        if "as_tag" in own and (name.digest is None or name.tag is not None):
            message = "`as_tag` is for an image that is named by digest alone"
            self._problems.say(own["as_tag"].place, message, "use `retag` to rename a tag")
        if "as_tag" in own and "retag" in own:
            self._problems.say(own["retag"].place, "`as_tag` says what the tag is called already", "leave `retag` out")
        if "tags" in own and name.tag is not None:
            self._problems.say(
                own["tags"].place, f"{image.node.text!r} has a tag already", "give the tags in one place"
            )
        elif "tags" in own and name.digest is not None:
            message = "an image by digest is one content: there are no tags to select from"
            self._problems.say(own["tags"].place, message, "`as_tag` says what it is called at the destination")

    def _check(self, nodes: Nodes) -> None:
        """Say what is wrong with these values whether an image comes to use them or not."""
        self._source(nodes.get("source"))
        self._tags_reader.retag(nodes.get("retag"))
        self._moving_reader.immutable(nodes.get("immutable"))
        self._moving_reader.keep_previous(nodes.get("keep_previous"))
        self._tags_reader.aliases(nodes.get("aliases"))
        self._platforms(nodes)
        self._prune_reader.read(nodes.get("prune"))
        self._gates_reader.gates(nodes.get("gates"))
        if "tags" in nodes:
            self._tags_reader.tags(nodes["tags"])

    def _tag_of_digest(self, image: _Image, as_tag: Node | None) -> TagFilter | None:
        if isinstance(as_tag, Scalar):
            text = self._text(as_tag)
            tag = self._problems.parsed(lambda: Tag(text.text), text.place)
            return TagFilter.parse([tag]) if tag is not None else None
        if image.found.name.tag is not None:
            return TagFilter.parse([image.found.name.tag])
        hint = "add `as_tag: TAG`: content without a tag would be garbage there"
        self._problems.say(image.node.place, "an image by digest alone has no tag at the destination", hint)
        return None

    def _platforms(self, nodes: Nodes) -> Platforms:
        return self._platforms_reader.platforms(nodes.get("platforms"), nodes.get("require_platforms"))

    def _relative(self, text: str) -> str:
        """A layout's place, counted from the first file's folder; absolute ones stay."""
        scheme = next(scheme for scheme in LAYOUT_SCHEMES if text.startswith(scheme))
        path = text.removeprefix(scheme)
        if posixpath.isabs(path):
            return scheme + posixpath.normpath(path)
        try:
            below = (self._folder / path).relative_to(self._directory)
        except ValueError:
            below = Path(posixpath.relpath(self._folder / path, self._directory))
        return scheme + posixpath.normpath(below.as_posix())

    def _text(self, scalar: Scalar) -> _Text:
        return _Text(self._interpolator.text(scalar), scalar.place)


@dataclass(frozen=True, slots=True)
class _Image:
    """One image of an entry: what its name is, where it stands, and its own keys; `found` is an example with a glob."""

    found: ImageName
    node: Scalar
    own: Nodes
    glob: RepositoryGlob | None = None

    @classmethod
    def of(cls, name: ImageName | GlobName, node: Scalar, own: Nodes) -> _Image:
        return cls(name.example, node, own, name.glob) if isinstance(name, GlobName) else cls(name, node, own)


def named_problems(node: Node, interpolator: Interpolator) -> list[Problem]:
    """What is wrong with a destination under `destinations`, whether it is used or not."""
    problems: list[Problem] = []
    for scalar in scalars(node):
        text = interpolator.text(scalar)
        try:
            if text:
                check_destination(text)
        except InvalidReference as error:
            problems.append(Problem(scalar.place, error.message, error.hint))
    return problems


def _named(text: str, source: SourceName | None, is_literal: bool) -> ImageName | GlobName:
    if is_glob(text):
        return glob_alone(text) if source is None else glob_below(source, text, is_literal=is_literal)
    return image_alone(text) if source is None else image_below(source, text, is_literal=is_literal)


def _near_name(text: str, named: Nodes) -> str:
    near = near_words(text, named)
    if near:
        return f"did you mean {near[0]}?"
    return f"`destinations` has: {', '.join(named)}" if named else f"a host has a dot or a port: {text}:5000"


def _is_name(text: str) -> bool:
    """A destination with no dot, colon or slash, other than localhost, is a name."""
    return text != "localhost" and not set(text) & set(".:/{")


def _on_empty(node: Node | None) -> OnEmpty:
    return OnEmpty.WARN if isinstance(node, Scalar) and node.text == "warn" else OnEmpty.FAIL


def _allows_backwards(node: Node | None) -> bool:
    said = node.get("allow_backwards") if isinstance(node, Map) else None
    return isinstance(said, Scalar) and said.value is True


def read_attachments(node: Node | None) -> frozenset[AttachmentType]:
    """Which types travel with an image; all of them, where nothing is said."""
    if isinstance(node, Map):
        known, types = {kind.value: kind for kind in AttachmentType}, node.get("types")
        return frozenset(known[one.text] for one in (scalars(types) if types else ()) if one.text in known)
    return NO_ATTACHMENTS if isinstance(node, Scalar) and node.text == "none" else ALL_ATTACHMENTS
