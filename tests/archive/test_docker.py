"""`docker-archive:FILE`: the forms of saved images, and how one is asked for. test_saved has what is refused."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.archive import DockerArchive
from imagesync.archive.made import LAYER, MAGIC_BYTES
from imagesync.cancellation import Cancellation
from imagesync.errors import IntegrityError, NotFoundError, UnsupportedError
from imagesync.manifest import DOCKER_MANIFEST, Manifest, is_made_here
from imagesync.reference import Tag
from tests.archive.tars import (
    CONTAINERD_NAME,
    REF_NAME,
    Saved,
    entry_of,
    files_of,
    layout_members,
    make_tar,
    new_docker_tar,
    old_docker_tar,
    save,
    saved_tar,
    skopeo_tar,
)
from tests.images import make_image, make_index

SaveImages = Callable[..., Path]
APP = save("app:1", layers=3)
MANIFEST = json.dumps([entry_of(APP)]).encode()
FORMS = pytest.mark.parametrize("write", [skopeo_tar, old_docker_tar])


def opened(file: Path) -> DockerArchive:
    return DockerArchive(file, Cancellation())


@FORMS
def test_an_image_has_its_config_and_its_layers_as_they_are_stored(tmp_path: Path, write: SaveImages) -> None:
    """LAY-05."""
    saved = save("nginx:1.27")
    repository = opened(write(tmp_path / "a.tar", saved)).repository("nginx")
    found = repository.fetch_manifest(Tag("1.27"))
    assert isinstance(found, Manifest)
    for blob, expected in zip((found.config, *found.layers), (saved.config, *saved.layers), strict=True):
        assert repository.has_blob(blob)
        with repository.fetch_blob(blob) as pieces:
            assert b"".join(pieces) == expected
    assert is_made_here(found)
    assert repository.fetch_manifest(found.digest) == found
    assert repository.list_referrers(found.digest) == ()


@FORMS
def test_images_may_share_layers(tmp_path: Path, write: SaveImages) -> None:
    one, base = save("one:1", seed="one"), save("base:1", seed="base")
    two = Saved(("two:1",), (*base.layers, *one.layers))
    archive = opened(write(tmp_path / "a.tar", base, one, two))
    found = archive.repository("two").fetch_manifest(Tag("1"))
    assert isinstance(found, Manifest)
    with archive.repository("two").fetch_blob(found.layers[-1]) as pieces:
        assert b"".join(pieces) == one.layers[-1]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("nginx:1", "nginx"),
        ("nginx:1", "library/nginx"),
        ("nginx:1", "docker.io/nginx"),
        ("docker.io/library/nginx:1", "nginx"),
        ("docker.io/library/nginx:1", "index.docker.io/library/nginx"),
        ("bitnami/redis:1", "bitnami/redis"),
        ("quay.io/team/app:1", "quay.io/team/app"),
        ("quay.io/team/app:1", "team/app"),
        ("localhost:5000/team/app:1", "localhost:5000/team/app"),
        ("localhost:5000/team/app:1", "team/app"),
        ("localhost:5000/quay.io/team/app:1", "quay.io/team/app"),
    ],
)
def test_an_image_is_found_by_its_whole_name_and_without_its_host(tmp_path: Path, name: str, asked: str) -> None:
    archive = opened(skopeo_tar(tmp_path / "a.tar", save(name), save("other:1", seed="other")))
    assert archive.repository(asked).list_tags() == ("1",)


@pytest.mark.parametrize("asked", ["app", "other/nginx", "quay.io/library/nginx", "nginx/1"])
def test_another_name_is_not_found_and_those_that_are_there_are_said(tmp_path: Path, asked: str) -> None:
    archive = opened(skopeo_tar(tmp_path / "a.tar", save("nginx:1", "localhost:5000/a:2")))
    with pytest.raises(NotFoundError) as caught:
        archive.repository(asked)
    assert caught.value.hint == "it holds nginx:1, localhost:5000/a:2"


def test_a_tag_that_is_not_there_is_not_found_either(tmp_path: Path) -> None:
    for file in (
        skopeo_tar(tmp_path / "a.tar", save("nginx:1")),
        new_docker_tar(tmp_path / "b.tar", make_image(), ["docker.io/library/nginx:1"]),
    ):
        with pytest.raises(NotFoundError) as caught:
            opened(file).repository("nginx").resolve(Tag("2"))
        assert caught.value.hint == "it holds nginx:1"


def test_an_archive_may_hold_many_names_and_tags(tmp_path: Path) -> None:
    archive = opened(
        skopeo_tar(
            tmp_path / "a.tar",
            save("app:1", "app:latest", "web:1", seed="one"),
            save("app:2", "quay.io/db:1", seed="2"),
        )
    )
    assert archive.list_repositories("") == ("app", "db", "web")
    assert archive.repository("app").list_tags() == ("1", "2", "latest")
    app, web = archive.repository("app"), archive.repository("web")
    assert app.resolve(Tag("1")) == app.resolve(Tag("latest")) == web.resolve(Tag("1")) != app.resolve(Tag("2"))


@pytest.mark.parametrize("path", ["any/name", "b"])
def test_one_image_without_a_name_answers_to_any_name_and_tag(tmp_path: Path, path: str) -> None:
    for file in (
        skopeo_tar(tmp_path / "a.tar", save()),
        make_tar(tmp_path / "b.tar", *layout_members((make_image(), {}))),
    ):
        repository = opened(file).repository(path)
        assert repository.list_tags() == ()
        assert repository.resolve(Tag("whatever")) == repository.resolve(Tag("else"))


def test_an_image_with_a_name_does_not_answer_to_others(tmp_path: Path) -> None:
    repository = opened(skopeo_tar(tmp_path / "a.tar", save("app:1"), save(seed="unnamed"))).repository("app")
    assert repository.list_tags() == ("1",)
    with pytest.raises(NotFoundError):
        repository.resolve(Tag("2"))


def test_two_images_of_one_name_and_tag_are_asked_for_with_their_hosts(tmp_path: Path) -> None:
    archive = opened(skopeo_tar(tmp_path / "a.tar", save("quay.io/app:1"), save("ghcr.io/app:1", seed="other")))
    with pytest.raises(IntegrityError) as caught:
        archive.repository("app")
    assert caught.value.hint == "ask for one by its whole name: ghcr.io/app:1, quay.io/app:1"
    one, other = (archive.repository(f"{host}/app").resolve(Tag("1")) for host in ("quay.io", "ghcr.io"))
    assert one != other


def test_a_layer_is_read_once_for_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is asked for alone: an archive may be far larger than one image in it."""
    one, other = save("app:1"), save("app:2", seed="other")
    repository = opened(skopeo_tar(tmp_path / "a.tar", one, other)).repository("app")
    read: list[bytes] = []

    def type_of(beginning: bytes) -> str:
        read.append(beginning)
        return LAYER

    monkeypatch.setattr("imagesync.archive.maker.layer_type", type_of)
    assert repository.list_tags() == ("1", "2")
    assert read == []
    for _ in range(3):
        repository.fetch_manifest(repository.resolve(Tag("1")).digest)
    assert read == [layer[:MAGIC_BYTES] for layer in one.layers]


def test_blobs_are_found_of_a_plan_that_another_run_has_made(tmp_path: Path) -> None:
    file = skopeo_tar(tmp_path / "a.tar", save("app:1"))
    manifest = opened(file).repository("app").fetch_manifest(Tag("1"))
    later = opened(file).repository("app")
    assert all(later.has_blob(blob) for blob in manifest.successors())


@given(data=st.data())
def test_the_digest_is_the_same_in_whatever_order_the_files_stand(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    members = data.draw(st.permutations(sorted([*files_of(APP).items(), ("manifest.json", MANIFEST)])))
    repository = opened(make_tar(tmp_path_factory.mktemp("order") / "a.tar", *members)).repository("app")
    assert (
        repository.resolve(Tag("1")).digest == "sha256:d74119f808b9b65e1f199d7fb7dbaafa3ff8f2f140f0bfd72460c55cecf19063"
    )


class TestLayoutInside:
    """Docker 25 and later."""

    def test_manifests_stay_what_they_are(self, tmp_path: Path) -> None:
        image = make_index(docker=True)
        repository = opened(new_docker_tar(tmp_path / "a.tar", image, ["docker.io/library/nginx:1"])).repository(
            "nginx"
        )
        found = repository.fetch_manifest(Tag("1"))
        assert found.raw == image.root.raw
        assert not is_made_here(found)

    def test_one_tag_of_two_repositories_is_two_images(self, tmp_path: Path) -> None:
        """Docker gives the tag alone as the ref name, so that it stands twice."""
        images = [(name, make_image(name)) for name in ("nginx", "redis")]
        named = [
            (image, {CONTAINERD_NAME: f"docker.io/library/{name}:latest", REF_NAME: "latest"}) for name, image in images
        ]
        archive = opened(make_tar(tmp_path / "a.tar", *layout_members(*named)))
        assert archive.list_repositories("") == ("nginx", "redis")
        for name, image in images:
            assert archive.repository(name).resolve(Tag("latest")).digest == image.digest

    def test_names_may_stand_in_manifest_json_alone(self, tmp_path: Path) -> None:
        image = make_image(docker=True)
        assert isinstance(image.root, Manifest)
        config = f"blobs/sha256/{image.root.config.digest.encoded}"
        listed = [{"Config": config, "RepoTags": ["quay.io/app:1", "quay.io/app:2"], "Layers": []}]
        archive = opened(saved_tar(tmp_path / "a.tar", listed, *layout_members((image, {REF_NAME: "1"}))))
        assert archive.repository("quay.io/app").list_tags() == ("1", "2")
        assert archive.repository("app").resolve(Tag("2")).media_type == DOCKER_MANIFEST

    def test_a_ref_name_that_is_a_tag_belongs_to_any_name(self, tmp_path: Path) -> None:
        """As other tools write layouts."""
        archive = opened(make_tar(tmp_path / "a.tar", *layout_members((make_image(), {REF_NAME: "1"}))))
        assert archive.repository("any").list_tags() == archive.repository("other/name").list_tags() == ("1",)

    def test_a_name_with_a_digest_is_read_by_digest(self, tmp_path: Path) -> None:
        image = make_image()
        name = f"docker.io/library/nginx@{image.digest}"
        repository = opened(new_docker_tar(tmp_path / "a.tar", image, [name])).repository("nginx")
        assert repository.fetch_manifest(image.digest).raw == image.root.raw

    def test_a_name_that_is_no_reference_is_refused(self, tmp_path: Path) -> None:
        """S27: it is never a path."""
        for note in ({CONTAINERD_NAME: "../../etc/passwd"}, {REF_NAME: "../../etc:1"}):
            archive = opened(make_tar(tmp_path / "a.tar", *layout_members((make_image(), note))))
            with pytest.raises(IntegrityError, match="is no reference"):
                archive.repository("any")


def test_an_archive_of_a_docker_before_manifests_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = make_tar(tmp_path / "a.tar", ("repositories", json.dumps({"app": {"1": "x"}}).encode()))
    with pytest.raises(UnsupportedError, match="save it again"):
        opened(file).repository("app")


def test_a_tar_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="holds no image"):
        opened(make_tar(tmp_path / "a.tar", ("README", b"hello"))).list_repositories("")


def test_a_compressed_archive_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz"):
        pass
    with pytest.raises(UnsupportedError, match="gunzip it first"):
        opened(tmp_path / "a.tar.gz").repository("app")
