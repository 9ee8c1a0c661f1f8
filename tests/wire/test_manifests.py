"""The group MAN as whole runs: what a registry says of a manifest, and what arrives or is refused before any write."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from imagesync.manifest import (
    ACCEPT,
    DOCKER_LIST,
    MAX_MANIFEST_BYTES,
    OCI_INDEX,
    OCI_MANIFEST,
    Content,
    digest_of,
    parse_manifest,
)
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Tag
from tests.fakes.registry import FakeRegistry
from tests.images import MadeImage, descriptor_of, index_of, make_artifact, make_image, make_index
from tests.traces.harness import Sync, kinds
from tests.wire.conftest import Broken, Clock
from tests.wire.relay import Break

LATEST = Tag("latest")
WRITES = {"POST", "PATCH", "PUT", "DELETE"}


def arrived(sync: Sync) -> Content:
    """What the destination's tag leads to."""
    return sync.destination.repository("mirror/app").fetch_manifest(LATEST)


def check_copied(sync: Sync, image: MadeImage) -> None:
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.reason) == (Status.COPIED, "")
    assert (arrived(sync).raw, arrived(sync).media_type) == (image.root.raw, image.root.media_type)


def refused(sync: Sync, kind: str) -> Outcome:
    """The run must fail so, with nothing written."""
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, kind), outcome.reason
    assert not [entry.line for entry in sync.destination.log.entries() if entry.method in WRITES]
    return outcome


def serve(registry: FakeRegistry, body: bytes, content_type: str, **headers: str) -> None:
    """Answer every question for a manifest with this."""
    named = {"Content-Type": content_type, **{name.replace("_", "-"): text for name, text in headers.items()}}
    registry.script("GET", "/manifests/", status=200, headers=named, body=body)
    registry.script("HEAD", "/manifests/", status=405)


@pytest.mark.parametrize("docker", [False, True])
def test_an_index_is_asked_for_in_every_form_and_arrives_whole(sync: Sync, docker: bool) -> None:
    """MAN-01, MAN-02: the list, and not the one image in it that an old registry would give."""
    image = make_index(docker=docker)
    sync.fill(image, "latest")
    check_copied(sync, image)
    assert arrived(sync).media_type == (DOCKER_LIST if docker else OCI_INDEX)
    asked = [entry for side in (sync.source, sync.destination) for entry in side.log.entries("", "/manifests/")]
    assert {entry.headers["Accept"] for entry in asked} == {ACCEPT}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/json",
    ],
)
@pytest.mark.parametrize("has_head", [False, True])
def test_schema_1_is_refused_by_name(sync: Sync, content_type: str, has_head: bool) -> None:
    """MAN-03."""
    body = json.dumps({"schemaVersion": 1, "name": "app", "tag": "latest", "fsLayers": []}).encode()
    headers = {"Content-Type": content_type, "Docker-Content-Digest": digest_of(body)}
    if has_head:
        sync.source.script("HEAD", "/manifests/", status=200, headers=headers)
    serve(sync.source, body, content_type)
    outcome = refused(sync, "unsupported")
    assert "schema 1" in outcome.reason


@pytest.mark.parametrize(
    ("status", "headers"),
    [(405, {}), (404, {}), (None, {"Docker-Content-Digest": ""}), (None, {"Content-Type": ""})],
    ids=["405", "404", "no digest", "no type"],
)
def test_a_registry_without_a_good_head_is_read(sync: Sync, status: int | None, headers: Mapping[str, str]) -> None:
    """MAN-04."""
    image = make_index()
    sync.fill(image, "latest")
    sync.source.script("HEAD", "/manifests/", status=status, headers=headers)
    check_copied(sync, image)


def test_a_header_that_is_not_the_digest_of_the_bytes_is_refused(sync: Sync) -> None:
    """MAN-05: by tag. By digest the bytes are right, and the header lies all the same."""
    image = make_image()
    sync.fill(image, "latest")
    serve(sync.source, image.root.raw, OCI_MANIFEST, Docker_Content_Digest=digest_of(b"another"))
    assert refused(sync, "integrity").reason.startswith("source")
    sync.source.unscript()
    sync.source.script("GET", "/manifests/sha256:", headers={"Docker-Content-Digest": digest_of(b"another")})
    refused(sync, "integrity")


def test_another_manifest_than_the_digest_asked_for_is_refused(sync: Sync) -> None:
    """MAN-06: its body and its header agree."""
    image, other = make_image("asked"), make_image("given")
    sync.fill(image, "latest")
    headers = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": other.digest}
    sync.source.script("GET", "/manifests/sha256:", status=200, headers=headers, body=other.root.raw)
    refused(sync, "integrity")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "text/plain", ""])
def test_the_type_comes_from_the_document_where_the_header_is_vague(sync: Sync, content_type: str) -> None:
    """MAN-07: of an index, and of what it lists."""
    image = make_index(docker=True)
    sync.fill(image, "latest")
    for method in ("HEAD", "GET"):
        sync.source.script(method, "/manifests/", headers={"Content-Type": content_type})
    check_copied(sync, image)


TWO_AT_ONCE = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "layers": []}
ANOTHER_TYPE = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}


@pytest.mark.parametrize(("document", "served_as"), [(TWO_AT_ONCE, OCI_INDEX), (ANOTHER_TYPE, DOCKER_LIST)])
def test_a_document_of_two_types_is_refused(sync: Sync, document: object, served_as: str) -> None:
    """MAN-08 (CVE-2021-41190)."""
    serve(sync.source, json.dumps(document).encode(), served_as)
    refused(sync, "protocol")


def test_a_manifest_just_below_the_limit_is_copied_and_one_above_it_is_not(sync: Sync) -> None:
    """MAN-09."""
    image = make_image(annotations={"padding": "x" * 3_900_000})
    sync.fill(image, "latest")
    check_copied(sync, image)
    serve(sync.source, image.root.raw.ljust(MAX_MANIFEST_BYTES + 1), OCI_MANIFEST)
    outcome = refused(sync, "protocol")
    assert str(MAX_MANIFEST_BYTES) in outcome.reason


ODD = [
    b'{ "layers" : [],\r\n\t"unknown": {"\\u00e9": 1e4000, "deep": [[[]]]},\n "config":CONFIG, "schemaVersion":2}\n\n',
    b'{"config":CONFIG,"schemaVersion":2,"annotations":{"name":"\\u0041\\/\xc3\xa9"},"mediaType":"TYPE","layers":null}',
]


@pytest.mark.parametrize("form", ODD)
def test_a_manifest_of_odd_form_arrives_byte_for_byte(sync: Sync, form: bytes) -> None:
    """MAN-10: white space, the order of keys, unknown fields, escapes, line ends at the end."""
    config = b'{"architecture": "amd64"}'
    described = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config)}
    entry = json.dumps({**described, "size": len(config)}, indent=3).encode()
    raw = form.replace(b"CONFIG", entry).replace(b"TYPE", OCI_MANIFEST.encode())
    image = MadeImage(parse_manifest(raw), (), {digest_of(config): config})
    sync.fill(image, "latest")
    check_copied(sync, image)


BROKEN = {
    "no JSON": b"{",
    "UTF-16": '{"schemaVersion": 2}'.encode("utf-16"),
    "BOM": b'\xef\xbb\xbf{"schemaVersion": 2, "manifests": []}',
    "a key twice": b'{"schemaVersion": 2, "manifests": [], "manifests": []}',
    "deep": b"[" * 100_000,
    "deep in an object": b'{"a":' * 100_000,
    "NaN": b'{"schemaVersion": NaN, "manifests": []}',
    "a list": b"[]",
    "negative size": json.dumps(
        {"schemaVersion": 2, "manifests": [{"mediaType": OCI_MANIFEST, "digest": digest_of(b""), "size": -1}]}
    ).encode(),
    "huge size": json.dumps(
        {"schemaVersion": 2, "manifests": [{"mediaType": OCI_MANIFEST, "digest": digest_of(b""), "size": 2**64}]}
    ).encode(),
    "a long number": b'{"schemaVersion": 2, "manifests": [], "a": ' + b"9" * 100_000 + b"}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_no_manifest_is_one_image_that_failed(sync: Sync, body: bytes) -> None:
    """MAN-11: an error of its own, short, and no mistake of ours."""
    serve(sync.source, body, "application/json")
    outcome = refused(sync, "protocol")
    assert len(outcome.reason) < 500
    assert outcome.reason.isprintable()


def test_a_nested_index_is_written_from_the_bottom_up_and_each_child_once(sync: Sync) -> None:
    """MAN-12: three levels, a child twice, an empty index, and an entry that is no image."""
    leaf, artifact = make_image("leaf"), make_artifact("note")
    empty = index_of([], [])
    twice = [descriptor_of(leaf.root), descriptor_of(leaf.root, annotations={"again": "yes"})]
    inner = index_of([*twice, descriptor_of(artifact.root)], [leaf, artifact])
    image = index_of([descriptor_of(part.root) for part in (inner, empty, leaf)], [inner, empty, leaf])
    sync.fill(image, "latest")
    check_copied(sync, image)
    puts = [entry.path.rpartition("/")[2] for entry in sync.destination.log.entries("PUT", "/manifests/")]
    assert sorted(puts) == sorted([leaf.digest, artifact.digest, empty.digest, inner.digest, "latest"])
    assert puts.index(leaf.digest) < puts.index(inner.digest)
    assert puts[-1] == "latest"


def test_an_index_nested_fifty_levels_deep_is_refused_before_any_write(sync: Sync) -> None:
    """MAN-13."""
    image = make_image()
    for _ in range(50):
        image = index_of([descriptor_of(image.root)], [image])
    sync.fill(image, "latest")
    refused(sync, "manifest")
    assert len(sync.source.log.entries("GET", "/manifests/")) < 10


def test_a_million_entries_are_refused_before_any_write(sync: Sync) -> None:
    """MAN-13: 10⁶ of the shortest entries are over the limit in bytes, 20,000 of them over that in number."""
    entry = b'{"mediaType":"a","digest":"sha256:' + b"0" * 64 + b'","size":1}'
    for count in (20_000, 1_000_000):
        sync.source.unscript()
        serve(sync.source, b'{"schemaVersion":2,"manifests":[' + b",".join([entry] * count) + b"]}", OCI_INDEX)
        refused(sync, "protocol")


def test_a_blob_that_the_registry_misses_is_brought_and_the_manifest_written_once_more(broken: Broken) -> None:
    """MAN-14: it was collected since it was seen."""
    image = make_image(layers=2)
    broken.sync.fill(image, "latest")
    broken.sync.fill(image, "latest", path="other")
    gone = next(iter(image.blobs))
    broken.destination.answers(
        "HEAD", f"/blobs/{gone}", 200, headers={"Content-Length": str(len(image.blobs[gone]))}, times=1
    )
    check_copied(broken.sync, image)
    puts = broken.sync.destination.log.lines("PUT", "/manifests/")
    assert [line.rpartition(" ")[2] for line in puts] == ["400", "201"]
    assert kinds(broken.sync.destination)["PUT uploads"] == len(image.blobs)


def test_a_tag_whose_answer_is_lost_is_looked_at(broken: Broken) -> None:
    """MAN-15."""
    image = make_image()
    broken.sync.fill(image, "latest")
    broken.destination.breaks("PUT", "/manifests/latest", Break.LOSE, times=99)
    check_copied(broken.sync, image)
    assert broken.sync.destination.log.lines("", "/manifests/")[-1].startswith("HEAD ")


def test_a_tag_that_moves_between_plan_and_apply_is_copied_as_planned(sync: Sync) -> None:
    """MAN-17."""
    image = make_image("planned")
    sync.fill(image, "latest")
    plan = sync.plan("latest")
    sync.fill(make_image("moved"), "latest")
    (outcome,) = sync.apply(plan=plan)
    assert outcome.status is Status.COPIED
    assert arrived(sync).digest == image.digest


def test_a_fixed_tag_is_left_as_it_is_and_not_tried_again(sync: Sync, clock: Clock) -> None:
    """MAN-18: the same digest is nothing to do; another is refused once, and says what it is."""
    image = make_image("old")
    sync.fill(image, "latest")
    check_copied(sync, image)
    body = b'{"errors":[{"code":"TAG_IMMUTABLE","message":"tag is immutable"}]}'
    rule = sync.destination.script("PUT", "/manifests/latest", status=400, body=body)
    assert [outcome.status for outcome in sync.apply("latest")] == [Status.UNCHANGED]
    sync.fill(make_image("new"), "latest")
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind, outcome.exit_code) == (Status.FAILED, "immutable", 3)
    assert (rule.seen, clock.waits) == (1, [])
    assert arrived(sync).digest == image.digest


def test_blobs_of_another_algorithm_are_verified_by_it(sync: Sync) -> None:
    """MAN-20: sha512, though the registry names what it stored by sha256."""
    image = make_sha512_image()
    sync.fill(image, "latest")
    sync.destination.script("PUT", "/uploads/", headers={"Docker-Content-Digest": digest_of(b"whatever it says")})
    check_copied(sync, image)
    for blob in image.root.successors():
        assert blob.digest.algorithm == "sha512"
        assert sync.destination.repository("mirror/app").has_blob(blob)


def test_a_blob_that_does_not_hash_to_its_sha512_is_refused(sync: Sync) -> None:
    """MAN-20."""
    image = make_sha512_image()
    sync.fill(image, "latest")
    sync.source.script("GET", "/blobs/sha512:", status=200, body=SHA512_BODY[::-1])
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "integrity")
    assert "sha512:" in outcome.reason


SHA512_BODY = b"a layer" * 100


def make_sha512_image() -> MadeImage:
    """One whose config and only layer are named by sha512; they are the same bytes."""
    digest = digest_of(SHA512_BODY, "sha512")
    blob = {"mediaType": "application/octet-stream", "digest": digest, "size": len(SHA512_BODY)}
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blob, "layers": [blob]}
    return MadeImage(parse_manifest(json.dumps(document).encode(), OCI_MANIFEST), (), {digest: SHA512_BODY})
