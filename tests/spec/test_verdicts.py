"""The two validators: the quick one that decides and the slow one that explains never differ."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from imagesync.errors import Problem
from imagesync.spec.document import parse_document, to_data
from imagesync.spec.schema import check_schema, schema_text

WHOLE: dict[str, Any] = {
    "version": 1,
    "include": ["images/*.yaml"],
    "registries": {
        "docker.io": {"auth": {"username": "a", "password": "${secret:B}"}, "concurrency": 4},
        "ghcr.io/acme": {"auth": {"pull": "anonymous", "push": {"token": "x"}}},
        "*.internal": {"auth": "default", "timeouts": {"connect": "10s", "read": "1m"}},
        "a.internal": {"tls": {"ca": "ca.pem", "certificate": "c", "key": "k"}, "mirrors": ["b:5000"]},
        "c.internal": {"tls": "disabled", "auth": {"helper": "osxkeychain"}},
    },
    "destinations": {"internal": ["a.internal/{path}"], "other": "b.internal"},
    "defaults": {"destination": "internal", "tags": "latest", "on_empty": "warn"},
    "sync": [
        {"name": "bases", "source": "docker.io", "images": ["nginx:1", {"name": "redis", "tags": ["7", "/8/"]}]},
        {"destination": ["x.io", "oci:y"], "retag": {"1": "2"}, "images": [{"name": "a", "as": "b", "as_tag": "c"}]},
        {"tags": {"include": "1.*", "versions": "^1", "newest": 3, "sort": "numerical"}, "images": ["x:1"]},
        {"tags": {"versions": {"range": "<9", "suffix": "any", "prereleases": True}, "always": ["y"]}, "images": ["x"]},
    ],
}
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 300),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.sampled_from(["1", "10s", "default", "insecure", "fail", "a b", "{tag}", "${X}"]),
    st.sampled_from([[], {}, [[]], [{}], {"name": "x"}, {"token": "x"}, ["x"], {"x": 1}]),
)
KEYS = st.sampled_from(
    [
        "version",
        "sync",
        "images",
        "name",
        "tags",
        "retag",
        "versions",
        "newest",
        "suffix",
        "auth",
        "tls",
        "pull",
        "token",
        "key",
        "ca",
        "x",
        "a/b",
        "",
    ]
)


def containers(value: object) -> list[dict[str, Any] | list[Any]]:
    """Every map and list in a document, the outermost first."""
    if not isinstance(value, dict | list):
        return []
    below = value.values() if isinstance(value, dict) else value
    return [value, *(found for child in below for found in containers(child))]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A right spec with up to three changes: a key removed, a key added, a value replaced."""
    document = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(containers(document)))
        keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
        change = draw(st.sampled_from(["add", "remove", "replace"]))
        if change == "add" and isinstance(place, dict):
            place[draw(KEYS)] = copy.deepcopy(draw(VALUES))
        elif change == "remove" and keys:
            del place[draw(st.sampled_from(keys))]
        elif keys:
            place[draw(st.sampled_from(keys))] = copy.deepcopy(draw(VALUES))
    return document


def problems_of(document: dict[str, Any]) -> list[Problem]:
    """Read the document as YAML, which JSON is, and check it as a spec."""
    problems: list[Problem] = []
    root = parse_document(json.dumps(document), "sync.yaml", problems)
    if root is not None:
        check_schema(root, problems)
    return problems


def test_a_spec_with_every_key_is_right() -> None:
    assert problems_of(WHOLE) == []


@settings(max_examples=300, deadline=None)
@given(documents())
def test_what_the_quick_validator_refuses_the_slow_one_explains_and_nothing_else(document: dict[str, Any]) -> None:
    reading: list[Problem] = []
    root = parse_document(json.dumps(document), "sync.yaml", reading)
    if root is None or reading:
        return
    problems: list[Problem] = []
    check_schema(root, problems)
    is_right = Draft7Validator(json.loads(schema_text())).is_valid(to_data(root))
    assert bool(problems) is not is_right
    assert all(problem.place.line == 1 and problem.place.column >= 1 for problem in problems)
    assert all(problem.message.isprintable() for problem in problems)


def test_the_schema_is_one_of_draft_7() -> None:
    Draft7Validator.check_schema(json.loads(schema_text()))
