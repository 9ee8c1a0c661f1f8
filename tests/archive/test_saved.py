"""Whoever wrote an archive is not trusted: what is refused of manifest.json and of the files that it names (LAY-02)."""

from __future__ import annotations

import gzip
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from imagesync.archive import ArchiveTree, DockerArchive, members, saved
from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled, IntegrityError, LimitError, NotFoundError, StoreError
from imagesync.manifest import Manifest
from imagesync.reference import Tag
from tests.archive.tars import (
    Change,
    Saved,
    entry_of,
    files_of,
    layout_members,
    link_to,
    make_layer,
    make_tar,
    of_type,
    save,
    saved_tar,
    skopeo_tar,
)
from tests.images import make_image

APP = save("app:1")


def fetch(file: Path, path: str = "app") -> Manifest:
    found = DockerArchive(file, Cancellation()).repository(path).fetch_manifest(Tag("1"))
    assert isinstance(found, Manifest)
    return found


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        ({}, "lists no images"),
        ([], "lists no images"),
        ([{"Config": "x"}] * 10_001, "or too many"),
        ([1], "without Config"),
        ([{}], "without Config"),
        ([{"Config": 1}], "without Config"),
        ([{"Config": "x", "Layers": "x"}], "without Config"),
        ([{"Config": "x", "RepoTags": "x"}], "without Config"),
        ([{"Config": "x", "Layers": [1]}], "no names of files"),
        ([{"Config": "x", "RepoTags": [1]}], "no reference"),
        ([{"Config": "x", "RepoTags": [""]}], "no reference"),
        ([{"Config": "x", "RepoTags": ["../../etc/passwd:1"]}], "no reference"),
        ([{"Config": "x", "RepoTags": ["a:\x1b[31m"]}], "no reference"),
        ([{"Config": "x", "RepoTags": ["<none>:<none>"]}], "no reference"),
    ],
)
def test_a_manifest_json_that_is_damaged_is_refused(tmp_path: Path, document: object, said: str) -> None:
    with pytest.raises(IntegrityError, match=said) as caught:
        fetch(saved_tar(tmp_path / "a.tar", document))
    assert caught.value.reference == f"docker-archive:{tmp_path / 'a.tar'}"
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["manifest.json", "./manifest.json", "a/../manifest.json"])
def test_a_second_manifest_json_is_refused(tmp_path: Path, name: str) -> None:
    """LAY-02."""
    with pytest.raises(IntegrityError, match=r"twice|leads out"):
        fetch(saved_tar(tmp_path / "a.tar", [entry_of(APP)], *files_of(APP).items(), (name, b"[]")))


def test_a_manifest_json_that_is_huge_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MAX_MANIFEST_BYTES", 10)
    with pytest.raises(LimitError, match="larger than 10 bytes"):
        fetch(skopeo_tar(tmp_path / "a.tar", APP))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("../x", b"", "leads out"),
        ("/etc/x", b"", "leads out"),
        ("device", of_type(tarfile.CHRTYPE), "a device"),
        ("device", of_type(tarfile.BLKTYPE), "a device"),
        ("pipe", of_type(tarfile.FIFOTYPE), "a device"),
        ("hard", of_type(tarfile.LNKTYPE, APP.config_name), "hard link"),
        ("sparse", of_type(tarfile.GNUTYPE_SPARSE), "sparse"),
        ("link", link_to("/etc/passwd"), "link that leads out"),
        ("link", link_to("../x"), "link that leads out"),
        ("a/link", link_to("../../x"), "link that leads out"),
        ("link", link_to(".."), "link that leads out"),
        ("link", link_to(""), "link that leads out"),
        ("x" * 5000, b"", "5000 characters"),
    ],
)
def test_a_tar_with_what_no_docker_saves_is_refused(
    tmp_path: Path, name: str, content: Change | bytes, said: str
) -> None:
    """LAY-02, S12. Be it used or not."""
    with pytest.raises(IntegrityError, match=said):
        fetch(saved_tar(tmp_path / "a.tar", [entry_of(APP)], *files_of(APP).items(), (name, content)))


@pytest.mark.parametrize("count", [1, 2, 20])
def test_links_in_a_circle_come_to_no_end_and_are_refused(tmp_path: Path, count: int) -> None:
    links = [(f"{number}.tar", link_to(f"{(number + 1) % count}.tar")) for number in range(count)]
    entry = entry_of(APP, Layers=["0.tar", "0.tar"])
    with pytest.raises(IntegrityError, match="comes to no end"):
        fetch(saved_tar(tmp_path / "a.tar", [entry], (APP.config_name, APP.config), *links))


def test_a_link_to_a_link_is_followed(tmp_path: Path) -> None:
    (one, two), files = entry_of(APP)["Layers"], files_of(APP)
    links = [("a/layer.tar", link_to("../b/layer.tar")), ("b/layer.tar", link_to(f"./../{one}"))]
    found = fetch(saved_tar(tmp_path / "a.tar", [entry_of(APP, Layers=["a/layer.tar", two])], *links, *files.items()))
    assert found == fetch(skopeo_tar(tmp_path / "b.tar", APP))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Config": "none.json"}, "not in the archive"),
        ({"Config": "../none.json"}, "not in the archive"),
        ({"Config": "manifest.json"}, "config of an image that is damaged"),
        ({"Layers": ["none.tar", "none.tar"]}, "not in the archive"),
        ({"Layers": ["/etc/passwd", "/etc/passwd"]}, "not in the archive"),
        ({"Layers": []}, "0 layers of an image whose config speaks of 2"),
        ({"Layers": None}, "0 layers of an image whose config speaks of 2"),
        ({"Layers": [APP.config_name, APP.config_name]}, "no tar"),
        ({"Layers": [*reversed(entry_of(APP)["Layers"])]}, "where the config of the image has"),
    ],
)
def test_an_image_of_files_that_are_not_its_own_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    file = saved_tar(tmp_path / "a.tar", [entry_of(APP, **change)], *files_of(APP).items())
    with pytest.raises(StoreError, match=said) as caught:
        fetch(file)
    assert caught.value.reference.startswith(f"docker-archive:{file}")


def test_a_layer_of_other_bytes_is_refused(tmp_path: Path) -> None:
    files = files_of(APP)
    files[entry_of(APP)["Layers"][0]] = make_layer("another")
    with pytest.raises(IntegrityError, match="where the config of the image has"):
        fetch(saved_tar(tmp_path / "a.tar", [entry_of(APP)], *files.items()))


@pytest.mark.parametrize("named", ["{}.json", "sha256:{}", "blobs/sha256/{}"])
def test_a_config_of_other_bytes_than_its_name_says_is_refused(tmp_path: Path, named: str) -> None:
    name = named.format("0" * 64)
    with pytest.raises(IntegrityError, match="have another digest"):
        fetch(saved_tar(tmp_path / "a.tar", [entry_of(APP, Config=name)], *files_of(APP).items(), (name, APP.config)))


def test_one_damaged_image_does_not_keep_another_from_being_read(tmp_path: Path) -> None:
    file = saved_tar(tmp_path / "a.tar", [entry_of(save("bad:1"), Layers=[]), entry_of(APP)], *files_of(APP).items())
    assert fetch(file)
    with pytest.raises(IntegrityError):
        fetch(file, "bad")


def test_packed_layers_are_taken_as_they_are(tmp_path: Path) -> None:
    """As crane and Bazel write them: what is in them is checked by nobody here."""
    plain = save("app:1", layers=1)
    packed = gzip.compress(plain.layers[0], mtime=0)
    entry = entry_of(plain, Layers=["layer.tar.gz"])
    found = fetch(saved_tar(tmp_path / "a.tar", [entry], (plain.config_name, plain.config), ("layer.tar.gz", packed)))
    assert found.layers[0].media_type.endswith("tar+gzip")
    assert found.layers[0].size_bytes == len(packed)


def test_a_large_layer_is_hashed_in_pieces(tmp_path: Path) -> None:
    large = Saved(("app:1",), (make_layer("large", 24 * 1024 * 1024),))
    file = skopeo_tar(tmp_path / "a.tar", large)
    tracemalloc.start()
    try:
        fetch(file)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_hashing_stops_when_the_run_does(tmp_path: Path) -> None:
    cancellation = Cancellation()
    repository = DockerArchive(skopeo_tar(tmp_path / "a.tar", APP), cancellation).repository("app")
    cancellation.cancel()
    with pytest.raises(Cancelled):
        repository.resolve(Tag("1"))


def test_an_archive_that_changes_meanwhile_is_no_other_image(tmp_path: Path) -> None:
    """What was hashed is verified again when it is copied."""
    file = skopeo_tar(tmp_path / "a.tar", APP)
    repository = DockerArchive(file, Cancellation()).repository("app")
    layer = repository.fetch_manifest(Tag("1")).successors()[1]
    file.unlink()
    assert repository.has_blob(layer)
    with pytest.raises(NotFoundError), repository.fetch_blob(layer) as pieces:
        list(pieces)


def test_an_archive_of_docker_is_none_of_layouts_and_says_what_to_write(tmp_path: Path) -> None:
    file = skopeo_tar(tmp_path / "a.tar", APP)
    with pytest.raises(NotFoundError) as caught:
        ArchiveTree(file).repository("app")
    assert caught.value.hint == f"write docker-archive:{file}"


def test_a_layout_with_links_in_it_gives_nothing_through_them(tmp_path: Path) -> None:
    image = make_image()
    files = dict(layout_members((image, {})))
    name = f"blobs/sha256/{image.digest.encoded}"
    moved = files.pop(name)
    file = make_tar(tmp_path / "a.tar", *files.items(), ("moved", moved), (name, link_to("../../moved")))
    with pytest.raises(NotFoundError):
        fetch(file)


def test_more_members_than_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LAY-02."""
    monkeypatch.setattr(members, "MAX_MEMBERS", 3)
    with pytest.raises(LimitError):
        fetch(skopeo_tar(tmp_path / "a.tar", APP))
