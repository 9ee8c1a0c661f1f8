"""The schema of a spec: fastjsonschema decides, and only when it rejects is jsonschema imported to explain.

Each of its errors becomes a Problem in our own words: where, what was found, what is allowed, what to do.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from imagesync.errors import Problem
from imagesync.spec.document import Map, Misread, Node, Scalar, find, misread, to_data

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_MAIN, _INCLUDED = "main", "included"


def schema_text() -> str:
    """The JSON Schema (draft-07) of a spec file."""
    return files("imagesync.spec").joinpath("schema.json").read_text("utf-8")


def check_schema(root: Node, problems: list[Problem], *, included: bool = False) -> None:
    """Add a Problem for everything in a file that the schema does not allow. An included file has `sync` only."""
    kind = _INCLUDED if included else _MAIN
    data = to_data(root)
    if _accepts(kind, data):
        return
    for error in _errors(kind, data):
        problems.extend(_explain(error, root))


@cache
def _schema(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_text())
    if kind == _INCLUDED:
        schema["properties"] = {key: schema["properties"][key] for key in ("version", "sync")}
        schema["required"] = ["sync"]
    return schema


@cache
def _compiled(kind: str) -> Callable[[object], object]:
    import fastjsonschema  # noqa: PLC0415 - not for --help

    compiled: Callable[[object], object] = fastjsonschema.compile(_schema(kind))
    return compiled


def _accepts(kind: str, data: object) -> bool:
    from fastjsonschema import JsonSchemaValueException  # noqa: PLC0415 - as above

    try:
        _compiled(kind)(data)
    except JsonSchemaValueException:
        return False
    return True


def _errors(kind: str, data: object) -> Iterable[ValidationError]:
    from jsonschema import Draft7Validator  # noqa: PLC0415 - costs 180 ms, and most specs have no mistake

    found: Iterable[ValidationError] = Draft7Validator(_schema(kind)).iter_errors(data)
    return found


def _explain(error: ValidationError, root: Node) -> Iterator[Problem]:
    node, schema = find(root, iter(error.absolute_path)), _schema_of(error)
    if error.validator == "anyOf":
        yield from _explain_alternatives(error, root, node)
    elif error.validator == "additionalProperties" and isinstance(node, Map):
        yield from _unknown_keys(node, schema.get("properties", {}))
    elif error.validator == "required" and isinstance(node, Map):
        yield from _missing_keys(node, schema["required"])
    elif error.validator == "dependencies":
        yield Problem(node.place, "`certificate` and `key` go together", "give both, or neither")
    elif error.validator == "propertyNames" or "propertyNames" in error.absolute_schema_path:
        yield _bad_name(node, error)
    else:
        yield _wrong_value(node, schema.get("title") or str(error.validator_value))


def _schema_of(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _explain_alternatives(error: ValidationError, root: Node, node: Node) -> Iterator[Problem]:
    """Of several forms, explain the one that was meant: the one of the same type, else say which there are."""
    branches = _schema_of(error)["anyOf"]
    inner = [[one for one in error.context or () if one.schema_path[0] == number] for number in range(len(branches))]
    meant = [number for number, branch in enumerate(branches) if branch.get("type") == _type_of(node)]
    if isinstance(node, Map) and len(meant) > 1:
        fitting = [number for number in meant if set(branches[number].get("properties", {})) & set(node.values)]
        meant = fitting[:1]
    if meant:
        for one in inner[meant[0]]:
            yield from _explain(one, root)
        return
    yield _wrong_value(node, " or ".join(dict.fromkeys(branch["title"] for branch in branches)))


def _unknown_keys(node: Map, allowed: Iterable[str]) -> Iterator[Problem]:
    names = list(allowed)
    for name, key in node.keys.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}?" if near else f"allowed here: {', '.join(names)}"
            yield Problem(key.place, f"unknown key {name!r}", hint)


def _missing_keys(node: Map, required: Iterable[str]) -> Iterator[Problem]:
    for name in required:
        if name not in node.values:
            hint = "the first line of a spec is `version: 1`" if name == "version" else f"add `{name}:`"
            yield Problem(node.place, f"key {name!r} is missing", hint)


def _bad_name(node: Node, error: ValidationError) -> Problem:
    name = str(error.instance)
    place = node.keys[name].place if isinstance(node, Map) and name in node.keys else node.place
    return Problem(place, f"{name!a} is not a name", "letters, digits, '_' and '-', without dots or slashes")


def _wrong_value(node: Node, allowed: str) -> Problem:
    if isinstance(node, Scalar) and isinstance(node.value, Misread | bool | int):
        said = misread(node.value, node.text)
        return Problem(node.place, f"{said}, where {allowed} belongs", f'quote it: "{node.text}"')
    return Problem(node.place, f"found {_found(node)}, where {allowed} belongs", _near_value(node, allowed))


def _near_value(node: Node, allowed: str) -> str | None:
    if isinstance(node, Scalar) and " or " in allowed:
        near = difflib.get_close_matches(node.text, allowed.replace(",", "").split(" or "), n=1)
        return f"did you mean {near[0]}?" if near else None
    return None


def _found(node: Node) -> str:
    if isinstance(node, Map):
        return "a map" if node.values else "an empty map"
    if not isinstance(node, Scalar):
        return "a list" if node.items else "an empty list"
    if node.value is None:
        return "nothing"
    return ascii(node.text if len(node.text) < 60 else f"{node.text[:57]}...") if node.text else "an empty text"


def _type_of(node: Node) -> str:
    if isinstance(node, Map):
        return "object"
    if isinstance(node, Scalar):
        return "string" if isinstance(node.value, str) else "other"
    return "array"
