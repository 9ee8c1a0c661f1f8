"""Our validator says what the JSON Schema of others says, keyword by keyword, and knows all that our schemas use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from imagesync.plan import file as plan_file
from imagesync.spec import schema as spec_schema
from imagesync.spec.validator import Mismatch, Validator

VALUES: list[Any] = [
    *(None, True, False, 0, 1, 2, 1.0, 1.5, -1, 300, "", "1", "a", "ab", "10s", "a b"),
    *([], [1], ["a"], ["a", 1], {}, {"a": 1}, {"a": "x"}, {"b": "x"}, {"a": "x", "b": "y"}, {"a b": "x"}),
]
SCHEMAS: list[dict[str, Any]] = [
    *({"type": name} for name in ("string", "object", "array", "integer", "boolean", "null", ["string", "null"])),
    *({"enum": [1, "a", None]}, {"const": 1}, {"const": True}),
    *({"minLength": 1}, {"minItems": 1}, {"minProperties": 1}, {"minimum": 1}, {"maximum": 1}),
    *({"pattern": "^[a-z]+$"}, {"propertyNames": {"pattern": "^[a-z]+$"}}),
    *({"items": {"type": "string"}}, {"required": ["a"]}, {"dependencies": {"a": ["b"]}}),
    {"properties": {"a": {"type": "string"}}},
    {"properties": {"a": {}}, "additionalProperties": False},
    {"properties": {"a": {}}, "additionalProperties": {"type": "integer"}},
    {"additionalProperties": {"type": "string"}},
    {"anyOf": [{"type": "string"}, {"minItems": 2}]},
    {"allOf": [{"type": "string"}, {"minLength": 2}]},
    {"if": {"type": "string"}, "then": {"minLength": 2}},
    {"definitions": {"word": {"type": "string"}}, "items": {"$ref": "#/definitions/word"}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_a_keyword_means_what_it_means_to_others(schema: dict[str, Any]) -> None:
    ours, theirs = Validator(schema), Draft7Validator(schema)
    assert [ours.accepts(value) for value in VALUES] == [theirs.is_valid(value) for value in VALUES]


def keywords(schema: Any, *, are_names: bool = False) -> Iterator[str]:
    """Every keyword of a schema; below `properties` and the like stand names of the document instead."""
    if isinstance(schema, list):
        for branch in schema:
            yield from keywords(branch)
    elif isinstance(schema, dict):
        yield from () if are_names else schema
        for keyword, below in schema.items():
            if are_names or keyword not in ("const", "enum", "examples", "required", "dependencies"):
                yield from keywords(below, are_names=keyword in ("properties", "definitions") and not are_names)


@pytest.mark.parametrize("text", [spec_schema.schema_text(), plan_file.schema_text()], ids=["spec", "plan"])
def test_our_schemas_use_only_keywords_that_are_compared_with_others_here(text: str) -> None:
    notes = {"$schema", "$id", "title", "description", "examples", "writeOnly"}
    assert set(keywords(json.loads(text))) <= {*notes, *(word for schema in SCHEMAS for word in keywords(schema))}


def test_an_unknown_keyword_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        Validator({"maxLength": 1}).accepts("a")


def test_a_mismatch_says_where_it_is() -> None:
    schema = {"properties": {"a": {"items": {"additionalProperties": {"type": "string"}}}}}
    with pytest.raises(Mismatch) as raised:
        Validator(schema).check({"a": [{}, {"b": 1}]})
    assert raised.value.path == ["a", 1, "b"]
