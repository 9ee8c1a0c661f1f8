"""Manifests: what is read, what is refused, and that the bytes stay as they came."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidManifest
from imagesync.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    MAX_ENTRIES,
    MAX_MANIFEST_BYTES,
    MAX_SIZE_BYTES,
    OCI_INDEX,
    OCI_MANIFEST,
    Content,
    Index,
    Manifest,
    digest_of,
    parse_manifest,
    walk,
)
from imagesync.platform import Platform
from imagesync.reference import Digest

FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def make_descriptor(text: str = "layer", **fields: object) -> dict[str, Any]:
    raw = text.encode()
    return {"mediaType": LAYER, "digest": str(digest_of(raw)), "size": len(raw), **fields}


def make_image(*layers: dict[str, Any], **fields: object) -> dict[str, Any]:
    config = make_descriptor("config", mediaType="application/vnd.oci.image.config.v1+json")
    return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": list(layers), **fields}


def make_index(*children: Content, **fields: object) -> dict[str, Any]:
    entries = [{"mediaType": c.media_type, "digest": str(c.digest), "size": len(c.raw)} for c in children]
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries, **fields}


def parse(document: object, media_type: str = "") -> Content:
    return parse_manifest(json.dumps(document).encode(), media_type)


def test_an_image_leads_to_its_config_and_each_layer_once() -> None:
    content = parse(make_image(make_descriptor("a"), make_descriptor("b"), make_descriptor("a")))
    assert isinstance(content, Manifest)
    texts = [digest_of(text) for text in (b"config", b"a", b"b")]
    assert [blob.digest for blob in content.successors()] == texts
    assert content.descriptor.is_manifest
    assert not content.descriptor.is_index


def test_a_foreign_layer_is_listed_and_not_asked_for() -> None:
    foreign = make_descriptor("far", mediaType=FOREIGN, urls=["https://example.com/far", 7])
    content = parse(make_image(foreign))
    assert isinstance(content, Manifest)
    assert content.layers[0].is_foreign
    assert content.layers[0].urls == ("https://example.com/far",)
    assert digest_of(b"far") not in {blob.digest for blob in content.successors()}


@pytest.mark.parametrize("stated", ["application/json; charset=utf-8", "text/plain", "", "application/octet-stream"])
@pytest.mark.parametrize("own", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_where_the_server_does_not_say_the_type_the_document_does(stated: str, own: str) -> None:
    """MAN-07."""
    assert parse(make_image(mediaType=own), stated).media_type == own


@pytest.mark.parametrize(("document", "kind"), [(make_image(), OCI_MANIFEST), (make_index(), OCI_INDEX)])
def test_where_neither_says_the_type_the_shape_does(document: dict[str, Any], kind: str) -> None:
    """MAN-07."""
    bare = {key: value for key, value in document.items() if key != "mediaType"}
    assert parse(bare, "application/json").media_type == kind
    assert parse(bare, f"{kind.upper()}; charset=utf-8").media_type == kind


@pytest.mark.parametrize("kind", [DOCKER_LIST, OCI_INDEX])
def test_an_index_of_either_kind_is_an_index(kind: str) -> None:
    child = parse(make_image())
    content = parse(make_index(child, mediaType=kind))
    assert isinstance(content, Index)
    assert content.descriptor.is_index
    assert [entry.digest for entry in content.successors()] == [child.digest]


@pytest.mark.parametrize(
    ("document", "stated", "said"),
    [
        (make_image(manifests=[]), "", "an index and an image manifest at once"),
        ({**make_index(), "config": make_descriptor()}, "", "an index and an image manifest at once"),
        (make_image(), OCI_INDEX, "but says that it is"),
        (make_image(mediaType=DOCKER_MANIFEST), OCI_MANIFEST, "but says that it is"),
        (make_index(mediaType=OCI_MANIFEST), "", "has not the shape of"),
        (make_image(mediaType=OCI_INDEX), "", "has not the shape of"),
        (make_image(mediaType="text/html"), "", "not a manifest or index type"),
        (make_image(mediaType=7), "", "mediaType is not a string"),
    ],
)
def test_a_document_that_claims_two_types_is_refused(document: dict[str, Any], stated: str, said: str) -> None:
    """MAN-08, CVE-2021-41190."""
    with pytest.raises(InvalidManifest, match=said):
        parse(document, stated)


@pytest.mark.parametrize(
    ("document", "stated"),
    [
        ({"schemaVersion": 1, "name": "a"}, ""),
        (make_image(), "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        (make_image(mediaType="application/vnd.docker.distribution.manifest.v1+json"), ""),
    ],
)
def test_schema_1_is_refused_by_its_name(document: dict[str, Any], stated: str) -> None:
    """MAN-03."""
    with pytest.raises(InvalidManifest, match="schema 1"):
        parse(document, stated)


@pytest.mark.parametrize("version", [None, "2", True, 3, 2.5])
def test_another_schema_version_is_refused(version: object) -> None:
    with pytest.raises(InvalidManifest, match="schema"):
        parse(make_image(schemaVersion=version))


def test_bytes_stay_as_they_came_whatever_their_spelling() -> None:
    """MAN-10."""
    text = json.dumps(make_image(unknown={"é": "\u00e9"}, annotations={"a": "\u2028"}), indent=3, sort_keys=True)
    raw = f"\n {text} \n\n".encode()
    content = parse_manifest(raw)
    assert content.raw == raw
    assert content.digest == digest_of(raw)
    assert content.descriptor.size_bytes == len(raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (json.dumps(make_image()).encode("utf-16"), "not UTF-8"),
        (b"\xef\xbb\xbf" + json.dumps(make_image()).encode(), "not JSON"),
        (b'{"schemaVersion": 2, "schemaVersion": 2}', "stands twice"),
        (b'{"a": {"b\x1b": 1, "b\x1b": 2}}', "not JSON"),
        (b'{"a": {"b\\u001b": 1, "b\\u001b": 2}}', r"'b\\x1b' stands twice"),
        (b"[" * 100_000, "too deeply"),
        (b'{"schemaVersion": NaN}', "NaN is not a JSON number"),
        (b'{"schemaVersion": -Infinity}', "-Infinity is not a JSON number"),
    ],
)
def test_what_is_not_strict_json_is_refused(raw: bytes, said: str) -> None:
    """MAN-11: a typed error that holds no control character."""
    with pytest.raises(InvalidManifest, match=said) as caught:
        parse_manifest(raw)
    assert str(caught.value).isprintable()


def test_a_number_of_too_many_digits_is_refused() -> None:
    """MAN-11."""
    raw = json.dumps(make_image(make_descriptor(size=7))).replace('"size": 7', f'"size": {"9" * 5000}').encode()
    with pytest.raises(InvalidManifest):
        parse_manifest(raw)


@pytest.mark.parametrize("size", [-1, 2**64, MAX_SIZE_BYTES + 1, "7", None, 1.5, True])
def test_a_size_that_cannot_be_is_refused(size: object) -> None:
    """MAN-11."""
    with pytest.raises(InvalidManifest, match="size"):
        parse(make_image(make_descriptor(size=size)))


@pytest.mark.parametrize(
    "field",
    [
        {"digest": "sha256:abc"},
        {"digest": "../../etc/passwd"},
        {"digest": None},
        {"mediaType": ""},
        {"mediaType": 7},
        {"annotations": []},
        {"annotations": {"a": 1}},
        {"artifactType": {}},
    ],
)
def test_a_descriptor_with_a_wrong_part_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(InvalidManifest):
        parse(make_image(make_descriptor(**field)))


@pytest.mark.parametrize("field", [{"layers": {}}, {"layers": [7]}, {"config": None}, {"config": []}, {"subject": 7}])
def test_a_manifest_with_a_wrong_part_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(InvalidManifest):
        parse(make_image(**field))


def test_a_child_over_the_limit_is_refused_before_it_is_asked_for() -> None:
    child = make_descriptor(mediaType=OCI_MANIFEST, size=MAX_MANIFEST_BYTES + 1)
    with pytest.raises(InvalidManifest, match="at most"):
        parse({**make_index(), "manifests": [child]})


def test_bytes_that_are_not_what_was_asked_for_are_refused() -> None:
    raw = json.dumps(make_image()).encode()
    assert parse_manifest(raw, digest=digest_of(raw)).digest == digest_of(raw)
    assert parse_manifest(raw, digest=digest_of(raw, "sha512")).digest.algorithm == "sha512"
    with pytest.raises(InvalidManifest, match="that was asked for"):
        parse_manifest(raw, digest=digest_of(b"other"))


def test_a_manifest_over_the_limit_is_refused() -> None:
    """MAN-09."""
    fitting = json.dumps(make_image(annotations={"a": "x" * (3900 * 1024)})).encode()
    assert parse_manifest(fitting).raw == fitting
    with pytest.raises(InvalidManifest, match="at most"):
        parse_manifest(b" " * (MAX_MANIFEST_BYTES + 1))


def test_an_index_of_too_many_entries_is_refused() -> None:
    """MAN-13."""
    entry = make_descriptor(mediaType=OCI_MANIFEST)
    with pytest.raises(InvalidManifest, match="at most"):
        parse({**make_index(), "manifests": [entry] * (MAX_ENTRIES + 1)})


def test_an_index_of_indexes_is_walked_from_the_bottom_up_each_once() -> None:
    """MAN-12: three levels, and one child that stands twice."""
    first, second = parse(make_image(make_descriptor("1"))), parse(make_image(make_descriptor("2")))
    inner = parse(make_index(first, second, first))
    middle = parse(make_index(inner, first))
    root = parse(make_index(middle, inner))
    contents = {content.digest: content for content in (first, second, inner, middle)}
    assert [content.digest for content in walk(root, contents)] == [
        content.digest for content in (first, second, inner, middle, root)
    ]


def test_a_child_that_was_not_read_is_passed_over() -> None:
    known, unknown = parse(make_image(make_descriptor("1"))), parse(make_image(make_descriptor("2")))
    root = parse(make_index(unknown, known))
    assert list(walk(root, {known.digest: known})) == [known, root]


def test_an_empty_index_has_nothing_below_it() -> None:
    """MAN-12."""
    root = parse(make_index())
    assert list(walk(root, {})) == [root]
    assert parse({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": None}).successors() == ()


def test_an_index_may_hold_what_is_no_image() -> None:
    """MAN-12: a Helm chart, a blob: an entry is what its media type says."""
    entry = make_descriptor("chart", mediaType="application/vnd.cncf.helm.chart.content.v1.tar+gzip")
    content = parse({**make_index(), "manifests": [entry]})
    assert isinstance(content, Index)
    assert not content.successors()[0].is_manifest


def test_platforms_are_those_that_an_image_can_run_on() -> None:
    entries = [
        make_descriptor("a", mediaType=OCI_MANIFEST, platform={"os": "linux", "architecture": "aarch64"}),
        make_descriptor("b", mediaType=OCI_MANIFEST, platform={"os": "unknown", "architecture": "unknown"}),
        make_descriptor("c", mediaType=OCI_MANIFEST, platform="linux/amd64"),
    ]
    content = parse({**make_index(), "manifests": entries})
    assert isinstance(content, Index)
    assert content.platforms() == (Platform("linux", "arm64"),)


def test_a_subject_and_an_artifact_type_are_read() -> None:
    content = parse(make_image(subject=make_descriptor("root", mediaType=OCI_MANIFEST), artifactType="text/spdx"))
    assert content.subject is not None
    assert content.subject.digest == digest_of(b"root")
    assert content.descriptor.artifact_type == "text/spdx"
    assert parse(make_index(subject=make_descriptor("root"))).subject is not None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (base64.b64encode(b"layer").decode(), b"layer"),
        (base64.b64encode(b"other").decode(), None),
        (base64.b64encode(b"layers").decode(), None),
        ("not base64!", None),
        ("é", None),
        (7, None),
    ],
)
def test_embedded_content_is_taken_only_where_it_is_what_the_descriptor_says(
    data: object, expected: bytes | None
) -> None:
    content = parse(make_image(make_descriptor("layer", data=data)))
    assert isinstance(content, Manifest)
    assert content.layers[0].data == expected


def test_annotations_of_a_descriptor_are_kept() -> None:
    content = parse(make_image(make_descriptor(annotations={"a": "b"}), make_descriptor("x", annotations=None)))
    assert isinstance(content, Manifest)
    assert [layer.annotations for layer in content.layers] == [{"a": "b"}, {}]


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_digest_is_that_of_the_bytes(algorithm: str) -> None:
    assert Digest(str(digest_of(b"x", algorithm))).algorithm == algorithm


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(OCI_INDEX) | st.just(make_descriptor()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "artifactType"])


@given(st.dictionaries(KEYS, JSON), st.sampled_from(["", OCI_MANIFEST, OCI_INDEX, "text/plain"]))
def test_any_document_is_read_or_refused(document: dict[str, Any], stated: str) -> None:
    """MAN-11."""
    raw = json.dumps({"schemaVersion": 2, **document}).encode()
    try:
        content = parse_manifest(raw, stated)
    except InvalidManifest:
        return
    assert content.raw == raw


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """MAN-11."""
    with pytest.raises(InvalidManifest):
        parse_manifest(raw)


def test_a_key_that_stands_twice_among_very_many_is_found() -> None:
    """S10. Comparing each with all others would take hours for the largest manifest that is read."""
    keys = [f'"{number}":0' for number in range(120_000)]
    with pytest.raises(InvalidManifest, match="'119999' stands twice"):
        parse_manifest(f"{{{','.join([*keys, keys[-1]])}}}".encode())


@pytest.mark.parametrize("pair", [b"{},", b"[],", b'"xx",', b'"x":0,'])
def test_a_manifest_of_brackets_is_refused_before_it_is_parsed(pair: bytes) -> None:
    """S10: each pair takes twenty times its length in memory."""
    raw = b'{"schemaVersion": 2, "manifests": [' + pair * 300_000 + b"{}]}"
    with pytest.raises(InvalidManifest, match="brackets, commas and colons"):
        parse_manifest(raw, OCI_INDEX)
