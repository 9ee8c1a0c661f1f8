"""Layouts in a spec: names that a layout keeps for itself, and a folder that is itself a layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from imagesync.layout import LayoutRepository
from imagesync.reference import Repository, make_repository
from imagesync.spec.names import layout_name
from tests.images import make_image, push_image
from tests.spec.written import found, load, with_entry

TWO = "images: [docker.io/library/nginx{0}, quay.io/acme/redis{0}]\ndestination: {1}"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("images: [{name: quay.io/x, as: a/blobs/b}]\ndestination: oci:./tree", "a/blobs/b"),
        ("images: [quay.io/blobs]\ndestination: oci:./tree", "blobs"),
        ("images: [quay.io/x]\ndestination: 'oci:tree/{host}/oci-layout'", "quay.io/oci-layout"),
        ("source: oci:./tree\nimages: [{name: a/index.json}]\ndestination: quay.io", "a/index.json"),
        ("source: oci-archive:tree.tar\nimages: [blobs/a]\ndestination: quay.io", "blobs/a"),
    ],
)
def test_a_name_that_a_layout_keeps_for_itself_is_refused_offline(tmp_path: Path, entry: str, said: str) -> None:
    (problem,) = found(tmp_path, with_entry(entry))
    assert f"{said} cannot be kept in a layout" in problem.message
    assert "own names" in problem.message


def test_such_a_name_is_fine_in_a_registry(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, with_entry("images: [quay.io/a/blobs]\ndestination: localhost:5000")).rules
    assert rule.destinations == (Repository("localhost:5000", "a/blobs"),)


@pytest.mark.parametrize("written", ["oci:one", "oci:./one", "oci:one/{path}", "oci:../{folder}/one"])
def test_two_images_under_one_tag_of_a_single_layout_collide(tmp_path: Path, written: str) -> None:
    push_image(LayoutRepository(tmp_path / "one"), make_image(), "old")
    destination = written.replace("{folder}", tmp_path.name)
    (problem,) = found(tmp_path, with_entry(TWO.format("", f"'{destination}'")))
    assert "is written from quay.io/acme/redis:latest here, and from docker.io/library/nginx:latest" in problem.message


def test_a_single_layout_keeps_several_tags_under_one_name(tmp_path: Path) -> None:
    """The plan sees one repository too, so tags that a filter selects collide there."""
    push_image(LayoutRepository(tmp_path / "My One"), make_image(), "old")
    entry = "images: [{name: quay.io/x, tags: '1.*'}, {name: quay.io/y, tags: '2.*'}]\ndestination: 'oci:My One'"
    first, second = load(tmp_path, with_entry(entry)).rules
    assert first.destinations == second.destinations == (Repository("oci:My One", "my-one"),)


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        ("oci:/a/Nginx_1.27", "nginx-1-27"),
        ("oci:.", "image"),
        ("oci:../blobs", "image"),
        ("oci:oci-layout", "image"),
        ("oci:ü:x", "x"),
    ],
)
def test_a_single_layout_is_called_as_its_folder(registry: str, name: str) -> None:
    assert make_repository(registry, layout_name(registry)).path == name


@pytest.mark.parametrize("make", [Path.mkdir, Path.exists])
def test_an_empty_or_missing_folder_becomes_a_tree(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "one")
    first, second = load(tmp_path, with_entry(TWO.format("", "oci:one"))).rules
    assert [*first.destinations, *second.destinations] == [
        Repository("oci:one", "library/nginx"),
        Repository("oci:one", "acme/redis"),
    ]
