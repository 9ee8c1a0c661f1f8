"""audit: what it prints, what it is worth, and the forms of its report."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from imagesync.manifest import Manifest
from imagesync.plan.attachments import tag_of
from imagesync.spec.model import AttachmentType
from tests.cli.command import Mirror
from tests.images import MadeImage, make_image, make_signature, push_image


@pytest.fixture
def image(mirror: Mirror) -> MadeImage:
    """An image that was mirrored as `1` and `2`, and a spec of it."""
    made = mirror.fill("1", "2")
    mirror.cli("apply", mirror.spec("app:1", "app:2"))
    mirror.forget()
    return made


def blob_file(mirror: Mirror, image: MadeImage) -> Path:
    """The stored file of a layer of its first child, at the destination."""
    child = image.children[0]
    assert isinstance(child, Manifest)
    (found,) = (mirror.destination.root / "app").rglob(child.layers[0].digest.encoded)
    return found


def test_a_whole_mirror_is_as_promised(mirror: Mirror, image: MadeImage) -> None:
    ran = mirror.cli("audit", "sync.yaml")
    assert ran.code == 0
    assert ran.out.startswith("Audit: 2 tags are as promised. 3 manifests and 6 blobs asked for in ")
    assert mirror.writes() == []


def test_a_deep_audit_says_how_much_it_has_hashed(mirror: Mirror, image: MadeImage) -> None:
    ran = mirror.cli("audit", "sync.yaml", "--deep")
    assert ran.code == 0
    assert "3 manifests and 6 blobs read and hashed (" in ran.out


def test_a_missing_blob_is_told_once_with_the_tags_that_need_it(mirror: Mirror, image: MadeImage) -> None:
    file = blob_file(mirror, image)
    file.unlink()
    ran = mirror.cli("audit", "sync.yaml")
    host = mirror.destination.host
    assert ran.code == 2
    assert f"! {host}/app@sha256:{file.name}  missing blob\n    the blob of 1000 bytes is not there" in ran.out
    assert f"    of {host}/app:1, {host}/app:2, sync[0]/app, sync.yaml:6:9" in ran.out
    assert "Audit: 2 of 2 tags are not as promised: 1 missing blob. 3 manifests and 6 blobs" in ran.out


def test_a_cut_blob_says_both_sizes(mirror: Mirror, image: MadeImage) -> None:
    blob_file(mirror, image).write_bytes(b"short")
    ran = mirror.cli("audit", "sync.yaml")
    assert ran.code == 2
    assert "  other size\n    the blob has 5 bytes, its manifest says 1000" in ran.out


def test_a_flipped_byte_is_found_by_a_deep_audit_alone(
    mirror: Mirror, image: MadeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagesync.cancellation.Cancellation.wait", lambda self, _seconds: self.check())
    file = blob_file(mirror, image)
    raw = file.read_bytes()
    file.write_bytes(bytes([raw[0] ^ 1]) + raw[1:])
    assert mirror.cli("audit", "sync.yaml").code == 0
    ran = mirror.cli("audit", "sync.yaml", "--deep")
    assert ran.code == 2
    assert "  other bytes\n    destination: GET blob: blob sha256:" in ran.out
    assert "came with bytes that hash to sha256:" in ran.out


def test_a_missing_tag_and_another_digest_are_told_apart(mirror: Mirror, image: MadeImage) -> None:
    other = mirror.stand(make_image("of another hand"), "1")
    mirror.fill("3", image=image)
    ran = mirror.cli("audit", mirror.spec("app:1", "app:2", "app:3"))
    assert ran.code == 2
    assert f"app:1  other digest\n    the tag has {other.digest.short}, the source has {image.digest.short}" in ran.out
    assert "app:3  missing tag\n    the tag is not there\n    → `imagesync apply` brings it" in ran.out
    assert "2 of 3 tags are not as promised: 1 missing tag, 1 other digest." in ran.out


def test_what_cannot_be_read_is_worth_1(mirror: Mirror, image: MadeImage) -> None:
    mirror.destination.script("HEAD", "/blobs/", status=403, times=1)
    ran = mirror.cli("audit", "sync.yaml")
    assert ran.code == 1
    assert "  not readable\n    destination " in ran.out


def test_all_that_is_right_is_named_where_all_is_told(mirror: Mirror, image: MadeImage) -> None:
    assert f"= {mirror.destination.host}/app:1\n" in mirror.cli("audit", "sync.yaml", "-v").out
    assert "app:1" not in mirror.cli("audit", "sync.yaml").out


def test_the_json_names_every_tag_and_every_finding_once(mirror: Mirror, image: MadeImage) -> None:
    blob_file(mirror, image).unlink()
    found = mirror.cli("audit", "sync.yaml", "--format", "json").json()
    assert (found["summary"]["missing_blob"], found["summary"]["broken"], found["summary"]["exit_code"]) == (1, 2, 2)
    (finding,) = found["findings"]
    assert finding["tags"] == [tag["subject"] for tag in found["tags"]]
    assert [tag["source_digest"] for tag in found["tags"]] == [image.digest] * 2
    assert [tag["findings"] for tag in found["tags"]] == [1, 1]
    assert [pin["path"] for pin in found["specs"]] == ["sync.yaml"]


def test_a_junit_report_has_a_case_for_each_tag(mirror: Mirror, image: MadeImage) -> None:
    mirror.fill("3", image=image)
    mirror.cli("audit", mirror.spec("app:1", "app:3"), "--report", "report.xml")
    root = ET.fromstring(Path("report.xml").read_text())
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "0")
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("type") == "missing tag"


def test_a_json_report_is_written_beside_the_text(mirror: Mirror, image: MadeImage) -> None:
    mirror.cli("audit", "sync.yaml", "--report", "report.json")
    assert json.loads(Path("report.json").read_text())["summary"]["tags"] == 2


def test_a_markdown_report_has_a_row_for_each_finding(mirror: Mirror, image: MadeImage) -> None:
    blob_file(mirror, image).unlink()
    ran = mirror.cli("audit", "sync.yaml", "--format", "markdown")
    assert "| missing blob | `127.0.0.1" in ran.out
    assert ran.out.startswith("**Audit: 2 of 2 tags are not as promised: 1 missing blob.")


def test_a_report_of_no_known_form_is_refused_before_any_request(mirror: Mirror, image: MadeImage) -> None:
    assert mirror.cli("audit", "sync.yaml", "--report", "report.txt").code == 4
    assert mirror.requests() == []


def test_only_what_is_named_is_audited(mirror: Mirror, image: MadeImage) -> None:
    ran = mirror.cli("audit", "sync.yaml", "--shard", "1/1", "--only", "sync[0]/app", "--format", "json")
    assert ran.json()["summary"]["tags"] == 2


def test_github_gets_an_error_for_each_finding_and_a_summary(
    mirror: Mirror, image: MadeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob_file(mirror, image).unlink()
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(name, name.lower())
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ran = mirror.cli("audit", "sync.yaml")
    assert "::error file=sync.yaml,line=6,col=9,title=" in ran.err
    assert "1 missing blob" in Path("github_step_summary").read_text()
    assert "findings<<" in Path("github_output").read_text()


def test_a_layout_is_audited_as_a_registry_is(mirror: Mirror) -> None:
    image = mirror.fill("1")
    spec = mirror.spec("app:1", to="oci:./gap")
    mirror.cli("apply", spec)
    assert mirror.cli("audit", spec, "--deep").code == 0
    child = image.children[0]
    assert isinstance(child, Manifest)
    (Path("gap/app/blobs/sha256") / child.layers[0].digest.encoded).unlink()
    ran = mirror.cli("audit", spec)
    assert ran.code == 2
    assert "missing blob" in ran.out


def test_a_missing_signature_is_told_with_the_tag_that_it_speaks_of(mirror: Mirror, image: MadeImage) -> None:
    tag = tag_of(image.digest, AttachmentType.SIGNATURES)
    signature = push_image(mirror.source.repository("app"), make_signature(image.digest, "alice", "bob"), tag)
    ran = mirror.cli("audit", "sync.yaml")
    host = mirror.destination.host
    assert ran.code == 2
    assert f"! {host}/app:{tag}  missing attachment\n" in ran.out
    assert f"    the source has 2 signatures, in {signature.digest.short}, that are not there\n" in ran.out
    assert f"    of {host}/app:1, {host}/app:2, sync[0]/app" in ran.out
    assert mirror.writes() == []
    spec = mirror.spec("{name: app, tags: ['1'], attachments: none}")
    assert mirror.cli("audit", spec).code == 0
