"""apply --repair: what was found is brought, nothing else is touched, and what cannot be mended is said."""

from __future__ import annotations

from pathlib import Path

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


def stored(mirror: Mirror, digest: str) -> Path:
    (found,) = (mirror.destination.root / "app").rglob(digest.rpartition(":")[2])
    return found


def layer_of(image: MadeImage) -> str:
    child = image.children[0]
    assert isinstance(child, Manifest)
    return child.layers[0].digest


def blobs_read(mirror: Mirror) -> list[str]:
    return [entry.path.rpartition("/")[2] for entry in mirror.source.log.entries("GET", "/blobs/")]


def test_a_missing_blob_is_brought_and_nothing_else(mirror: Mirror, image: MadeImage) -> None:
    stored(mirror, layer_of(image)).unlink()
    assert mirror.cli("apply", "sync.yaml").out.startswith("No changes.")
    mirror.forget()
    ran = mirror.cli("apply", "sync.yaml", "--repair")
    assert ran.code == 0, ran.text
    assert "Audit: 2 of 2 tags are not as promised: 1 missing blob." in ran.err
    assert "1.0 kB copied, 6.4 kB already there" in ran.out
    assert blobs_read(mirror) == [layer_of(image)]
    assert mirror.cli("audit", "sync.yaml", "--deep").code == 0


def test_a_cut_blob_is_brought_again_where_the_registry_lets_it_be_replaced(mirror: Mirror, image: MadeImage) -> None:
    stored(mirror, layer_of(image)).write_bytes(b"short")
    ran = mirror.cli("apply", "sync.yaml", "--repair")
    assert ran.code == 0, ran.text
    assert "1 other size" in ran.err


def test_a_missing_child_is_written_again(mirror: Mirror, image: MadeImage) -> None:
    mirror.destination.script("GET", f"/manifests/{image.children[0].digest}", status=404, times=1)
    ran = mirror.cli("apply", "sync.yaml", "--repair")
    assert ran.code == 0, ran.text
    assert "1 missing child" in ran.err
    assert len(mirror.destination.log.lines("PUT", f"/manifests/{image.children[0].digest}")) == 1
    assert blobs_read(mirror) == []


def test_missing_and_other_tags_are_brought_and_those_that_are_right_are_left_out(
    mirror: Mirror, image: MadeImage
) -> None:
    mirror.stand(make_image("of another hand"), "1")
    mirror.fill("3", image=image)
    ran = mirror.cli("apply", mirror.spec("app:1", "app:2", "app:3"), "--repair")
    assert ran.code == 0, ran.text
    assert "Done: 1 added, 1 updated, 0 unchanged." in ran.out
    assert mirror.tags() == dict.fromkeys(("1", "2", "3"), image.digest)
    assert mirror.destination.log.lines("PUT", "/manifests/2") == []


def test_an_immutable_tag_is_mended_below_and_not_written(mirror: Mirror, image: MadeImage) -> None:
    stored(mirror, layer_of(image)).unlink()
    spec = mirror.spec('{name: app, tags: ["1"], immutable: ["*"]}')
    mirror.forget()
    ran = mirror.cli("apply", spec, "--repair")
    assert ran.code == 0, ran.text
    assert "Done: 0 added, 0 updated, 1 unchanged. 1.0 kB copied" in ran.out
    assert mirror.destination.log.lines("PUT", "/manifests/1") == []
    assert mirror.cli("audit", spec).code == 0


def test_an_immutable_tag_with_another_digest_stays_and_is_told_of(mirror: Mirror, image: MadeImage) -> None:
    other = mirror.stand(make_image("of another hand"), "1")
    ran = mirror.cli("apply", mirror.spec('{name: app, tags: ["1"], immutable: ["*"]}'), "--repair")
    assert ran.code == 3
    assert "! app:1  blocked: immutable tag has" in ran.out
    assert mirror.tags()["1"] == other.digest


def test_where_all_is_right_the_audit_is_the_result_and_nothing_is_written(mirror: Mirror, image: MadeImage) -> None:
    ran = mirror.cli("apply", "sync.yaml", "--repair")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Audit: 2 tags are as promised.")
    assert mirror.writes() == []


def test_a_dry_run_shows_what_would_be_brought(mirror: Mirror, image: MadeImage) -> None:
    stored(mirror, layer_of(image)).unlink()
    ran = mirror.cli("apply", "sync.yaml", "--repair", "--dry-run")
    assert ran.code == 0
    assert "1.0 kB to copy, 3.2 kB already there" in ran.out
    assert mirror.writes() == []


def test_what_is_still_wrong_afterwards_is_told_and_worth_2(mirror: Mirror, image: MadeImage) -> None:
    mirror.destination.script("HEAD", f"/blobs/{layer_of(image)}", status=404)
    ran = mirror.cli("apply", "sync.yaml", "--repair")
    assert ran.code == 2
    assert ran.err.count("1 missing blob.") == 2


def test_what_could_not_be_judged_is_worth_1_whatever_was_mended(mirror: Mirror, image: MadeImage) -> None:
    ran = mirror.cli("apply", mirror.spec("app:1", '{name: lost, tags: ["*"]}'), "--repair")
    assert ran.code == 1
    assert "lost  not readable" in ran.err


def test_a_cache_is_refused_since_it_says_what_was_there_once(mirror: Mirror, image: MadeImage) -> None:
    ran = mirror.cli("apply", "sync.yaml", "--repair", "--cache", "cache")
    assert ran.code == 4
    assert "leave out --cache" in ran.err
    assert mirror.requests() == []


@pytest.mark.parametrize("option", ["--plan", "--approved"])
def test_a_saved_plan_is_another_thing(mirror: Mirror, image: MadeImage, option: str) -> None:
    assert mirror.cli("apply", "sync.yaml", "--repair", option, "plan.json").code == 4


def test_an_incomplete_tag_is_mended_with_what_speaks_of_it(mirror: Mirror, image: MadeImage) -> None:
    """Attachments stand before the tag that is written again, as those of any tag."""
    tag = tag_of(image.digest, AttachmentType.SIGNATURES)
    push_image(mirror.source.repository("app"), make_signature(image.digest, "alice"), tag)
    stored(mirror, layer_of(image)).unlink()
    ran = mirror.cli("apply", "sync.yaml", "--repair")
    assert ran.code == 0, ran.text
    assert set(mirror.tags()) == {"1", "2", tag}
    assert mirror.cli("apply", "sync.yaml").out.startswith("No changes. 2 tags are")


def test_a_signature_that_has_not_arrived_is_brought_by_a_repair(mirror: Mirror, image: MadeImage) -> None:
    tag = tag_of(image.digest, AttachmentType.SIGNATURES)
    push_image(mirror.source.repository("app"), make_signature(image.digest, "alice"), tag)
    ran = mirror.cli("apply", "sync.yaml", "--repair")
    assert ran.code == 0, ran.text
    assert "Audit: 2 of 2 tags are not as promised: 1 missing attachment." in ran.err
    assert set(mirror.tags()) == {"1", "2", tag}
    assert mirror.cli("audit", "sync.yaml").code == 0


def test_a_signature_that_lost_its_payload_is_mended_below_and_nothing_else_is_brought(
    mirror: Mirror, image: MadeImage
) -> None:
    signature, tag = make_signature(image.digest, "alice"), tag_of(image.digest, AttachmentType.SIGNATURES)
    push_image(mirror.source.repository("app"), signature, tag)
    mirror.cli("apply", "sync.yaml")
    payload = signature.root.successors()[1].digest
    stored(mirror, payload).unlink()
    assert mirror.cli("apply", "sync.yaml").out.startswith("No changes.")
    mirror.forget()
    ran = mirror.cli("apply", "sync.yaml", "--repair")
    assert ran.code == 0, ran.text
    assert "1 missing blob." in ran.err
    assert blobs_read(mirror) == [payload]
    assert mirror.destination.log.lines("PUT", "/manifests/1") == []
    assert mirror.cli("audit", "sync.yaml", "--deep").code == 0
