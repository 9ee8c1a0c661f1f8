"""docker-archive:FILE from the command line and from a spec: what is copied, and what is said of its digests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagesync.reference import Tag
from tests.archive.tars import new_docker_tar, save, skopeo_tar
from tests.cli.command import Mirror
from tests.images import MadeImage, make_index

MADE_HERE = "digest made here: the archive has no manifest"


def spec(mirror: Mirror, *images: str, source: str = "docker-archive:a.tar", to: str = "{path}") -> str:
    listed = "".join(f"\n      - {image}" for image in images)
    entry = f"source: {source}\n    destination: {mirror.destination.host}/{to}\n    images:{listed}\n"
    return mirror.cli.file(f"version: 1\nsync:\n  - {entry}")


def here(*images: str) -> None:
    """An archive a.tar in the current folder, with an image for each name."""
    skopeo_tar(Path("a.tar"), *(save(name, seed=f"image{number}") for number, name in enumerate(images)))


def test_plan_apply_and_report_say_that_a_digest_was_made_here(mirror: Mirror) -> None:
    here("quay.io/team/app:1")
    written = spec(mirror, "quay.io/team/app:1", to="{host}/{path}")
    assert MADE_HERE in mirror.cli("plan", written, "-o", "plan.json").out
    ran = mirror.cli("apply", "--plan", "plan.json", written, "--report", "report.json")
    assert ran.code == 0, ran.text
    assert MADE_HERE in ran.out
    (outcome,) = json.loads(Path("report.json").read_text())["outcomes"]
    assert outcome["made_here"] is True
    assert list(mirror.tags("quay.io/team/app")) == ["1"]
    assert mirror.cli("plan", written).out.startswith("No changes.")


def test_the_layout_in_an_archive_keeps_its_digests_and_says_nothing(mirror: Mirror) -> None:
    image = make_index()
    new_docker_tar(Path("a.tar"), image, ["docker.io/library/nginx:1"])
    ran = mirror.cli("apply", spec(mirror, "nginx:1"))
    assert mirror.tags("nginx") == {"1": image.digest}
    assert "made here" not in ran.text


def test_globs_tags_and_versions_select_among_what_is_in_an_archive(mirror: Mirror) -> None:
    here("team/app:1.0", "team/app:1.1", "team/web:2.0", "other:1")
    ran = mirror.cli("apply", spec(mirror, '{name: "team/*", tags: {versions: ">=1.1"}}'))
    assert ran.code == 0, ran.text
    assert (list(mirror.tags("team/app")), list(mirror.tags("team/web"))) == (["1.1"], ["2.0"])


def test_what_is_not_in_an_archive_fails_with_what_is(mirror: Mirror) -> None:
    here("nginx:1")
    ran = mirror.cli("plan", spec(mirror, "nginx:2", "redis"))
    assert ran.code == 1
    assert ran.out.count("it holds nginx:1") == 2


@pytest.mark.parametrize("source", ["docker-archive:a.tar", "oci-archive:a.tar"])
def test_an_archive_that_is_missing_fails_its_images_with_the_path(mirror: Mirror, source: str) -> None:
    ran = mirror.cli("plan", spec(mirror, "nginx:1", source=source))
    assert ran.code == 1
    assert "read archive: there is no file a.tar" in ran.out


def test_copy_takes_one_image_by_its_name(mirror: Mirror) -> None:
    here("quay.io/team/app:1", "localhost:5000/db:2")
    target = mirror.destination.host
    assert mirror.cli("copy", "docker-archive:a.tar:quay.io/team/app:1", f"{target}/app").code == 0
    assert mirror.cli("copy", "docker-archive:a.tar:localhost:5000/db:2", "oci:out").code == 0
    assert mirror.cli("copy", "docker-archive:a.tar:team/app:1", f"{target}/app:other").code == 0
    assert set(mirror.tags("app")) == {"1", "other"}
    assert "made here" in mirror.cli("inspect", "oci:out/db:2").out


@pytest.mark.parametrize("names", [("app:1",), ("app:1", "app:latest"), ()])
def test_the_only_image_of_an_archive_needs_no_name(mirror: Mirror, names: tuple[str, ...]) -> None:
    skopeo_tar(Path("a.tar"), save(*names))
    assert mirror.cli("copy", "docker-archive:a.tar", f"{mirror.destination.host}/app:x").code == 0
    assert list(mirror.tags("app")) == ["x"]


def test_one_of_several_images_is_to_be_named(mirror: Mirror) -> None:
    here("app:1", "quay.io/db:2")
    ran = mirror.cli("inspect", "docker-archive:a.tar")
    assert ran.code == 4
    assert "docker-archive:a.tar holds 2 images" in ran.err
    assert "name one: docker-archive:a.tar:app:1, docker-archive:a.tar:quay.io/db:2" in ran.err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("docker-archive:", "names no file"),
        ("docker-archive::app", "names no file"),
        ("docker-archive:none.tar", "there is no file none.tar"),
        ("docker-archive:none.tar:app", "there is no file none.tar"),
        ("docker-archive:a.tar:APP", "must be lower case"),
        ("docker-archive:a.tar:db", "it holds app:1"),
    ],
)
def test_a_source_that_is_none_says_why(mirror: Mirror, source: str, said: str) -> None:
    here("app:1")
    ran = mirror.cli("inspect", source)
    assert ran.code != 0
    assert said in ran.err


def test_an_archive_is_no_destination(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("copy", f"{mirror.source.host}/app:1", "docker-archive:out.tar")
    assert ran.code == 4
    assert "an archive can only be read" in ran.err
    assert "write to oci:DIRECTORY" in ran.err
    assert not Path("out.tar").exists()


def test_inspect_marks_a_digest_that_was_made_here(mirror: Mirror) -> None:
    here("app:1")
    assert f"({MADE_HERE})" in mirror.cli("inspect", "docker-archive:a.tar").out
    assert mirror.cli("inspect", "docker-archive:a.tar:app:1", "--format", "json").json()["made_here"] is True


def test_tags_lists_those_of_a_name(mirror: Mirror) -> None:
    here("app:1", "app:2", "db:3")
    assert mirror.cli("tags", "--repository", "docker-archive:a.tar:app").out == "1\n2\n"


def test_a_made_image_is_the_same_wherever_it_goes(mirror: Mirror) -> None:
    here("app:1")
    mirror.cli("copy", "docker-archive:a.tar", f"{mirror.destination.host}/one")
    mirror.cli("copy", "docker-archive:a.tar", "oci:tree")
    mirror.cli("copy", "oci:tree/app:1", f"{mirror.destination.host}/two:1")
    store = mirror.destination.repository
    assert store("one").resolve(Tag("1")) == store("two").resolve(Tag("1"))


def test_of_an_index_that_was_saved_in_part_what_is_there_can_be_kept(mirror: Mirror) -> None:
    """As Docker saves what it has not pulled whole."""
    image = make_index(platforms=("linux/amd64", "linux/arm64"))
    kept, _left_out = image.children
    blobs = {blob.digest: image.blobs[blob.digest] for blob in kept.successors()}
    new_docker_tar(Path("a.tar"), MadeImage(image.root, (kept,), blobs), ["nginx:1"])
    ran = mirror.cli("apply", spec(mirror, "{name: nginx:1, platforms: linux/amd64}"))
    assert ran.code == 0, ran.text
    whole = mirror.cli("plan", spec(mirror, "nginx:1"))
    assert whole.code == 1
    assert "`platforms` keeps the others" in whole.out
