"""Dates: what is one, where it is looked for first, and how little is read for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.manifest import Content, Manifest, parse_manifest
from imagesync.plan.contents import CannotRead
from imagesync.plan.dates import CREATED, date_of, first_image, needs_a_child, parse_date
from imagesync.plan.inventory import Broken
from imagesync.plan.questions import ReadCreated, ReadManifest
from imagesync.selection import Unknown
from tests.images import MadeImage, make_image, make_index
from tests.plan.values import HUB_NGINX
from tests.plan.world import World

DAY = "2026-01-03T12:00:00Z"
AT = datetime(2026, 1, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (DAY, AT),
        ("2026-01-03T12:00:00.123456789Z", AT.replace(microsecond=123456)),
        ("2026-01-03T12:00:00.5Z", AT.replace(microsecond=500000)),
        ("2026-01-03t14:00:00+02:00", AT),
        ("2026-01-03T07:30:00-04:30", AT),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_as_rfc_3339_writes_it_is_a_date(text: str, at: datetime) -> None:
    assert parse_date(text) == at


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2026-01-03", "2026-01-03T12:00:00", "2026-13-03T12:00:00Z", "2026-02-30T12:00:00Z"),
        *("2026-01-03T12:00:60Z", "2026-01-03T12:00:00+99:00", "2026-01-03T12:00:00Z ", "٢٠٢٦-01-03T12:00:00Z"),
        *(None, 1767441600, ["2026-01-03T12:00:00Z"], {"a": 1}, "9" * 1000),
    ],
)
def test_anything_else_is_none(text: object) -> None:
    assert parse_date(text) is None


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,12})?(Z|[+-]\d\d:\d\d)", fullmatch=True))
def test_any_text_is_a_date_with_a_zone_or_none_and_never_an_error(text: str) -> None:
    found = parse_date(text)
    assert found is None or found.utcoffset() is not None
    assert found is None or (found < AT) in (True, False)


@given(st.datetimes(datetime(1000, 1, 2), datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_every_time_in_every_zone_is_read_back(naive: datetime, offset: int) -> None:
    zone = timedelta(minutes=abs(offset))
    text = (
        f"{naive:%Y-%m-%dT%H:%M:%S}{'-' if offset < 0 else '+'}{zone.seconds // 3600:02}:{zone.seconds // 60 % 60:02}"
    )
    at = naive.replace(tzinfo=UTC, microsecond=0) - timedelta(minutes=offset)
    assert parse_date(text) == at


def world_of(image: MadeImage, said: Any = DAY) -> World:
    """A source that holds the image, and configs that say this."""
    world = World(contents={content.digest: content for content in image.contents})
    manifests = (content for content in image.contents if isinstance(content, Manifest))
    world.answers = {ReadCreated(HUB_NGINX, one.config.digest, one.config): said for one in manifests}
    return world


def read(image: MadeImage, said: Any = DAY) -> tuple[object, list[str]]:
    """The date, and the kinds of what was read for it."""
    world = world_of(image, said)
    found = world.run(date_of(HUB_NGINX, image.digest))
    return found, [type(question).__name__ for question in world.asked]


def test_an_image_says_it_in_its_config() -> None:
    assert read(make_image()) == (AT, ["ReadManifest", "ReadCreated"])


def test_of_an_index_the_first_image_counts() -> None:
    assert read(make_index(attestations=True)) == (AT, ["ReadManifest", "ReadManifest", "ReadCreated"])


def test_an_attestation_is_no_image_wherever_it_stands() -> None:
    index = make_index(attestations=True)
    raw = json.loads(index.root.raw)
    raw["manifests"].reverse()
    turned = parse_manifest(json.dumps(raw).encode())
    assert first_image(turned) == turned.manifests[2]  # type: ignore[union-attr]


def test_an_annotation_spares_what_is_below_it() -> None:
    noted = {"annotations": {CREATED: DAY}}
    assert read(make_image(**noted)) == (AT, ["ReadManifest"])  # type: ignore[arg-type]
    assert read(make_index(**noted)) == (AT, ["ReadManifest"])  # type: ignore[arg-type]


def test_the_annotation_of_an_entry_spares_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Docker's official images have it."""
    raw = json.loads(make_index().root.raw)
    raw["manifests"][0]["annotations"] = {CREATED: DAY}
    root = parse_manifest(json.dumps(raw).encode())
    assert needs_a_child(root) is None
    assert read(MadeImage(root)) == (AT, ["ReadManifest"])


@pytest.mark.parametrize("annotations", [{CREATED: "soon"}, {CREATED: ""}, {}])
def test_an_annotation_that_is_no_date_spares_nothing(annotations: dict[str, str]) -> None:
    assert read(make_image(annotations=annotations)) == (AT, ["ReadManifest", "ReadCreated"])


@pytest.mark.parametrize("annotations", [[], "x", 7, None, {CREATED: 7}, {CREATED: {"a": "b"}}])
def test_annotations_of_a_wrong_form_are_passed_over(annotations: object) -> None:
    document = {**json.loads(make_image().root.raw), "annotations": annotations}
    root = parse_manifest(json.dumps(document).encode())
    world = world_of(MadeImage(root))
    assert world.run(date_of(HUB_NGINX, root.digest)) == AT


@pytest.mark.parametrize("said", [None, "yesterday", "2026-01-03"])
def test_a_config_without_a_date_leaves_it_unknown(said: object) -> None:
    assert read(make_image(), said)[0] == Unknown("its config names no date")


def empty_index() -> Content:
    return parse_manifest(b'{"schemaVersion": 2, "manifests": []}')


def test_an_index_without_an_image_has_no_date() -> None:
    assert read(MadeImage(empty_index()))[0] == Unknown("its index lists no image")
    inner = MadeImage(empty_index())
    nested = json.dumps(
        {
            "schemaVersion": 2,
            "manifests": [{"mediaType": inner.root.media_type, "digest": inner.digest, "size": len(inner.root.raw)}],
        }
    )
    assert read(MadeImage(parse_manifest(nested.encode()), (inner.root,)))[0] == Unknown("its index lists no image")


@pytest.mark.parametrize("kind", ["unsupported", "protocol", "manifest", "not-found"])
def test_what_can_never_be_read_is_of_unknown_date(kind: str) -> None:
    world = World(answers={ReadManifest(HUB_NGINX, make_image().digest): Broken("it is odd", kind)})
    assert world.run(date_of(HUB_NGINX, make_image().digest)) == Unknown("it cannot be read: it is odd")


@pytest.mark.parametrize("kind", ["network", "authentication", "integrity", "budget"])
def test_what_may_be_read_another_time_is_no_answer(kind: str) -> None:
    world = World(answers={ReadManifest(HUB_NGINX, make_image().digest): Broken("503", kind)})
    with pytest.raises(CannotRead):
        world.run(date_of(HUB_NGINX, make_image().digest))
