"""Records: the same after they were written and read, and an error for whatever is none."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidManifest, LimitError
from imagesync.gates import Ruling, Verdict
from imagesync.manifest import parse_manifest
from imagesync.plan.attachments import RECORD_TYPE
from imagesync.promotion.artifact import ANNOTATION, EMPTY, make_artifact, record_of
from imagesync.promotion.entries import Kind
from imagesync.promotion.history import Ending, events_of, telling
from imagesync.promotion.record import MAX_BYTES, record_from_json, record_to_json
from imagesync.promotion.seal import NoSeal
from tests.promotion.values import make_entry, make_record

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_record_is_the_same_after_it_was_written_and_read(kind: Kind) -> None:
    record = make_record(kind)
    assert record_from_json(record_to_json(record)) == record
    assert record_to_json(record) == record_to_json(make_record(kind))


def test_what_is_written_can_be_read_again_however_long_a_text_is() -> None:
    long = Verdict("g" * 9000, Ruling.WARNED, "r" * 9000, "h" * 9000)
    (image,) = make_record().images
    record = replace(make_record(), reason="x" * 9000, ticket="\udcff", images=(replace(image, verdicts=(long,)),))
    found = record_from_json(record_to_json(record))
    assert (found.reason[:2], found.reason[-1], found.ticket) == ("xx", "…", "?")
    (verdict,) = found.images[0].verdicts
    assert (verdict.ruling, verdict.reason[-1], len(verdict.reason) < 1000) == (Ruling.WARNED, "…", True)


def test_a_record_of_too_many_images_is_not_written() -> None:
    (image,) = make_record().images
    with pytest.raises(LimitError, match="1001 images"):
        make_artifact(replace(make_record(), images=(image,) * 1001), NoSeal())


def test_the_artifact_holds_the_record_and_needs_one_blob_of_two_bytes() -> None:
    record = make_record()
    content = make_artifact(record, NoSeal())
    assert content.descriptor.artifact_type == RECORD_TYPE
    assert content.successors() == (EMPTY,)
    assert (content.subject, record_of(content)) == (None, record)


def test_a_record_of_an_image_names_it_as_its_subject() -> None:
    subject = make_artifact(make_record(), NoSeal()).descriptor
    content = make_artifact(make_record(), NoSeal(), subject)
    assert content.subject is not None
    assert content.subject.digest == subject.digest


@given(JSON)
def test_any_json_is_a_record_or_an_error(value: Any) -> None:
    refused(json.dumps(value))


@given(st.sampled_from(sorted(json.loads(record_to_json(make_record())))), JSON)
def test_a_record_with_anything_in_one_place_is_read_or_an_error(key: str, value: Any) -> None:
    document = {**json.loads(record_to_json(make_record())), key: value}
    with suppress(InvalidManifest):
        assert record_from_json(json.dumps(document)).promotion == document["promotion"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("{}", "another format"),
        ('{"format_version": 2}', "another format"),
        ('{"format_version": 1}', "lacks something"),
        (" " * (MAX_BYTES + 1), "over 1048576 letters"),
    ],
)
def test_what_is_no_record_says_so(text: str, said: str) -> None:
    assert said in refused(text)


def refused(text: str) -> str:
    with pytest.raises(InvalidManifest) as caught:
        record_from_json(text)
    return caught.value.message


@pytest.mark.parametrize("annotations", [None, {}, {ANNOTATION: "{}"}, {ANNOTATION: "x"}])
def test_a_manifest_that_holds_no_record_is_refused(annotations: dict[str, str] | None) -> None:
    document = json.loads(make_artifact(make_record(), NoSeal()).raw)
    document["annotations"] = annotations
    with pytest.raises(InvalidManifest):
        record_of(parse_manifest(json.dumps(document).encode()))


def test_of_a_move_that_has_finished_that_alone_is_told() -> None:
    entries = [
        make_entry(Kind.STARTED, 1),
        make_entry(Kind.FINISHED, 1),
        make_entry(Kind.STARTED, 2),
        make_entry(Kind.HOLD, 3),
    ]
    assert [entry.kind for entry in telling(entries)] == [Kind.HOLD, Kind.STARTED, Kind.FINISHED]


def test_of_a_move_that_was_withdrawn_that_alone_is_told() -> None:
    entries = [make_entry(Kind.STARTED, 1), make_entry(Kind.WITHDRAWN, 1), make_entry(Kind.STARTED, 2)]
    assert [entry.kind for entry in telling(entries)] == [Kind.STARTED, Kind.WITHDRAWN]


def test_what_has_begun_alone_is_incomplete() -> None:
    endings = [event.ending for event in events_of(map(make_record, Kind))]
    assert endings == [Ending.HELD, Ending.RELEASED, Ending.INCOMPLETE, Ending.FINISHED, Ending.WITHDRAWN]
