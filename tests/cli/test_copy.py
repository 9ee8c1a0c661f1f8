"""copy: one image, by the same plan and executor as everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.reference import Tag
from tests.cli.command import Cli, Mirror
from tests.conftest import Certificates, MakeRegistry
from tests.images import push_image


def test_the_tag_is_the_sources_unless_one_is_given(mirror: Mirror) -> None:
    image = mirror.fill("1")
    source = f"{mirror.source.host}/app:1"
    assert mirror.cli("copy", source, f"{mirror.destination.host}/copy/app").code == 0
    assert mirror.cli("copy", source, f"{mirror.destination.host}/copy/app:other").code == 0
    assert mirror.tags("copy/app") == {"1": image.digest, "other": image.digest}


def test_latest_is_a_tag_that_can_be_given(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.cli("copy", f"{mirror.source.host}/app:1", f"{mirror.destination.host}/app:latest")
    assert set(mirror.tags()) == {"latest"}


def test_a_tag_that_a_spec_holds_immutable_is_not_moved_by_hand_either(mirror: Mirror) -> None:
    there, other = mirror.stand(mirror.fill("1"), "1"), mirror.fill("2")
    spec = mirror.spec('{name: app, tags: "1", immutable: ["1"]}')
    ran = mirror.cli("copy", f"{mirror.source.host}/app:2", f"{mirror.destination.host}/app:1", "--spec", spec)
    assert ran.code == 3
    assert f"immutable tag has {there.digest.short}, the source has {other.digest.short}" in ran.out
    assert mirror.tags() == {"1": there.digest}


def test_a_second_copy_changes_nothing(mirror: Mirror) -> None:
    mirror.fill("1")
    sides = f"{mirror.source.host}/app:1", f"{mirror.destination.host}/app"
    mirror.cli("copy", *sides)
    mirror.forget()
    assert mirror.cli("copy", *sides).out.startswith("No changes.")
    assert mirror.writes() == []


def test_a_digest_is_copied_to_a_tag(mirror: Mirror) -> None:
    image = mirror.fill("1")
    ran = mirror.cli("copy", f"{mirror.source.host}/app@{image.digest}", f"{mirror.destination.host}/app:pinned")
    assert (ran.code, mirror.tags()) == (0, {"pinned": image.digest})


def test_a_digest_without_a_tag_to_write_is_refused(mirror: Mirror) -> None:
    image = mirror.fill("1")
    destination = f"{mirror.destination.host}/app"
    ran = mirror.cli("copy", f"{mirror.source.host}/app@{image.digest}", destination)
    assert ran.code == 4
    assert f"{destination} needs a tag" in ran.err
    assert f"{destination}:TAG" in ran.err
    assert mirror.requests() == []


def test_a_tag_with_a_digest_copies_the_digest(mirror: Mirror) -> None:
    image = mirror.fill("1")
    push_image(mirror.source.repository("app"), mirror.fill("2"), "1")
    source = f"{mirror.source.host}/app:1@{image.digest}"
    assert mirror.cli("copy", source, f"{mirror.destination.host}/app").code == 0
    assert mirror.tags() == {"1": image.digest}


@pytest.mark.parametrize(
    ("source", "destination", "said"),
    [
        ("HOST/app:1", "HOST/app:1", "are the same"),
        ("HOST/app:1", "HOST/app", "are the same"),
        ("HOST/app:1", "HOST/b@sha256:" + "0" * 64, "content is written to a tag"),
        ("HOST/app:1", "oci-archive:gap.tar", "an archive can only be read"),
        ("HOST/app:1", "oci:", "names no directory"),
        ("oci:nowhere", "HOST/app", "there is no directory nowhere"),
        ("HOST/APP", "HOST/b", "must be lower case"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error_without_a_request(
    mirror: Mirror, source: str, destination: str, said: str
) -> None:
    host = mirror.source.host
    ran = mirror.cli("copy", source.replace("HOST", host), destination.replace("HOST", host))
    assert (ran.code, said in ran.err) == (4, True), ran.err
    assert mirror.requests() == []


def test_logins_and_tls_come_from_the_spec(
    cli: Cli, make_registry: MakeRegistry, certificates: Certificates, registry: object
) -> None:
    mirror = Mirror(cli, make_registry(), make_registry(tls=certificates.server))
    image = mirror.fill("1")
    sides = f"{mirror.source.host}/app:1", f"{mirror.destination.host}/app"
    untrusted = cli("copy", *sides)
    assert untrusted.code == 1
    assert "certificate" in untrusted.out
    spec = mirror.spec(registries={mirror.destination.host: f"{{tls: {{ca: {certificates.ca}}}}}"})
    assert cli("copy", *sides, "--spec", spec).code == 0
    assert mirror.tags() == {"1": image.digest}


def test_a_layout_is_written_and_read_again(mirror: Mirror) -> None:
    image = mirror.fill("1")
    written = mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:./out")
    assert written.code == 0
    assert "oci:./out" in written.out
    assert mirror.cli("copy", "oci:./out/app:1", f"{mirror.destination.host}/back").code == 0
    assert mirror.tags("back") == {"1": image.digest}


def test_a_folder_of_layouts_read_as_one_is_refused_and_shows_what_it_holds(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:./out")
    ran = mirror.cli("copy", "oci:./out:1", f"{mirror.destination.host}/back")
    assert ran.code == 4
    assert "out is not a layout" in ran.err
    assert "oci:out/app" in ran.err


def test_an_archive_is_read(mirror: Mirror) -> None:
    import tarfile

    image = mirror.fill("1")
    mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:./out")
    with tarfile.open("out.tar", "w") as archive:
        archive.add("out/app", arcname=".")
    assert mirror.cli("copy", "oci-archive:out.tar:1", f"{mirror.destination.host}/back").code == 0
    assert mirror.tags("back") == {"1": image.digest}


def test_within_one_registry_nothing_is_read(mirror: Mirror) -> None:
    image = mirror.fill("1")
    ran = mirror.cli("copy", f"{mirror.source.host}/app:1", f"{mirror.source.host}/promoted")
    assert ran.code == 0
    assert "mounted" in ran.out
    assert mirror.source.log.lines("GET", "/blobs/") == []
    assert mirror.source.repository("promoted").resolve(Tag("1")).digest == image.digest


def test_a_dry_run_writes_nothing_and_a_report_is_written(mirror: Mirror) -> None:
    mirror.fill("1")
    sides = f"{mirror.source.host}/app:1", f"{mirror.destination.host}/app"
    assert "Plan: 1 to add" in mirror.cli("copy", *sides, "--dry-run").out
    assert mirror.writes() == []
    mirror.cli("copy", *sides, "--report", "report.json")
    assert mirror.tags()["1"] in Path("report.json").read_text()


def test_a_source_that_lacks_the_tag_shows_how_to_find_others(mirror: Mirror) -> None:
    ran = mirror.cli("copy", f"{mirror.source.host}/app:lost", f"{mirror.destination.host}/app")
    assert ran.code == 1
    assert f"source {mirror.source.host}/app:lost: not found" in ran.out
    assert "imagesync tags --repository" in ran.out
