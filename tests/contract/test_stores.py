"""What every store does alike: a layout, an archive and a registry behind the same Protocols."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from imagesync.errors import NotFoundError, StoreError
from imagesync.manifest import DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Index, Manifest, digest_of
from imagesync.reference import Repository, Tag
from imagesync.store import CHUNK_BYTES, Pushed, Readable
from tests.contract.stores import DESTINATIONS, SOURCES, Destination
from tests.images import (
    MadeImage,
    blob_of,
    make_artifact,
    make_bytes,
    make_image,
    make_index,
    make_referrer,
    push_image,
    reader,
)

ABSENT = digest_of(b"nobody has this")


@pytest.fixture(scope="module")
def image() -> MadeImage:
    return make_index("contract", attestations=True, layer_bytes=CHUNK_BYTES + 1)


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path, image: MadeImage) -> Iterator[Readable]:
    with SOURCES[request.param](tmp_path, image) as opened:
        yield opened


@pytest.fixture(params=DESTINATIONS)
def destination(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Destination]:
    with DESTINATIONS[request.param](tmp_path) as opened:
        yield opened


def test_a_tag_and_its_digest_resolve_to_the_same_descriptor(source: Readable, image: MadeImage) -> None:
    expected = image.root.descriptor
    for target in (Tag("first"), Tag("second"), image.digest):
        found = source.resolve(target)
        assert (found.media_type, found.digest, found.size_bytes) == (
            expected.media_type,
            expected.digest,
            expected.size_bytes,
        )


def test_manifests_come_back_byte_for_byte(source: Readable, image: MadeImage) -> None:
    assert source.fetch_manifest(Tag("first")).raw == image.root.raw
    for content in image.contents:
        found = source.fetch_manifest(content.digest)
        assert (found.raw, found.media_type) == (content.raw, content.media_type)


def test_blobs_come_in_pieces_of_a_mebibyte_at_most_and_can_be_opened_again(source: Readable, image: MadeImage) -> None:
    child = image.children[0]
    assert isinstance(child, Manifest)
    for _ in range(2):
        with source.fetch_blob(child.layers[0]) as pieces:
            found = list(pieces)
        assert b"".join(found) == image.blobs[child.layers[0].digest]
        assert max(map(len, found)) <= CHUNK_BYTES


@pytest.mark.parametrize("from_byte", [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_a_blob_can_be_read_from_any_byte_on(source: Readable, image: MadeImage, from_byte: int) -> None:
    """BLB-06."""
    child = image.children[0]
    assert isinstance(child, Manifest)
    layer = child.layers[0]
    with source.fetch_blob(layer, from_byte=from_byte) as pieces:
        assert b"".join(pieces) == image.blobs[layer.digest][from_byte:]


def test_a_blob_can_be_left_half_read(source: Readable, image: MadeImage) -> None:
    child = image.children[0]
    assert isinstance(child, Manifest)
    with source.fetch_blob(child.layers[0]) as pieces:
        next(iter(pieces))
    assert source.has_blob(child.config)


def test_tags_are_listed_sorted(source: Readable) -> None:
    assert source.list_tags() == (Tag("first"), Tag("second"))


def test_what_is_not_there_is_not_found(source: Readable) -> None:
    absent = Descriptor("application/octet-stream", ABSENT, 15)
    assert not source.has_blob(absent)
    for target in (Tag("absent"), ABSENT):
        with pytest.raises(NotFoundError):
            source.resolve(target)
        with pytest.raises(NotFoundError):
            source.fetch_manifest(target)
    with pytest.raises(NotFoundError), source.fetch_blob(absent) as pieces:
        list(pieces)


def test_a_blob_of_another_size_is_not_the_blob(source: Readable, image: MadeImage) -> None:
    """BLB-09."""
    child = image.children[0]
    assert isinstance(child, Manifest)
    assert source.has_blob(child.config)
    assert not source.has_blob(replace(child.config, size_bytes=child.config.size_bytes + 1))


def test_what_speaks_of_another_is_listed_with_it_where_the_store_says_so(destination: Destination) -> None:
    store, image = destination("spoken/of"), make_image("subject")
    push_image(store, image, "1")
    referrer = make_referrer(image.root)
    for data in referrer.blobs.values():
        store.push_blob(blob_of(data), reader(data))
    assert store.push_referrer(referrer.root, image.digest)
    assert [one.digest for one in store.list_referrers(image.digest) or ()] == [referrer.digest]


def test_a_repository_that_is_not_there_is_not_found(destination: Destination) -> None:
    store = destination("not/there")
    with pytest.raises(NotFoundError):
        store.list_tags()
    with pytest.raises(NotFoundError):
        store.resolve(Tag("t"))
    assert not store.has_blob(Descriptor("application/octet-stream", ABSENT, 15))


@pytest.mark.parametrize("size_bytes", [0, 1, 2, CHUNK_BYTES, 2 * CHUNK_BYTES + 1])
def test_a_pushed_blob_is_there(destination: Destination, size_bytes: int) -> None:
    """BLB-01, UPL-01."""
    data = make_bytes("blob", size_bytes)
    store = destination("a")
    assert store.push_blob(blob_of(data), reader(data)) is Pushed.UPLOADED
    assert store.has_blob(blob_of(data))


def test_the_size_of_a_blob_is_that_of_what_is_stored(destination: Destination) -> None:
    store = destination("a")
    store.push_blob(blob_of(b"12345"), reader(b"12345"))
    assert store.blob_size(blob_of(b"12345").digest) == 5
    assert store.blob_size(ABSENT) is None
    assert destination("not/there").blob_size(ABSENT) is None


def test_a_sha512_blob_is_kept_under_its_own_digest(destination: Destination) -> None:
    """MAN-20."""
    blob = blob_of(b"long digest", algorithm="sha512")
    destination("a").push_blob(blob, reader(b"long digest"))
    assert destination("a").has_blob(blob)


@pytest.mark.parametrize("wrong", [b"short", b"wrong bytes!", b"longer than it should be"])
def test_bytes_that_are_not_the_blob_are_not_stored(destination: Destination, wrong: bytes) -> None:
    """BLB-07, UPL-08."""
    store, blob = destination("a"), blob_of(b"right bytes!")
    with pytest.raises(StoreError):
        store.push_blob(blob, reader(wrong))
    assert not store.has_blob(blob)


def test_a_blob_of_another_repository_is_mounted_and_not_read(destination: Destination) -> None:
    """MNT-01."""
    first = destination("one")
    first.push_blob(blob_of(b"shared"), reader(b"shared"))

    def must_not_be_read(_start: int) -> object:
        raise AssertionError("the blob was read though it can be mounted")

    place = Repository(_registry_of(first), "one")
    second = destination("two")
    pushed = second.push_blob(blob_of(b"shared"), must_not_be_read, place)  # type: ignore[arg-type]

    assert pushed is Pushed.MOUNTED
    assert second.has_blob(blob_of(b"shared"))


def test_a_blob_that_cannot_be_mounted_is_uploaded(destination: Destination) -> None:
    """MNT-02."""
    place = Repository(_registry_of(destination("one")), "one")
    assert destination("two").push_blob(blob_of(b"own"), reader(b"own"), place) is Pushed.UPLOADED
    assert destination("two").has_blob(blob_of(b"own"))


@pytest.mark.parametrize("docker", [False, True])
def test_an_image_is_stored_byte_for_byte_with_its_types(destination: Destination, docker: bool) -> None:
    """LAY-04, MAN-01, MAN-02."""
    image = push_image(destination("a"), make_index(docker=docker), "t")
    for content in image.contents:
        found = destination("a").fetch_manifest(content.digest)
        assert (found.raw, found.media_type) == (content.raw, content.media_type)
    types = {content.media_type for content in image.contents}
    assert types == ({DOCKER_LIST, DOCKER_MANIFEST} if docker else {c.media_type for c in make_index().contents})


def test_a_manifest_by_digest_has_no_tag(destination: Destination) -> None:
    image = push_image(destination("a"), make_image())
    assert destination("a").list_tags() == ()
    assert destination("a").resolve(image.digest).digest == image.digest
    with pytest.raises(NotFoundError):
        destination("a").resolve(Tag("any"))


def test_a_tag_moves_and_what_it_left_stays_by_digest(destination: Destination) -> None:
    store = destination("a")
    old = push_image(store, make_image("old"), "t")
    new = push_image(store, make_image("new"), "t")
    assert store.resolve(Tag("t")).digest == new.digest
    assert store.resolve(old.digest).digest == old.digest
    assert store.list_tags() == (Tag("t"),)


def test_several_tags_on_one_manifest(destination: Destination) -> None:
    image = push_image(destination("a"), make_artifact(), "one", "two", "three")
    assert destination("a").list_tags() == (Tag("one"), Tag("three"), Tag("two"))
    assert {destination("a").resolve(tag).digest for tag in destination("a").list_tags()} == {image.digest}


def test_a_tag_that_is_deleted_leaves_its_manifest_and_the_other_tags_on_it(destination: Destination) -> None:
    store = destination("a")
    image = push_image(store, make_image(), "one", "two")
    store.delete_tag(Tag("one"))
    assert store.list_tags() == (Tag("two"),)
    assert store.resolve(image.digest).digest == image.digest
    store.delete_tag(Tag("two"))
    assert store.list_tags() == ()
    assert store.resolve(image.digest).digest == image.digest


def test_a_manifest_that_is_deleted_takes_its_tags_along(destination: Destination) -> None:
    store = destination("a")
    other = push_image(store, make_image("other"), "other")
    image = push_image(store, make_image(), "one", "two")
    store.delete_manifest(image.digest)
    assert store.list_tags() == (Tag("other"),)
    with pytest.raises(NotFoundError):
        store.resolve(image.digest)
    assert store.resolve(Tag("other")).digest == other.digest


def test_what_is_not_there_cannot_be_deleted(destination: Destination) -> None:
    """DEL-04: whoever deletes takes that for done."""
    store = destination("a")
    with pytest.raises(NotFoundError):
        store.delete_tag(Tag("any"))
    push_image(store, make_image(), "one")
    with pytest.raises(NotFoundError):
        store.delete_tag(Tag("any"))
    with pytest.raises(NotFoundError):
        store.delete_manifest(ABSENT)


def test_a_manifest_without_its_blobs_is_refused(destination: Destination) -> None:
    """MAN-14."""
    image = make_image()
    with pytest.raises(StoreError) as caught:
        destination("a").push_manifest(image.root, Tag("t"))
    assert caught.value.code == "MANIFEST_BLOB_UNKNOWN"
    with pytest.raises(NotFoundError):
        destination("a").resolve(Tag("t"))


def test_an_index_without_its_children_is_refused(destination: Destination) -> None:
    image = make_index()
    assert isinstance(image.root, Index)
    with pytest.raises(StoreError) as caught:
        destination("a").push_manifest(image.root)
    assert caught.value.code == "MANIFEST_BLOB_UNKNOWN"


def test_an_image_is_copied_between_stores_by_the_protocols_alone(
    source: Readable, destination: Destination, image: MadeImage
) -> None:
    store = destination("copied")
    for child in source.fetch_manifest(Tag("first")).successors():
        content = source.fetch_manifest(child.digest)
        for blob in content.successors():
            store.push_blob(blob, partial(_open, source, blob))
        store.push_manifest(content)
    store.push_manifest(source.fetch_manifest(Tag("first")), Tag("t"))
    assert store.fetch_manifest(Tag("t")).raw == image.root.raw


def _registry_of(store: object) -> str:
    """What the spec calls the registry of a store."""
    repository = getattr(store, "repository", None)
    return repository.registry if isinstance(repository, Repository) else "oci:anywhere"


def _open(source: Readable, blob: Descriptor, start: int) -> AbstractContextManager[Iterator[bytes]]:
    return source.fetch_blob(blob, from_byte=start)
