"""The document of a state: as it was written, or not at all."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import StateError
from imagesync.state import State, state_from_json, state_to_json
from imagesync.state import document as document_module
from tests.state.values import ENTRIES, ONE, TWO, deleted, seen, written


def read(document: Any) -> State:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return state_from_json(raw, name="state.json")


def whole(**kinds: Any) -> dict[str, Any]:
    return {"format_version": 1, "first_seen": [], "written": [], "deleted": [], "narrowed": [], **kinds}


ENTRY = {"registry": "localhost:5000", "path": "app", "tag": "1.0", "digest": ONE, "at": "2026-03-01T12:00:00Z"}


@given(st.lists(ENTRIES, max_size=8).map(State.of))
def test_a_state_is_read_as_it_was_written(state: State) -> None:
    assert read(state_to_json(state).encode()) == state


@given(st.lists(ENTRIES, max_size=6).flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_one_state_has_one_text(orders: tuple[list[Any], list[Any]]) -> None:
    first, second = map(State.of, orders)
    if first == second:
        assert state_to_json(first) == state_to_json(second)


def test_each_entry_has_a_line_of_its_own() -> None:
    text = state_to_json(State.of([seen(), written(source=TWO), deleted(tag="2.0")]))
    assert text == (
        "{\n"
        '  "format_version": 1,\n'
        '  "first_seen": [\n'
        '    {"registry": "docker.io", "path": "library/app", "tag": "1.0",'
        f' "digest": "{ONE}", "at": "2026-03-01T12:00:00Z"}}\n'
        "  ],\n"
        '  "written": [\n'
        '    {"registry": "registry.internal:5000", "path": "mirror/app", "tag": "1.0",'
        f' "digest": "{ONE}", "at": "2026-03-01T12:00:00Z", "source": "{TWO}"}}\n'
        "  ],\n"
        '  "deleted": [\n'
        '    {"registry": "registry.internal:5000", "path": "mirror/app", "tag": "2.0", "at": "2026-03-01T12:00:00Z"}\n'
        "  ],\n"
        '  "narrowed": []\n'
        "}\n"
    )


def test_an_entry_that_stands_twice_counts_once() -> None:
    """As it does after two branches of a repository that holds the file were merged by hand."""
    assert read(whole(written=[ENTRY, ENTRY])) == read(whole(written=[ENTRY]))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "Expecting value"),
        (b"\xff{}", "invalid start byte"),
        (b"[" * 100_000, "recursion"),
        (b'{"format_version": 1, "format_version": 1}', "a key stands twice"),
        ([], "there is no format_version"),
        ({}, "there is no format_version"),
        (whole(format_version=2), "format_version is 2, this imagesync reads 1"),
        (whole(format_version=True), "format_version is True"),
        (whole(format_version="\x1b[31m"), "format_version is"),
        ({"format_version": 1}, "it must have format_version, first_seen"),
        (whole(holds=[]), "and nothing else"),
        (whole(written={}), "must be lists"),
        (whole(written=[1]), r"written[0]: an entry has at, digest, path, registry, tag"),
        (whole(written=[{**ENTRY, "more": "x"}]), r"written[0]: an entry has"),
        (whole(written=[{**ENTRY, "tag": 1}]), "tag must be a printable text"),
        (whole(written=[{**ENTRY, "registry": "oci:" + "a" * 5000}]), "registry must be a printable text"),
        (whole(written=[{**ENTRY, "registry": "oci:\ud800"}]), "registry must be a printable text"),
        (whole(written=[{**ENTRY, "registry": "oci:"}]), "registry names no folder"),
        (whole(written=[{**ENTRY, "registry": "not a host"}]), "is not a host"),
        (whole(written=[{**ENTRY, "path": "../app"}]), "is not a repository name"),
        (whole(written=[{**ENTRY, "tag": "-x"}]), "is not a tag"),
        (whole(written=[{**ENTRY, "digest": "sha256:../.."}]), "sha256 takes 64"),
        (whole(written=[{**ENTRY, "at": "2026-03-01"}]), "at must be a time"),
        (whole(written=[{**ENTRY, "at": "9999-12-31T23:59:59Z"}]), "at must be a time"),
        (whole(written=[{**ENTRY, "at": "2026-02-31T00:00:00Z"}]), "written[0]: day is out of range"),
        (whole(first_seen=[{**ENTRY, "source": ONE}]), "first_seen[0]: an entry has"),
        (whole(narrowed=[{"source": ONE, "digest": TWO}]), "narrowed[0]: an entry has digest, keep, source"),
    ],
)
def test_what_is_no_state_is_refused_and_nothing_is_begun_anew(document: Any, said: str) -> None:
    with pytest.raises(StateError) as caught:
        read(document)
    assert said in caught.value.message
    assert caught.value.message.startswith("state state.json is damaged or none: ")
    assert caught.value.message.isprintable()
    assert "forget which tags are imagesync's" in str(caught.value)
    assert caught.value.exit_code == 4


def test_more_bytes_or_entries_than_a_state_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_module, "MAX_ENTRIES", 1)
    with pytest.raises(StateError, match="it has over 1 entries"):
        read(whole(written=[ENTRY], first_seen=[ENTRY]))
    monkeypatch.setattr(document_module, "MAX_BYTES", 10)
    with pytest.raises(StateError, match="has over 10 bytes"):
        read(whole())


@given(st.binary(max_size=200) | st.from_regex(r'\{"format_version": 1[^\x00]{0,80}\}').map(str.encode))
def test_whatever_stands_in_the_file_raises_nothing_else(raw: bytes) -> None:
    with suppress(StateError):
        state_from_json(raw, name="x")
