"""The schema of a spec: our validator decides, and only when it rejects is jsonschema imported to explain.

Each of its errors becomes a Problem in our own words: where, what was found, what is allowed, what to do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagesync.errors import Problem
from imagesync.spec.document import List, Map, Node, Scalar, find, misread, to_data
from imagesync.spec.nearness import near_words
from imagesync.spec.unreadable import quoted
from imagesync.spec.validator import Validator

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_MAIN, _INCLUDED = "main", "included"
_NEAR = 0.65
"""How like a known key another must be to be taken for a slip: `tag` is like `tags`, `images` is not."""


def schema_text() -> str:
    """The JSON Schema (draft-07) of a spec file."""
    return Path(__file__).with_name("schema.json").read_text("utf-8")


def check_schema(root: Node, problems: list[Problem], *, included: bool = False) -> None:
    """Add a Problem for everything in a file that the schema does not allow. An included file has `sync` and
    `promotions` only."""
    kind = _INCLUDED if included else _MAIN
    data = to_data(root)
    if Validator(_schema(kind)).accepts(data):
        return
    for error in _errors(kind, data):
        problems.extend(_explain(error, root))


@cache
def _schema(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_text())
    if kind == _INCLUDED:
        schema["properties"] = {key: schema["properties"][key] for key in ("version", "sync", "promotions")}
        del schema["required"]
        schema["anyOf"] = [{"required": ["sync"]}, {"required": ["promotions"]}]
    return schema


def _errors(kind: str, data: object) -> Iterable[ValidationError]:
    from jsonschema import Draft7Validator  # noqa: PLC0415 - costs 180 ms, and most specs have no mistake

    found: Iterable[ValidationError] = Draft7Validator(_schema(kind)).iter_errors(data)
    return found


def _explain(error: ValidationError, root: Node) -> Iterator[Problem]:
    node, schema = find(root, iter(error.absolute_path)), _schema_of(error)
    if error.validator == "anyOf" and node is root:
        yield from _missing_keys(node, ["sync"], schema["properties"])
    elif error.validator == "anyOf":
        yield from _explain_alternatives(error, root, node)
    elif error.validator == "additionalProperties" and isinstance(node, Map):
        yield from _unknown_keys(node, schema.get("properties", {}))
    elif error.validator == "required":
        yield from _missing_keys(node, schema["required"], schema.get("properties", {}))
    elif error.validator == "dependencies":
        yield Problem(node.place, "`certificate` and `key` go together", "give both, or neither")
    elif error.validator == "propertyNames" or "propertyNames" in error.absolute_schema_path:
        yield _bad_name(node, error)
    else:
        above = find(root, iter(list(error.absolute_path)[:-1]))
        yield _wrong_value(above if _in_braces(above) else node, schema)


def _schema_of(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _explain_alternatives(error: ValidationError, root: Node, node: Node) -> Iterator[Problem]:
    """Of several forms, explain the one that was meant: the one of the same type, else say which there are."""
    branches = _schema_of(error)["anyOf"]
    inner = [[one for one in error.context or () if one.schema_path[0] == number] for number in range(len(branches))]
    meant = [number for number, branch in enumerate(branches) if branch.get("type") == _type_of(node)]
    if isinstance(node, Map) and len(meant) > 1:
        meant = _nearest(node, branches, meant)
    if meant:
        for one in inner[meant[0]]:
            yield from _explain(one, root)
        return
    yield _wrong_value(node, _schema_of(error))


def _nearest(node: Map, branches: Sequence[Mapping[str, Any]], meant: Iterable[int]) -> list[int]:
    """Of several maps, the one that has most of the keys that were written; none where it has no key at all."""
    shared = {number: len(set(branches[number].get("properties", {})) & set(node.values)) for number in meant}
    most = max(shared.values())
    return [number for number, count in shared.items() if count == most > 0][-1:]


def _unknown_keys(node: Map, allowed: Iterable[str]) -> Iterator[Problem]:
    names = list(allowed)
    for name, key in node.keys.items():
        if name not in names:
            near = near_words(name, names, cutoff=_NEAR)
            hint = f"did you mean {near[0]}?" if near else f"allowed here: {', '.join(names)}"
            value = node.values[name]
            if not near and "as_tag" in names and "name" not in node.values and isinstance(value, Scalar):
                hint = _image_hint(name, value.text)
            yield Problem(key.place, f"unknown key {name!r}", hint)


def _image_hint(name: str, tag: str) -> str:
    """`- nginx: latest` and `- nginx:` are maps for YAML."""
    if not tag:
        return f"an image without a tag has no colon: {quoted(name)}"
    return f"an image and its tag are written without a space: {quoted(f'{name}:{tag}')}"


def _missing_keys(node: Node, required: Iterable[str], allowed: Iterable[str]) -> Iterator[Problem]:
    """A key that is there under a misspelt name is not missing as well: that is said of the unknown key."""
    if not isinstance(node, Map):
        return
    unknown = [name for name in node.values if name not in allowed]
    for name in required:
        if name in node.values or near_words(name, unknown, cutoff=_NEAR):
            continue
        if name == "name" and unknown:
            continue
        hint = "the first line of a spec is `version: 1`" if name == "version" else f"add `{name}:`"
        yield Problem(node.place, f"key {name!r} is missing", hint)


def _bad_name(node: Node, error: ValidationError) -> Problem:
    name = str(error.instance)
    place = node.keys[name].place if isinstance(node, Map) and name in node.keys else node.place
    return Problem(place, f"{name!a} is not a name", "letters, digits, '_' and '-', without dots or slashes")


def _wrong_value(node: Node, schema: Mapping[str, Any]) -> Problem:
    """Found this, where that belongs. Quotes are the advice only where the quoted text would be right."""
    branches = schema.get("anyOf", [schema])
    allowed = " or ".join(dict.fromkeys(branch["title"] for branch in branches if "title" in branch))
    allowed = allowed or "a map with `version` and `sync`"
    if _in_braces(node) and isinstance(node, Map):
        name = next(iter(node.values))
        return Problem(
            node.place, f"YAML reads {{{name}}} as a map, where {allowed} belongs", f'quote it: "{{{name}}}"'
        )
    if all(branch.get("type") == "array" for branch in branches) and not isinstance(node, List):
        hint = "a list has a dash before each item"
        return Problem(node.place, f"found {_found(node)}, where {allowed} belongs", hint)
    if not isinstance(node, Scalar) or node.value is None:
        return Problem(node.place, f"found {_found(node)}, where {allowed} belongs")
    if schema.get("writeOnly"):
        return _wrong_login(node, branches, allowed)
    if any(_takes_text(branch, node.text) for branch in branches):
        said = misread(node.value, node.text) or f"found {_found(node)}"
        return Problem(node.place, f"{said}, where {allowed} belongs", f"quote it: {quoted(node.text)}")
    return Problem(node.place, f"found {_found(node)}, where {allowed} belongs", _near_value(node, branches))


def _wrong_login(node: Scalar, branches: Iterable[Mapping[str, Any]], allowed: str) -> Problem:
    """What stands where a login does may be a password: only a slip of a known word is repeated."""
    near = _near_word(node, branches) or _near_key(node, branches)
    if near is not None:
        return Problem(node.place, f"found {_found(node)}, where {allowed} belongs", near)
    if not isinstance(node.value, str):
        return Problem(node.place, f"found what YAML takes for no text, where {allowed} belongs", "quote it")
    hint = "a password stands under `password:`, beside `username:`, as `${secret:NAME}`"
    return Problem(node.place, f"found a text, where {allowed} belongs", hint)


def _takes_text(branch: Mapping[str, Any], text: str) -> bool:
    """Whether the schema takes this text as a string: then all that is wrong is that it has no quotes."""
    if "enum" in branch:
        return text in branch["enum"]
    return branch.get("type") == "string" and bool(text) and re.search(branch.get("pattern", ""), text) is not None


def _near_value(node: Scalar, branches: Iterable[Mapping[str, Any]]) -> str | None:
    near = _near_word(node, branches)
    if near is None and isinstance(node.value, str) and node.text.isdecimal():
        return f"write {node.text} without quotes"
    return near


def _near_word(node: Scalar, branches: Iterable[Mapping[str, Any]]) -> str | None:
    words = [str(word) for branch in branches for word in branch.get("enum", ())]
    near = near_words(node.text, words)
    return f"did you mean {near[0]}?" if near else None


def _near_key(node: Scalar, branches: Iterable[Mapping[str, Any]]) -> str | None:
    near = near_words(node.text, [key for branch in branches for key in branch.get("required", ())], cutoff=_NEAR)
    return f"{near[0]} begins a map: {{{near[0]}: …}}" if near else None


def _in_braces(node: Node) -> bool:
    """Whether this is `{tag}` without quotes: for YAML a map of one key, after a brace, that has no value."""
    if not isinstance(node, Map) or len(node.values) != 1:
        return False
    [(name, value)] = node.values.items()
    return isinstance(value, Scalar) and value.value is None and node.keys[name].place != node.place


def _found(node: Node) -> str:
    if isinstance(node, Map):
        return "a map" if node.values else "an empty map"
    if not isinstance(node, Scalar):
        return "a list" if node.items else "an empty list"
    if node.value is None:
        return "nothing"
    shown = ascii(node.text if len(node.text) < 60 else f"{node.text[:57]}...")
    if not isinstance(node.value, str):
        return shown[1:-1]
    return shown if node.text else "an empty text"


def _type_of(node: Node) -> str:
    if isinstance(node, Map):
        return "object"
    if isinstance(node, Scalar):
        return "string" if isinstance(node.value, str) else "other"
    return "array"
