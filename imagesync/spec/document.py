"""A YAML file as a tree of nodes in which every scalar keeps its text and its place. No schema, no meaning.

What YAML 1.1 would make of an unquoted scalar (`1.10`, `on`, `22:30`) is kept beside the text, so that whoever
wants a string can tell the writer to quote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import yaml

from imagesync.errors import Place, Problem

MAX_BYTES = 1024 * 1024
MAX_NODES = 100_000
"""Nodes after anchors are expanded: a few lines of nested aliases can stand for billions."""
MAX_DEPTH = 64
"""Lists and maps in each other. libyaml's composer recurses in C: a file of brackets would end the process."""
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
        problems.append(_unreadable(error, text, file))
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


class _Mark(Protocol):
    """A place as YAML counts, from 0."""

    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


class _TooDeep(ValueError):
    """More lists and maps in each other than any spec has; `mark` is where the last one begins."""

    def __init__(self, mark: _Mark | None) -> None:
        super().__init__(f"over {MAX_DEPTH} lists and maps in each other")
        self.mark = mark


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _TooDeep(event.start_mark)
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
            shown = ascii(node.tag.replace("tag:yaml.org,2002:", "!!"))[1:-1]
            hint = f"leave it out, or quote it where it is text: {quoted(shown)}"
            self._problems.append(Problem(self._place(node), f"{shown} is a YAML tag, and none is used here", hint))

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
        return _place_of(node.start_mark, self._file)


def _is_known(tag: str) -> bool:
    return tag.startswith("tag:yaml.org,2002:") and tag.rpartition(":")[2] in _KINDS


def _place_of(mark: _Mark | None, file: str) -> Place:
    return Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)


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


def quoted(text: str) -> str:
    """The text in the quotes that change nothing in it, for a hint."""
    if not text.isprintable():
        return f'"{ascii(text)[1:-1]}"'
    return f"'{text}'" if set(text) & set('"\\') and "'" not in text else f'"{text}"'


def _not_one(roots: Sequence[yaml.Node | None], file: str) -> Problem:
    second = roots[1] if len(roots) > 1 else None
    if second is not None:
        return Problem(_place_of(second.start_mark, file), "a second YAML document begins here", "drop the `---` above")
    return Problem(Place(file), "nothing is in it", "`imagesync init` writes a spec to start from")


def _unreadable(error: Exception, text: str, file: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        # libyaml has a bound of its own, and meets it first where brackets follow one another without an end.
        is_too_deep = "nesting depth" in str(error.problem)
        error = _TooDeep(error.problem_mark) if is_too_deep else error
    if isinstance(error, yaml.MarkedYAMLError):
        return _yaml_problem(error, text, file)
    if isinstance(error, yaml.reader.ReaderError):
        return _unreadable_character(error, text, file)
    mark = error.mark if isinstance(error, _TooDeep) else None
    return Problem(_place_of(mark, file), ascii(str(error))[1:-1], "is a bracket left open?")


def _unreadable_character(error: yaml.reader.ReaderError, text: str, file: str) -> Problem:
    """A control character: YAML gives its code, and no place."""
    before = text[: max(0, text.find(chr(error.character)))]
    place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return Problem(place, f"not YAML: the character U+{error.character:04X} may not stand here", "remove it")


def _yaml_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """YAML's own error with the place, and what to do where the usual causes can be told."""
    mark = error.problem_mark or error.context_mark
    if _is_unclosed(error):
        mark = error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return Problem(Place(file), f"not YAML: {said}")
    return Problem(_place_of(mark, file), f"not YAML: {said}", _yaml_hint(error, mark, text.splitlines()))


def _is_unclosed(error: yaml.MarkedYAMLError) -> bool:
    """A quote that is never closed: where it is opened says more than where the file ends."""
    return "quoted scalar" in str(error.context) and "end of stream" in str(error.problem)


def _yaml_hint(error: yaml.MarkedYAMLError, mark: _Mark, lines: list[str]) -> str:
    """What to do about YAML's error: it may show up a line below its cause."""
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not with tabs"
    if "alias" in str(error.problem) or "alias" in str(error.context):
        return _alias_hint(line, error.context_mark or mark)
    if "escape" in str(error.problem):
        return r"in double quotes a backslash begins an escape: use single quotes, '/\d+/'"
    above = lines[mark.line - 1] if mark.line and not _is_unclosed(error) else ""
    for candidate in (line, above):
        if hint := _spacing_hint(candidate) or _range_hint(candidate) or _value_hint(candidate):
            return hint
    if _is_unclosed(error):
        return "close this quote"
    return "check the indentation, and quote what holds YAML's own signs"


def _alias_hint(line: str, mark: _Mark) -> str:
    word = re.match(r"[^\s,\]}]*", line[mark.column :])
    return f"quote it: {quoted(word[0] if word else '*')}, an unquoted * refers to an anchor"


def _spacing_hint(line: str) -> str | None:
    """`version:1` and `-source: x`: a space is missing."""
    bare = line.strip()
    if re.match(r"-[A-Za-z_]+:(\s|$)", bare):
        return f"put a space after the dash: - {bare[1:]}"
    match = re.fullmatch(r"([a-z_]+):([^\s/].*)", bare)
    return f"put a space after the colon: {match[1]}: {match[2]}" if match else None


def _range_hint(line: str) -> str | None:
    """`versions: >=7.2 <9`, in a map of its own or in braces."""
    match = re.search(r":\s+(>=?\s*v?\d[^,}\]#]*)", line)
    return f"quote it: {quoted(match[1].strip())}, a value may not begin with >" if match else None


def _value_hint(line: str) -> str | None:
    """What is wrong with the value of a line, by how it begins."""
    value = line.strip().removeprefix("- ").strip()
    value = value.partition(": ")[2].strip() or value
    if value[:1] in ("@", "%", "`", "!", "&", "|") or _is_template(value):
        return f"quote it: {quoted(value)}, a value may not begin with {value[:1]}"
    if value[:1] in ("[", "{") and _is_odd(value):
        return """quote each item that holds brackets or braces: ["/v[0-9]+/"]"""
    if ": " in value and not value.startswith(('"', "'")):
        return f"quote it: {quoted(value)}, a colon and a space begin a map"
    return None


def _is_template(value: str) -> bool:
    """`{tag}-mirror`, not `{a: [b]}`."""
    return value[:1] == "{" and _is_odd(value) and ": " not in value


def _is_odd(value: str) -> bool:
    """Whether a value in brackets or braces is not simply one list or map."""
    return value[-1] not in "]}" or bool(set(value[1:-1]) & set("[]{}"))
