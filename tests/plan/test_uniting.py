"""Uniting: nothing is lost, nothing stands twice, and the same two give the same bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidManifest
from imagesync.manifest import OCI_INDEX, Content, Index, Manifest, digest_of, parse_manifest
from imagesync.plan.uniting import count_lacking, index_of_referrer, unite
from tests.images import descriptor_of, list_of, make_artifact, make_image, make_referrer, make_signature

IMAGE = make_image()
REFERRERS = [make_referrer(IMAGE.root, name) for name in "abcdef"]
SIGNERS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)


def signatures(signers: list[str]) -> Content:
    return make_signature(IMAGE.digest, *signers).root


def referrers(names: list[str]) -> Content:
    return list_of(*(REFERRERS["abcdef".index(name)] for name in names)).root


def entries(content: Content) -> list[Any]:
    document = json.loads(content.raw)
    found: list[Any] = document.get("layers", document.get("manifests"))
    return found


def as_set(content: Content) -> set[str]:
    return {json.dumps(entry, sort_keys=True) for entry in entries(content)}


@pytest.mark.parametrize("make", [signatures, referrers])
@given(ours=SIGNERS, theirs=SIGNERS)
def test_the_union_has_what_either_has_ours_first_and_nothing_twice(
    make: Any, ours: list[str], theirs: list[str]
) -> None:
    there, new = make(ours), make(theirs)
    both = unite(there, new)
    assert as_set(both) == as_set(there) | as_set(new)
    assert as_set(both) == as_set(unite(new, there))
    assert entries(both)[: len(ours)] == entries(there)
    assert len(entries(both)) == len(as_set(both))


@pytest.mark.parametrize("make", [signatures, referrers])
@given(ours=SIGNERS, theirs=SIGNERS)
def test_a_second_time_adds_nothing_and_keeps_the_bytes(make: Any, ours: list[str], theirs: list[str]) -> None:
    there, new = make(ours), make(theirs)
    both = unite(there, new)
    assert unite(both, new) is both
    assert unite(both, there) is both
    assert both.raw == unite(there, new).raw
    assert count_lacking(both, new) == 0


@given(signers=SIGNERS)
def test_what_lacks_nothing_stays_byte_for_byte(signers: list[str]) -> None:
    there = signatures(signers)
    assert unite(there, there) is there


def test_two_signatures_of_one_payload_are_two() -> None:
    assert count_lacking(signatures(["a"]), signatures(["a", "b"])) == 1
    assert count_lacking(None, signatures(["a", "b"])) == 2


def test_the_config_of_a_union_names_its_layers_and_brings_its_bytes() -> None:
    both = unite(signatures(["a"]), signatures(["b"]))
    assert isinstance(both, Manifest)
    data = both.config.data
    assert data is not None
    assert digest_of(data) == both.config.digest == json.loads(both.raw)["config"]["digest"]
    assert json.loads(data)["rootfs"]["diff_ids"] == [layer.digest for layer in both.layers]


def test_a_config_that_says_nothing_of_layers_stays() -> None:
    there, new = make_artifact("a").root, make_artifact("b").root
    both = unite(there, new)
    assert isinstance(there, Manifest)
    assert isinstance(both, Manifest)
    assert both.config == there.config
    assert both.config.data is None


def test_unknown_fields_of_the_destinations_own_stay() -> None:
    document = json.loads(referrers(["a"]).raw) | {"annotations": {"x": "y"}, "extra": 1}
    there = parse_manifest(json.dumps(document).encode(), OCI_INDEX)
    both = json.loads(unite(there, referrers(["b"])).raw)
    assert (both["annotations"], both["extra"], len(both["manifests"])) == ({"x": "y"}, 1, 2)


def test_an_index_and_an_image_cannot_be_united() -> None:
    """RFR-02."""
    with pytest.raises(InvalidManifest):
        unite(IMAGE.root, referrers(["a"]))


def test_a_referrer_is_listed_with_its_type_and_annotations() -> None:
    artifact = make_artifact("sbom", subject=descriptor_of(IMAGE.root), annotations={"made": "today"})
    index = index_of_referrer(artifact.root)
    assert isinstance(index, Index)
    assert entries(index) == [
        descriptor_of(artifact.root, artifactType="application/vnd.example+json", annotations={"made": "today"})
    ]


def test_a_referrer_without_a_type_is_listed_with_that_of_its_config() -> None:
    image = make_image("attestation", subject=descriptor_of(IMAGE.root))
    (entry,) = entries(index_of_referrer(image.root))
    assert entry["artifactType"] == "application/vnd.oci.image.config.v1+json"
