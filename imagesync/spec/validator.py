"""JSON Schema (draft-07), as much of it as our schemas use: a document is as its schema says, or where it is not.

A library takes longer to import and to compile a schema than this takes for a thousand images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from typing import Any

Schema = Mapping[str, Any]
_NOTES = frozenset({"$schema", "$id", "title", "description", "examples", "definitions", "then", "writeOnly"})
"""What demands nothing by itself."""


class Mismatch(Exception):
    """A document is not as its schema says; `path` leads to the first place where it is not."""

    def __init__(self) -> None:
        super().__init__()
        self.path: list[str | int] = []


class Validator:
    """Checks documents against one schema. A keyword that is not known here raises KeyError where it is met."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def check(self, document: object) -> None:
        """Raises Mismatch."""
        self.check_part(self.schema, document)

    def accepts(self, document: object) -> bool:
        """Whether a document is as the schema says."""
        return self.fits(self.schema, document)

    def check_part(self, schema: Schema, value: object) -> None:
        """Check a part of the document against a part of the schema. Raises Mismatch."""
        for keyword in schema:
            if keyword not in _NOTES:
                _RULES[keyword](self, schema, value)

    def check_below(self, schema: Schema, value: Any, step: str | int) -> None:
        """Check what stands under a key or at a position of this value. Raises Mismatch, its path with that step."""
        try:
            self.check_part(schema, value[step])
        except Mismatch as mismatch:
            mismatch.path.insert(0, step)
            raise

    def fits(self, schema: Schema, value: object) -> bool:
        """Whether a part of the document is as a part of the schema says."""
        try:
            self.check_part(schema, value)
        except Mismatch:
            return False
        return True


Rule = Callable[[Validator, Schema, Any], None]
"""What one keyword of a schema demands of a value; what is of another type than the keyword is for passes."""


def _ref(validator: Validator, schema: Schema, value: Any) -> None:
    name = schema["$ref"].removeprefix("#/definitions/")
    validator.check_part(validator.schema["definitions"][name], value)


def _any_of(validator: Validator, schema: Schema, value: Any) -> None:
    _demand(any(validator.fits(branch, value) for branch in schema["anyOf"]))


def _all_of(validator: Validator, schema: Schema, value: Any) -> None:
    for branch in schema["allOf"]:
        validator.check_part(branch, value)


def _if_then(validator: Validator, schema: Schema, value: Any) -> None:
    if validator.fits(schema["if"], value):
        validator.check_part(schema["then"], value)


def _items(validator: Validator, schema: Schema, value: Any) -> None:
    if isinstance(value, list):
        for position in range(len(value)):
            validator.check_below(schema["items"], value, position)


def _properties(validator: Validator, schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        for name, below in schema["properties"].items():
            if name in value:
                validator.check_below(below, value, name)


def _additional_properties(validator: Validator, schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        further = schema["additionalProperties"]
        for name in value.keys() - schema.get("properties", {}).keys():
            _demand(further is not False)
            validator.check_below(further, value, name)


def _property_names(validator: Validator, schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        for name in value:
            validator.check_part(schema["propertyNames"], name)


def _demand(is_met: bool) -> None:
    if not is_met:
        raise Mismatch


def _type(_: Validator, schema: Schema, value: Any) -> None:
    named = schema["type"]
    _demand(any(_TYPES[name](value) for name in ([named] if isinstance(named, str) else named)))


def _enum(_: Validator, schema: Schema, value: Any) -> None:
    _demand(any(_is_same(value, one) for one in schema["enum"]))


def _const(_: Validator, schema: Schema, value: Any) -> None:
    _demand(_is_same(value, schema["const"]))


def _required(_: Validator, schema: Schema, value: Any) -> None:
    _demand(not isinstance(value, dict) or all(name in value for name in schema["required"]))


def _dependencies(_: Validator, schema: Schema, value: Any) -> None:
    if isinstance(value, dict):
        _demand(all(set(needed) <= set(value) for name, needed in schema["dependencies"].items() if name in value))


def _pattern(_: Validator, schema: Schema, value: Any) -> None:
    _demand(not isinstance(value, str) or re.search(schema["pattern"], value) is not None)


def _minimum(_: Validator, schema: Schema, value: Any) -> None:
    _demand(not _is_number(value) or value >= schema["minimum"])


def _maximum(_: Validator, schema: Schema, value: Any) -> None:
    _demand(not _is_number(value) or value <= schema["maximum"])


def _at_least(keyword: str, kind: type[Sized]) -> Rule:
    """A rule for the length of what is of this kind."""
    return lambda _, schema, value: _demand(not isinstance(value, kind) or len(value) >= schema[keyword])


def _is_same(value: object, other: object) -> bool:
    """For JSON a truth value is no number."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    """1.0 is one."""
    return value.is_integer() if isinstance(value, float) else _is_number(value)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
_RULES: Mapping[str, Rule] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "dependencies": _dependencies,
    "items": _items,
    "pattern": _pattern,
    "minimum": _minimum,
    "maximum": _maximum,
    "minLength": _at_least("minLength", str),
    "minItems": _at_least("minItems", list),
    "minProperties": _at_least("minProperties", dict),
    "$ref": _ref,
    "anyOf": _any_of,
    "allOf": _all_of,
    "if": _if_then,
}
