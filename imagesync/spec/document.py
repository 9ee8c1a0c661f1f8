"""A YAML file as a tree of nodes in which every scalar keeps its text and its place. No schema, no meaning.

What YAML 1.1 would make of an unquoted scalar (`1.10`, `on`, `22:30`) is kept beside the text, so that whoever
wants a string can tell the writer to quote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml

from imagesync.errors import Place, Problem
from imagesync.lazy import dataclass
from imagesync.spec.unreadable import MAX_DEPTH, TooDeep, place_of, quoted, unreadable

MAX_BYTES = 1024 * 1024
MAX_NODES = 100_000
"""Nodes after anchors are expanded: a few lines of nested aliases can stand for billions."""
_MERGE = "tag:yaml.org,2002:merge"
_STRING = "tag:yaml.org,2002:str"
_KINDS = {"bool", "float", "int", "map", "merge", "null", "seq", "str", "timestamp", "value"}
"""What YAML makes of a node that says nothing of it. Other tags can only be written out: `!x`, `!!binary`."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Misread:
    """An unquoted scalar that YAML reads as something else than its text and than a plain number or truth value."""

    text: str
    value: object

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, and what it is as data: the text itself, an int, a bool, None, or a Misread."""

    place: Place
    text: str
    value: str | int | bool | Misread | None


@dataclass(frozen=True, slots=True)
class List:
    """A YAML sequence."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """A YAML mapping, merge keys applied; `keys` are the scalars that the values stand under."""

    place: Place
    values: dict[str, Node]
    keys: dict[str, Scalar]

    def get(self, key: str) -> Node | None:
        return self.values.get(key)


Node = Scalar | List | Map


def parse_document(text: str, file: str, problems: list[Problem], *, max_bytes: int = MAX_BYTES) -> Node | None:
    """Read one YAML document; what is wrong with it is added to `problems`. None where nothing can be read."""
    if len(text.encode("utf-8", "surrogatepass")) > max_bytes:
        problems.append(Problem(Place(file), f"over {max_bytes} bytes", "split it with `include`"))
        return None
    try:
        _check_depth(text)
        roots = list(yaml.compose_all(text, Loader=_LOADER))
    except (yaml.YAMLError, ValueError) as error:
        problems.append(unreadable(error, text, file))
        return None
    if len(roots) != 1 or roots[0] is None:
        problems.append(_not_one(roots, file))
        return None
    return _Converter(file, problems).convert(roots[0])


def to_data(node: Node) -> object:
    """The node as plain data, for a schema validator."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, List):
        return [to_data(item) for item in node.items]
    return {key: to_data(value) for key, value in node.values.items()}


def find(node: Node, path: Iterator[str | int]) -> Node:
    """The node at a path of keys and positions."""
    for step in path:
        if isinstance(node, Map):
            node = node.values[str(step)]
        elif isinstance(node, List):
            node = node.items[int(step)]
    return node


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise TooDeep(event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _TooMany(Exception):
    """The document has too many nodes, or one that holds itself."""


class _Converter:
    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._count = 0
        self._open: set[int] = set()

    def convert(self, root: yaml.Node) -> Node | None:
        try:
            return self._node(root)
        except _TooMany:
            message = f"anchors unfold to over {MAX_NODES} values, or to themselves"
            self._problems.append(Problem(Place(self._file), message, "write it out, or split it with `include`"))
            return None

    def _node(self, node: yaml.Node) -> Node:
        self._count += 1
        if self._count > MAX_NODES or id(node) in self._open:
            raise _TooMany
        self._check_tag(node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._map(node)
            return List(self._place(node), tuple(self._node(item) for item in node.value))
        finally:
            self._open.discard(id(node))

    def _check_tag(self, node: yaml.Node) -> None:
        if not _is_known(node.tag):
            self._problems.append(_tagged(node.tag, self._place(node)))

    def _scalar(self, node: yaml.ScalarNode) -> Scalar:
        place, text = self._place(node), str(node.value)
        if not _is_known(node.tag):
            text = text or node.tag  # it has been refused: that it is empty besides is no second mistake
            return Scalar(place, text, text)
        if node.style in ("'", '"', "|", ">") or node.tag == _STRING:
            return Scalar(place, text, text)
        return Scalar(place, text, _plain(text, node.tag.rpartition(":")[2]))

    def _map(self, node: yaml.MappingNode) -> Map:
        own: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        merged: list[Map] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged += self._merged(value_node)
                continue
            key = self._key(key_node)
            if key is None:
                continue
            if key.text in keys:
                first = keys[key.text].place
                message = f"key {key.text!r} stands twice, first in line {first.line}"
                self._problems.append(Problem(key.place, message, "YAML would silently take the last one: keep one"))
            keys[key.text], own[key.text] = key, self._node(value_node)
        for other in merged:
            for name, value in other.values.items():
                if name not in own:
                    own[name], keys[name] = value, other.keys[name]
        return Map(self._place(node), own, keys)

    def _merged(self, node: yaml.Node) -> list[Map]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found = [self._node(one) for one in nodes]
        maps = [one for one in found if isinstance(one, Map)]
        if len(maps) != len(found):
            self._problems.append(Problem(self._place(node), "`<<` takes a map, or a list of maps"))
        return maps

    def _key(self, node: yaml.Node) -> Scalar | None:
        if not isinstance(node, yaml.ScalarNode):
            hint = "quote it if it is text that begins with a bracket or a brace"
            self._problems.append(Problem(self._place(node), "a key must be text, not a list or a map", hint))
            return None
        key = self._scalar(node)
        if not isinstance(key.value, str):
            shown = _shown(key.value)
            self._problems.append(
                Problem(key.place, f"YAML reads the key {key.text} as {shown}", f'quote it: "{key.text}"')
            )
        return key

    def _place(self, node: yaml.Node) -> Place:
        return place_of(node.start_mark, self._file)


def _is_known(tag: str) -> bool:
    return tag.startswith("tag:yaml.org,2002:") and tag.rpartition(":")[2] in _KINDS


def _tagged(tag: str, place: Place) -> Problem:
    """One of somebody's own is not repeated: it may be a password that begins with `!`."""
    standard = tag.startswith("tag:yaml.org,2002:")
    shown = ascii(tag.replace("tag:yaml.org,2002:", "!!"))[1:-1] if standard else "what begins with !"
    hint = f"leave it out, or quote it where it is text{f': {quoted(shown)}' if standard else ''}"
    return Problem(place, f"{shown} is a YAML tag, and none is used here", hint)


def misread(value: object, text: str) -> str | None:
    """What YAML makes of an unquoted scalar, in words; None where it stays the text that was written."""
    if isinstance(value, str):
        return None
    shown = _shown(value)
    return f"YAML reads {text} as {'a truth value' if text == shown else shown}"


def _plain(text: str, kind: str) -> str | int | bool | Misread | None:
    """The value of an unquoted scalar: what every YAML reader agrees on, else a Misread."""
    if kind == "null":
        return None
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "int" and (text == "0" or (text.lstrip("-").isdecimal() and not text.lstrip("-").startswith("0"))):
        return int(text) if len(text) < 20 else Misread(text, "a very large number")
    try:
        return Misread(text, yaml.safe_load(text))
    except (yaml.YAMLError, ValueError):
        return Misread(text, "a date" if kind == "timestamp" else "a sign of its own")


def _shown(value: object) -> str:
    if isinstance(value, Misread):
        return _shown(value.value)
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    return f"the date {value}" if hasattr(value, "year") else str(value)


def _not_one(roots: Sequence[yaml.Node | None], file: str) -> Problem:
    second = roots[1] if len(roots) > 1 else None
    if second is not None:
        return Problem(place_of(second.start_mark, file), "a second YAML document begins here", "drop the `---` above")
    return Problem(Place(file), "nothing is in it", "`imagesync init` writes a spec to start from")
