"""OCI layout directories: what is on the disk, what is refused (LAY-01), and what survives (LAY-03).

What all stores do is in contract/.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import IntegrityError, InvalidReference, LimitError, NotFoundError, StoreError, UnsupportedError
from imagesync.layout import LayoutRepository, LayoutTree, files
from imagesync.layout.document import REF_NAME, LayoutIndex
from imagesync.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, digest_of
from imagesync.reference import Digest, Repository, Tag
from imagesync.store import Pushed
from tests.images import (
    MadeImage,
    blob_of,
    descriptor_of,
    index_of,
    list_of,
    make_artifact,
    make_image,
    make_index,
    make_referrer,
    push_image,
    reader,
)


@pytest.fixture
def store(tmp_path: Path) -> LayoutRepository:
    return LayoutRepository(tmp_path / "layout")


def index_json(store: LayoutRepository) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((store.directory / "index.json").read_text())["manifests"]
    return entries


def write_index(store: LayoutRepository, *entries: dict[str, Any], **fields: Any) -> None:
    document = {"schemaVersion": 2, "manifests": list(entries), **fields}
    (store.directory / "index.json").write_text(json.dumps(document))


def named(image: MadeImage, name: str, **fields: Any) -> dict[str, Any]:
    return descriptor_of(image.root, annotations={REF_NAME: name}, **fields)


def blob_file(store: LayoutRepository, digest: Digest) -> Path:
    return store.directory / "blobs" / digest.algorithm / digest.encoded


class TestWriting:
    def test_a_missing_directory_becomes_a_layout_with_the_first_write(self, store: LayoutRepository) -> None:
        push_image(store, make_image(), "t")
        assert json.loads((store.directory / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
        assert {path.name for path in store.directory.iterdir()} == {"oci-layout", "index.json", "blobs"}

    def test_every_manifest_is_listed_with_its_type_and_tags_as_ref_names(self, store: LayoutRepository) -> None:
        image = push_image(store, make_index(), "t")
        listed = {entry["digest"]: entry for entry in index_json(store)}
        assert set(listed) == {content.digest for content in image.contents}
        assert listed[image.digest]["mediaType"] == OCI_INDEX
        assert listed[image.digest]["annotations"] == {REF_NAME: "t"}
        assert "annotations" not in listed[image.children[0].digest]

    def test_a_moved_tag_leaves_its_manifest_listed_without_a_name(self, store: LayoutRepository) -> None:
        old, new = push_image(store, make_image("old"), "t"), push_image(store, make_image("new"), "t")
        assert [(entry["digest"], entry.get("annotations")) for entry in index_json(store)] == [
            (old.digest, None),
            (new.digest, {REF_NAME: "t"}),
        ]

    def test_a_moved_tag_leaves_no_unnamed_entry_where_another_tag_names_it(self, store: LayoutRepository) -> None:
        old = push_image(store, make_image("old"), "t", "kept")
        push_image(store, make_image("new"), "t")
        assert [entry["annotations"] for entry in index_json(store) if entry["digest"] == old.digest] == [
            {REF_NAME: "kept"}
        ]

    def test_writing_the_same_again_leaves_the_files_alone(self, store: LayoutRepository) -> None:
        image = push_image(store, make_index(), "t")
        before = {path: path.stat().st_mtime_ns for path in store.directory.rglob("*")}
        push_image(store, image, "t")
        assert {path: path.stat().st_mtime_ns for path in store.directory.rglob("*")} == before

    def test_what_others_wrote_into_index_json_stays(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t")
        entry = named(image, "t", platform={"os": "linux", "architecture": "amd64"}, extra=[1])
        entry["annotations"]["io.containerd.image.name"] = "docker.io/library/x:t"
        write_index(store, entry, annotations={"org.example": "1"})

        push_image(store, make_image("other"), "u")

        assert entry in index_json(store)
        assert json.loads((store.directory / "index.json").read_text())["annotations"] == {"org.example": "1"}

    def test_files_are_readable_as_the_umask_says(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t")
        umask = os.umask(0)
        os.umask(umask)
        for path in (blob_file(store, image.digest), store.directory / "index.json", store.directory / "oci-layout"):
            assert path.stat().st_mode & 0o777 == 0o666 & ~umask

    def test_a_layout_that_lists_too_much_is_refused_before_it_breaks(
        self, store: LayoutRepository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("imagesync.layout.repository.MAX_ENTRIES", 2)
        push_image(store, make_image("1"), "a")
        push_image(store, make_image("2"), "b")
        with pytest.raises(LimitError):
            push_image(store, make_image("3"), "c")
        assert store.list_tags() == (Tag("a"), Tag("b"))


class TestInterruption:
    def test_a_blob_that_breaks_off_leaves_nothing(self, store: LayoutRepository) -> None:
        """LAY-03."""
        with pytest.raises(IntegrityError):
            store.push_blob(blob_of(b"whole"), reader(b"who"))
        assert [path for path in store.directory.rglob("*") if path.is_file()] == []

    def test_index_json_is_the_old_or_the_new_when_a_write_fails(
        self, store: LayoutRepository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """LAY-03. The disk is full at the last step."""
        push_image(store, make_image("old"), "t")
        before = (store.directory / "index.json").read_bytes()

        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        image = make_image("new")
        for blob in image.root.successors():
            store.push_blob(blob, reader(image.blobs[blob.digest]))
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(LimitError, match="No space left"):
            store.push_manifest(image.root, Tag("t"))
        assert (store.directory / "index.json").read_bytes() == before
        assert not list(store.directory.rglob(".partial-*"))

    def test_what_a_killed_run_left_is_removed_once_it_is_old(self, store: LayoutRepository) -> None:
        store.push_blob(blob_of(b"one"), reader(b"one"))
        folder = blob_file(store, blob_of(b"one").digest).parent
        for name, age_seconds in (("old", 4000), ("new", 10)):
            path = folder / f".partial-{name}"
            path.write_bytes(b"half")
            os.utime(path, (time.time() - age_seconds,) * 2)
        LayoutRepository(store.directory).push_blob(blob_of(b"two"), reader(b"two"))
        assert [path.name for path in folder.glob(".partial-*")] == [".partial-new"]

    def test_writers_at_once_lose_nothing(self, tmp_path: Path) -> None:
        """LAY-03."""
        images = [make_image(str(number)) for number in range(8)]

        def write(number: int) -> None:
            push_image(LayoutRepository(tmp_path), images[number], f"t{number}")

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        store = LayoutRepository(tmp_path)
        assert {tag: store.resolve(tag).digest for tag in store.list_tags()} == {
            f"t{number}": image.digest for number, image in enumerate(images)
        }

    def test_a_reader_sees_what_another_writer_changed(self, store: LayoutRepository) -> None:
        push_image(store, make_image("old"), "t")
        store.resolve(Tag("t"))
        new = push_image(LayoutRepository(store.directory), make_image("new"), "t")
        assert store.resolve(Tag("t")).digest == new.digest


class TestHostileLayouts:
    """LAY-01."""

    def test_a_digest_that_is_a_path_is_refused(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t")
        write_index(store, {**named(image, "t"), "digest": "sha256:../../etc/passwd"})
        with pytest.raises(IntegrityError, match=r"digest|hex"):
            store.resolve(Tag("t"))

    def test_two_entries_with_one_name_are_refused(self, store: LayoutRepository) -> None:
        first, second = push_image(store, make_image("1")), push_image(store, make_image("2"))
        write_index(store, named(first, "t"), named(second, "t"))
        with pytest.raises(IntegrityError, match="two manifests"):
            store.resolve(Tag("t"))

    def test_a_blob_that_is_a_link_is_not_read(self, store: LayoutRepository, tmp_path: Path) -> None:
        image = push_image(store, make_image(), "t")
        (tmp_path / "secret").write_bytes(image.root.raw)
        blob_file(store, image.digest).unlink()
        blob_file(store, image.digest).symlink_to(tmp_path / "secret")
        with pytest.raises(StoreError):
            store.fetch_manifest(Tag("t"))
        with pytest.raises(IntegrityError, match="symbolic link"), store.fetch_blob(image.root.descriptor):
            pass
        assert not store.has_blob(image.root.descriptor)

    @pytest.mark.parametrize("name", ["index.json", "oci-layout"])
    def test_a_file_of_the_layout_that_is_a_link_is_not_read(
        self, store: LayoutRepository, tmp_path: Path, name: str
    ) -> None:
        push_image(store, make_image(), "t")
        (store.directory / name).rename(tmp_path / name)
        (store.directory / name).symlink_to(tmp_path / name)
        with pytest.raises(IntegrityError, match="symbolic link"):
            LayoutRepository(store.directory).list_tags()

    def test_a_folder_of_blobs_that_is_a_link_is_not_followed(self, store: LayoutRepository, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        store.directory.mkdir()
        (store.directory / "blobs").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(IntegrityError, match="symbolic link"):
            store.push_blob(blob_of(b"x"), reader(b"x"))
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_a_pipe_in_a_blobs_place_does_not_block(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t")
        blob_file(store, image.digest).unlink()
        os.mkfifo(blob_file(store, image.digest))
        with pytest.raises(IntegrityError, match="regular"), store.fetch_blob(image.root.descriptor):
            pass

    def test_a_manifest_with_wrong_bytes_is_refused(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t")
        raw = image.root.raw.replace(b"sha256:", b"sha256 ", 1)
        blob_file(store, image.digest).write_bytes(raw)
        for target in (Tag("t"), image.digest):
            with pytest.raises(IntegrityError):
                store.fetch_manifest(target)

    def test_a_manifest_of_another_size_is_refused_without_reading_it(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t")
        blob_file(store, image.digest).write_bytes(b"{}")
        with pytest.raises(IntegrityError, match="bytes"):
            store.resolve(Tag("t"))

    def test_an_unlisted_manifest_with_wrong_bytes_is_refused(self, store: LayoutRepository) -> None:
        image = push_image(store, make_index(), "t")
        write_index(store, named(image, "t"))
        child = image.children[0]
        blob_file(store, child.digest).write_bytes(child.raw + b"\n")
        with pytest.raises(IntegrityError):
            store.fetch_manifest(child.digest)

    @pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"null", b'{"schemaVersion": 1}', b"\xff", b"[" * 100_000])
    def test_an_index_json_that_is_none_is_refused(self, store: LayoutRepository, raw: bytes) -> None:
        push_image(store, make_image(), "t")
        (store.directory / "index.json").write_bytes(raw)
        with pytest.raises(IntegrityError):
            store.list_tags()

    @pytest.mark.parametrize("raw", [b"{", b"[]", b"{}", b'{"imageLayoutVersion": "2.0.0"}', b"[" * 4000])
    def test_a_layout_of_another_version_is_refused(self, store: LayoutRepository, raw: bytes) -> None:
        push_image(store, make_image(), "t")
        (store.directory / "oci-layout").write_bytes(raw)
        with pytest.raises(IntegrityError):
            LayoutRepository(store.directory).list_tags()

    def test_names_that_are_no_tags_are_not_listed(self, store: LayoutRepository) -> None:
        """TAG-05."""
        images = [push_image(store, make_image(str(number))) for number in range(4)]
        names = ("good", "../../x", "docker.io/library/x:1", "\x1b[31m")
        write_index(store, *(named(image, name) for image, name in zip(images, names, strict=True)))
        assert store.list_tags() == (Tag("good"),)


class TestReading:
    def test_a_child_that_index_json_does_not_list_is_found(self, store: LayoutRepository) -> None:
        """LAY-05: other tools list the root alone."""
        image = push_image(store, make_index(), "t")
        write_index(store, named(image, "t"))
        for child in image.children:
            assert store.resolve(child.digest) == child.descriptor
            assert store.fetch_manifest(child.digest).raw == child.raw

    def test_a_layer_is_no_manifest(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t")
        with pytest.raises(NotFoundError):
            store.resolve(image.root.successors()[1].digest)

    def test_one_manifest_without_a_name_answers_any_tag_as_a_source(self, tmp_path: Path) -> None:
        image = push_image(LayoutRepository(tmp_path), make_image())
        tree = LayoutTree(tmp_path)
        assert tree.source("any").resolve(Tag("whatever")).digest == image.digest
        assert tree.source("any").list_tags() == ()

    def test_one_manifest_without_a_name_answers_no_tag_as_a_destination(self, tmp_path: Path) -> None:
        """A copy that was cut off before its tag must not look finished."""
        push_image(LayoutRepository(tmp_path), make_image())
        with pytest.raises(NotFoundError):
            LayoutTree(tmp_path).repository("any").resolve(Tag("whatever"))

    def test_two_manifests_answer_only_to_their_names(self, tmp_path: Path) -> None:
        push_image(LayoutRepository(tmp_path), make_index())
        with pytest.raises(NotFoundError):
            LayoutTree(tmp_path).source("any").resolve(Tag("whatever"))


class TestTree:
    def test_each_repository_is_a_folder(self, tmp_path: Path) -> None:
        tree = LayoutTree(tmp_path / "new")
        assert tree.repositories() == ()
        for path in ("mirror/nginx", "mirror", "a.b/c__d/e-f"):
            push_image(tree.repository(path), make_image(path), "t")
        assert (tmp_path / "new" / "mirror" / "nginx" / "index.json").is_file()
        assert tree.repositories() == ("a.b/c__d/e-f", "mirror", "mirror/nginx")

    def test_a_repository_is_opened_once_for_each_side(self, tmp_path: Path) -> None:
        """Each of 300 tags would read index.json anew."""
        push_image(LayoutTree(tmp_path).repository("app"), make_image(), "t")
        tree = LayoutTree(tmp_path)
        assert tree.source("app") is tree.source("app")
        assert tree.repository("app") is tree.repository("app")
        assert tree.source("app") is not tree.repository("app")

    def test_what_another_process_writes_is_seen_by_a_kept_repository(self, tmp_path: Path) -> None:
        tree = LayoutTree(tmp_path)
        one = push_image(LayoutTree(tmp_path).repository("app"), make_image("one"), "t")
        assert tree.source("app").resolve(Tag("t")).digest == one.digest
        two = push_image(LayoutTree(tmp_path).repository("app"), make_image("two"), "t")
        assert tree.source("app").resolve(Tag("t")).digest == two.digest

    @pytest.mark.parametrize("path", ["blobs", "a/blobs", "a/index.json/b", "oci-layout", "a/oci-layout"])
    def test_names_of_a_layouts_own_files_are_refused(self, tmp_path: Path, path: str) -> None:
        with pytest.raises(InvalidReference, match="own names"):
            LayoutTree(tmp_path).repository(path)

    @pytest.mark.parametrize("path", ["", "..", "../x", "/etc", "a//b", "a/../b", "_uploads", ".hidden", "A"])
    def test_names_that_are_no_repositories_are_refused(self, tmp_path: Path, path: str) -> None:
        """S17, S27."""
        with pytest.raises(InvalidReference):
            LayoutTree(tmp_path).repository(path)

    def test_a_repository_that_is_a_link_is_refused_and_not_listed(self, tmp_path: Path) -> None:
        push_image(LayoutRepository(tmp_path / "elsewhere"), make_image(), "t")
        (tmp_path / "root").mkdir()
        (tmp_path / "root" / "linked").symlink_to(tmp_path / "elsewhere")
        assert LayoutTree(tmp_path / "root").repositories() == ()
        with pytest.raises(IntegrityError, match="symbolic link"):
            LayoutTree(tmp_path / "root").repository("linked")

    def test_a_root_that_is_a_layout_is_one_repository_of_any_name(self, tmp_path: Path) -> None:
        image = push_image(LayoutRepository(tmp_path), make_image(), "t")
        tree = LayoutTree(tmp_path)
        assert tree.repository("one").resolve(Tag("t")).digest == image.digest
        assert tree.repository("two/deep").resolve(Tag("t")).digest == image.digest
        assert tree.repositories() == ()

    def test_a_mount_is_a_hard_link(self, tmp_path: Path) -> None:
        tree, blob = LayoutTree(tmp_path), blob_of(b"shared")
        tree.repository("one").push_blob(blob, reader(b"shared"))
        pushed = tree.repository("two").push_blob(blob, reader(b"never read"), Repository("oci:x", "one"))
        assert pushed is Pushed.MOUNTED
        assert blob_file(tree.repository("two"), blob.digest).stat().st_nlink == 2

    def test_a_mount_is_a_copy_where_links_cannot_be_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_arguments: object, **_options: object) -> None:
            raise OSError(1, "Operation not permitted")

        tree, blob = LayoutTree(tmp_path), blob_of(b"shared")
        tree.repository("one").push_blob(blob, reader(b"shared"))
        monkeypatch.setattr(os, "link", refuse)
        assert tree.repository("two").mount_blob(blob, "one")
        assert blob_file(tree.repository("two"), blob.digest).read_bytes() == b"shared"


class TestBatches:
    """Decision 26: one write of index.json for an image, where it is copied from end to end."""

    def test_children_are_listed_with_the_tag_of_their_index(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = count_writes(monkeypatch)
        store = LayoutTree(tmp_path, lists_with_tag=True).repository("app")
        image = make_index()
        for content in image.contents:
            for blob in content.successors():
                if blob.digest in image.blobs:
                    store.push_blob(blob, reader(image.blobs[blob.digest]))
            store.push_manifest(content, Tag("t") if content is image.root else None)
        assert written == [store.directory / "index.json"]
        assert {entry["digest"] for entry in index_json(store)} == {content.digest for content in image.contents}

    def test_a_child_is_there_by_digest_at_once(self, tmp_path: Path) -> None:
        store = LayoutTree(tmp_path, lists_with_tag=True).repository("app")
        image = push_image(LayoutTree(tmp_path).repository("app"), make_image(), "old")
        child = push_image(store, make_image("child"))
        assert store.resolve(child.digest) == child.root.descriptor
        assert LayoutTree(tmp_path).repository("app").fetch_manifest(child.digest).raw == child.root.raw
        assert [entry["digest"] for entry in index_json(store)] == [image.digest]

    def test_a_child_is_there_by_digest_in_a_layout_that_is_not_finished(self, tmp_path: Path) -> None:
        store = LayoutTree(tmp_path, lists_with_tag=True).repository("app")
        child = push_image(store, make_image("child"))
        assert store.resolve(child.digest) == child.root.descriptor
        assert not (store.directory / "index.json").exists()

    def test_a_child_stays_to_be_listed_where_the_write_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = LayoutTree(tmp_path, lists_with_tag=True).repository("app")
        image = push_image(store, make_index())
        with monkeypatch.context() as patched:
            patched.setattr(files, "write_file", refuse_to_write)
            with pytest.raises(LimitError):
                store.push_manifest(image.root, Tag("t"))
        store.push_manifest(image.root, Tag("t"))
        assert {entry["digest"] for entry in index_json(store)} == {content.digest for content in image.contents}


def refuse_to_write(_path: Path, _raw: bytes) -> None:
    raise OSError(28, "No space left on device")


def count_writes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are replaced from here on."""
    written: list[Path] = []
    write_file = files.write_file

    def write(path: Path, raw: bytes) -> None:
        written.append(path)
        write_file(path, raw)

    monkeypatch.setattr(files, "write_file", write)
    return written


class TestDeleting:
    def test_a_deleted_tag_leaves_its_manifest(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t", "u")
        store.delete_tag(Tag("t"))
        assert store.list_tags() == (Tag("u"),)
        store.delete_tag(Tag("u"))
        assert store.resolve(image.digest).digest == image.digest
        with pytest.raises(NotFoundError):
            store.delete_tag(Tag("u"))

    def test_a_deleted_manifest_takes_its_tags_along(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t", "u")
        store.delete_manifest(image.digest)
        assert store.list_tags() == ()
        with pytest.raises(NotFoundError):
            store.fetch_manifest(image.digest)
        with pytest.raises(NotFoundError):
            store.delete_manifest(image.digest)

    def test_a_manifest_cannot_be_deleted_as_a_blob(self, store: LayoutRepository) -> None:
        image = push_image(store, make_image(), "t")
        with pytest.raises(UnsupportedError):
            store.delete_blob(image.digest)
        assert store.resolve(Tag("t")).digest == image.digest


names = st.sampled_from(["a", "b", "c"]).map(Tag)
digests = st.integers(0, 4).map(lambda number: digest_of(str(number).encode()))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("tag"), names, digests),
        st.tuples(st.just("push"), names, digests),
        st.tuples(st.just("untag"), names, digests),
        st.tuples(st.just("delete"), names, digests),
    ),
    max_size=30,
)


@given(steps)
def test_index_json_behaves_like_a_map_of_tags_and_a_set_of_manifests(
    done: list[tuple[str, Tag, Digest]],
) -> None:
    tags: dict[str, Digest] = {}
    manifests: set[Digest] = set()
    index = LayoutIndex()
    for step, name, digest in done:
        descriptor = Descriptor(OCI_MANIFEST, digest, 1)
        if step == "tag":
            index, tags[name] = index.with_manifest(descriptor, name), digest
            manifests.add(digest)
        elif step == "push":
            index = index.with_manifest(descriptor)
            manifests.add(digest)
        elif step == "untag":
            index = index.without_tag(name)
            tags.pop(name, None)
        else:
            index = index.without_manifest(digest)
            manifests.discard(digest)
            tags = {tag: held for tag, held in tags.items() if held != digest}
        index = LayoutIndex.parse(index.to_bytes())
        assert {tag: entry.digest for tag in index.tags if (entry := index.find(tag))} == tags
        assert {entry.digest for entry in index.entries} == manifests
        unnamed = [entry.digest for entry in index.entries if entry.name is None]
        assert len(set(unnamed)) == len(unnamed)
        assert not set(unnamed) & set(tags.values())


@given(st.binary(max_size=200))
def test_any_bytes_are_an_index_or_an_integrity_error(raw: bytes) -> None:
    with suppress(IntegrityError):
        assert LayoutIndex.parse(LayoutIndex.parse(raw).to_bytes()).entries == ()


class TestReferrers:
    """By the subject that a manifest names, and by the list that a client keeps under a tag."""

    SUBJECT = make_image("subject")

    def listed(self, store: LayoutRepository) -> list[Digest]:
        return [entry.digest for entry in store.list_referrers(self.SUBJECT.digest) or ()]

    def test_a_layout_that_is_not_there_yet_has_none(self, store: LayoutRepository) -> None:
        assert store.list_referrers(self.SUBJECT.digest) == ()

    def test_what_names_a_subject_is_listed_below_an_index_too(self, store: LayoutRepository) -> None:
        sbom = push_image(store, make_referrer(self.SUBJECT.root))
        child = make_image("child", subject=descriptor_of(self.SUBJECT.root))
        push_image(store, index_of([descriptor_of(child.root)], [child]), "t")
        push_image(store, make_image("another"), "other")
        write_index(store, *(entry for entry in index_json(store) if entry["digest"] != child.digest))
        assert self.listed(store) == [sbom.digest, child.digest]
        assert store.list_referrers(sbom.digest) == ()

    def test_what_a_client_has_listed_under_the_tag_is_listed_once_with_the_rest(self, store: LayoutRepository) -> None:
        sbom, both = make_referrer(self.SUBJECT.root, "sbom"), make_referrer(self.SUBJECT.root, "both")
        unnamed = make_artifact("names no subject")
        push_image(store, list_of(unnamed, both), self.SUBJECT.digest.as_tag)
        push_image(store, sbom)
        assert sorted(self.listed(store)) == sorted([unnamed.digest, both.digest, sbom.digest])

    def test_a_tag_that_is_no_list_is_refused(self, store: LayoutRepository) -> None:
        """RFR-02."""
        push_image(store, make_image(), self.SUBJECT.digest.as_tag)
        with pytest.raises(IntegrityError, match="points to is something else") as caught:
            store.list_referrers(self.SUBJECT.digest)
        assert caught.value.hint == "delete or rename that tag"

    def test_one_that_comes_later_is_seen_and_one_that_is_gone_is_not(self, store: LayoutRepository) -> None:
        first, second = make_referrer(self.SUBJECT.root, "first"), make_referrer(self.SUBJECT.root, "second")
        push_image(store, first)
        assert self.listed(store) == [first.digest]
        push_image(store, second)
        assert self.listed(store) == [first.digest, second.digest]
        blob_file(store, first.digest).unlink()
        assert self.listed(store) == [second.digest]

    def test_one_that_comes_alone_is_listed_though_others_wait_for_a_tag(self, tmp_path: Path) -> None:
        store = LayoutRepository(tmp_path / "layout", lists_with_tag=True)
        sbom = push_image(store, make_referrer(self.SUBJECT.root))
        assert self.listed(store) == [sbom.digest]
        assert [entry["digest"] for entry in index_json(store)] == [sbom.digest]

    def test_a_damaged_manifest_spoils_no_list(self, store: LayoutRepository) -> None:
        good, bad = make_referrer(self.SUBJECT.root, "good"), make_referrer(self.SUBJECT.root, "bad")
        for one in (good, bad):
            push_image(store, one)
        blob_file(store, bad.digest).write_bytes(b"x" * len(bad.root.raw))
        assert self.listed(store) == [good.digest]
