"""Gates over what an image is: platforms, labels, sizes, and which of its manifests count."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imagesync.gates import Candidate, Known, ReadConfig, Ruling, Unread
from imagesync.gates.labels import Labels, Value
from imagesync.gates.platforms import RequirePlatforms
from imagesync.gates.size import Size
from imagesync.manifest import digest_of
from imagesync.selection import PlatformPattern
from tests.gates.values import configs_of, judged, knowing, make_candidate
from tests.images import MadeImage, descriptor_of, index_of, make_artifact, make_image, make_index

PASSED, BLOCKED = Ruling.PASSED, Ruling.BLOCKED


def platforms(*names: str) -> RequirePlatforms:
    return RequirePlatforms(tuple(map(PlatformPattern.parse, names)))


def test_attestations_are_no_images_to_be_judged() -> None:
    candidate = make_candidate(make_index(attestations=True))
    assert [str(image) for image in candidate.images()] == ["linux/amd64", "linux/arm64"]


def test_an_image_that_is_listed_again_as_unknown_is_judged_all_the_same() -> None:
    image = make_image()
    entries = [
        descriptor_of(image.root, platform={"os": os, "architecture": architecture})
        for os, architecture in (("linux", "amd64"), ("unknown", "unknown"))
    ]
    for listed in (entries, entries[::-1]):
        candidate = make_candidate(index_of(listed, [image]))
        assert [str(one) for one in candidate.images()] == ["linux/amd64"]


def test_an_image_that_names_no_platform_is_judged() -> None:
    image = make_image()
    candidate = make_candidate(index_of([descriptor_of(image.root)], [image]))
    assert [one.manifest.digest for one in candidate.images()] == [image.digest]


def test_what_a_sparse_index_leaves_out_is_not_judged() -> None:
    candidate = make_candidate()
    first, second = (image.manifest.digest for image in candidate.images())
    narrowed = Candidate(
        candidate.source, candidate.destination, candidate.root, candidate.contents, frozenset({first})
    )
    assert [image.manifest.digest for image in narrowed.images()] == [second]


@pytest.mark.parametrize(
    ("required", "ruling", "reason"),
    [
        (("linux/amd64",), PASSED, "has linux/amd64"),
        (("linux/*",), PASSED, "has linux/*"),
        (("linux/s390x",), BLOCKED, "lacks linux/s390x; it has linux/amd64, linux/arm64"),
        (("linux/arm64", "windows/amd64"), BLOCKED, "lacks windows/amd64; it has linux/amd64, linux/arm64"),
    ],
)
def test_platforms_are_required(required: tuple[str, ...], ruling: Ruling, reason: str) -> None:
    assert judged(platforms(*required), make_candidate()) == (ruling, reason)


def test_a_single_image_says_its_platform_in_its_config() -> None:
    image = make_image(platform="linux/arm64")
    candidate, check = make_candidate(image), platforms("linux/arm64")
    assert check.needs(candidate) == (ReadConfig(image.digest),)
    assert judged(check, candidate, knowing(*configs_of(candidate, image)))[0] is PASSED
    assert judged(check, candidate) == (BLOCKED, "lacks linux/arm64; it has none that it names")


@pytest.mark.parametrize(
    ("bounds", "ruling", "reason"),
    [
        ({"total_bytes": 2500}, PASSED, "within it"),
        ({"total_bytes": 2000}, BLOCKED, "linux/amd64: 20"),
        ({"layer_bytes": 1000, "layers": 2}, PASSED, "within it"),
        ({"layer_bytes": 999}, BLOCKED, "linux/amd64: a layer of 1000 bytes; linux/arm64: a layer of 1000 bytes"),
        ({"layers": 1}, BLOCKED, "linux/amd64: 2 layers; linux/arm64: 2 layers"),
    ],
)
def test_sizes_are_bounded_for_each_platform(bounds: dict[str, int], ruling: Ruling, reason: str) -> None:
    found = judged(Size(**bounds, text="it"), make_candidate())  # type: ignore[arg-type]
    assert (found[0], found[1].startswith(reason)) == (ruling, True), found


def labelled(labels: Any, **fields: Any) -> tuple[Candidate, Known]:
    """A single image with these labels, and what is known of it."""
    config = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Labels": labels}}).encode()
    image = make_image(**fields)
    made = MadeImage(image.root, (), {**image.blobs, digest_of(config): config})
    return make_candidate(made), knowing((ReadConfig(image.digest), json.loads(config)))


@pytest.mark.parametrize(
    ("labels", "ruling", "reason"),
    [
        ({"team": "shop", "version": "1.4.0"}, PASSED, "says team=shop, version=/1[.].*/"),
        ({"team": "Shop", "version": "1.4.0"}, BLOCKED, "label team is 'Shop', wanted shop"),
        ({"team": "shop", "version": "21.4"}, BLOCKED, "label version is '21.4', wanted /1[.].*/"),
        ({"team": "shop"}, BLOCKED, "no label version"),
        ({"team": ["shop"], "version": "1."}, BLOCKED, "label team is ['shop'], wanted shop"),
        ({"team": "shop", "version": "1." + "x" * 5000}, BLOCKED, "label version is '1.xxx"),
        (None, BLOCKED, "no label team"),
        ("team=shop", BLOCKED, "no label team"),
    ],
)
def test_labels_say_what_they_have_to(labels: Any, ruling: Ruling, reason: str) -> None:
    check = Labels((("team", Value.parse("shop")), ("version", Value.parse("/1[.].*/"))))
    candidate, known = labelled(labels)
    found = judged(check, candidate, known)
    assert (found[0], reason in found[1]) == (ruling, True), found
    assert len(found[1]) < 400


def test_annotations_are_those_of_the_manifest_that_is_moved() -> None:
    check = Labels(annotations=(("org.opencontainers.image.vendor", Value.parse("acme")),))
    notes = {"org.opencontainers.image.vendor": "acme"}
    assert judged(check, make_candidate(make_index(annotations=notes)))[0] is PASSED
    assert judged(check, make_candidate(make_image(annotations=notes)))[0] is PASSED
    assert judged(check, make_candidate()) == (BLOCKED, "no annotation org.opencontainers.image.vendor")
    assert check.needs(make_candidate()) == ()


def test_a_config_that_cannot_be_read_blocks() -> None:
    check, candidate = Labels((("team", Value.parse("shop")),)), make_candidate(make_image())
    known = knowing((ReadConfig(candidate.digest), Unread("timed out")))
    assert "its config cannot be read: timed out" in judged(check, candidate, known)[1]
    assert judged(check, candidate)[0] is BLOCKED


def test_what_holds_no_image_passes_no_gate_over_images() -> None:
    empty = make_candidate(index_of([], []))
    for check in (platforms("linux/amd64"), Size(layers=9), Labels((("team", Value.parse("shop")),))):
        assert judged(check, empty)[0] is BLOCKED
    artifact = make_candidate(make_artifact())
    assert judged(platforms("linux/amd64"), artifact)[0] is BLOCKED
