"""Who is looked at: every registry that a run would speak to, and what for."""

from __future__ import annotations

from pathlib import Path

from imagesync.doctor.subjects import Right, Subject, of_host, subjects_of
from imagesync.reference import Digest, Repository, Tag
from tests.spec.written import load

SPEC = """
version: 1
registries:
  docker.io: {mirrors: [mirror.example.org]}
state: state.example.org/sync-state
sync:
  - source: docker.io
    destination: [one.example.org, "oci:out"]
    prune: true
    images: ["nginx:1.27", {name: "redis@sha256:%s", as_tag: pinned}]
promotions:
  - name: shop
    images: [api]
    stages:
      - {name: dev, repository: dev.example.org/shop}
      - {name: production, repository: prod.example.org/shop}
""" % ("a" * 64)


def _subjects(tmp_path: Path) -> dict[str, Subject]:
    spec = load(tmp_path, SPEC)
    return {subject.host: subject for subject in subjects_of(spec, spec.rules, spec.promotions)}


def test_every_registry_is_there_and_no_folder(tmp_path: Path) -> None:
    assert list(_subjects(tmp_path)) == [
        "docker.io",
        "one.example.org",
        "dev.example.org",
        "prod.example.org",
        "state.example.org",
        "mirror.example.org",
    ]


def test_a_source_is_asked_for_what_the_spec_names(tmp_path: Path) -> None:
    found = [(want.right, want.repository.path, want.target) for want in _subjects(tmp_path)["docker.io"].wants]
    assert found == [
        (Right.PULL, "library/nginx", Tag("1.27")),
        (Right.PULL, "library/redis", Digest(f"sha256:{'a' * 64}")),
    ]


def test_a_destination_needs_a_right_to_delete_only_where_the_spec_prunes(tmp_path: Path) -> None:
    assert {want.right for want in _subjects(tmp_path)["one.example.org"].wants} == {Right.PUSH, Right.DELETE}
    assert {want.right for want in _subjects(tmp_path)["prod.example.org"].wants} == {Right.PUSH}


def test_images_of_a_first_stage_are_read_and_of_others_written(tmp_path: Path) -> None:
    found = _subjects(tmp_path)
    rights = {
        want.repository.path: want.right
        for host in ("dev.example.org", "prod.example.org")
        for want in found[host].wants
        if want.role.startswith("stage")
    }
    assert list(rights.values()) in ([Right.PULL], [Right.PUSH], [Right.PULL, Right.PUSH])
    assert {want.right for want in found["dev.example.org"].wants if want.role == "stage dev"} == {Right.PULL}


def test_the_mirrors_of_a_source_are_read_and_its_roles_are_told(tmp_path: Path) -> None:
    mirror = _subjects(tmp_path)["mirror.example.org"]
    assert mirror.roles == ("mirror of docker.io",)
    assert {want.right for want in mirror.wants} == {Right.PULL}


def test_a_registry_of_which_nothing_is_wanted_is_to_let_us_in() -> None:
    found = of_host((), "registry.example.org")
    assert [(want.right, want.repository) for want in found.wants] == [
        (Right.ENTER, Repository("registry.example.org", ""))
    ]
