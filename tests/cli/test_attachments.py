"""What speaks of an image, as a user meets it: in a plan, in a run, in a saved plan, and left behind."""

from __future__ import annotations

from pathlib import Path

import jsonschema

from imagesync.layout import LayoutRepository
from imagesync.plan.attachments import tag_of
from imagesync.spec.model import AttachmentType
from tests.cli.command import Mirror
from tests.images import MadeImage, make_image, make_referrer, make_signature, push_image


def signed(mirror: Mirror) -> tuple[MadeImage, str]:
    """An image that is on both sides and was signed at the source since; and the signature's tag."""
    image = mirror.stand(mirror.fill("1"), "1")
    tag = tag_of(image.digest, AttachmentType.SIGNATURES)
    push_image(mirror.source.repository("app"), make_signature(image.digest, "alice"), tag)
    return image, tag


def test_a_signature_that_came_later_is_a_line_of_the_plan_and_a_pending_change(mirror: Mirror) -> None:
    signed(mirror)
    ran = mirror.cli("plan", mirror.spec(), "--detailed-exitcode")
    assert ran.code == 2
    assert "  ~ app:1  1 signature to add\n" in ran.out
    assert mirror.writes() == []


def test_an_apply_brings_it_and_the_next_has_nothing_to_do(mirror: Mirror) -> None:
    image, tag = signed(mirror)
    ran = mirror.cli("apply", mirror.spec())
    assert (ran.code, "  ~ app:1  1 signature added\n" in ran.out) == (0, True)
    assert mirror.tags() == {"1": image.digest, tag: make_signature(image.digest, "alice").digest}
    assert mirror.cli("apply", "sync.yaml").out.startswith("No changes. 1 tag is as the spec wants it.")


def test_a_saved_plan_fits_its_schema_and_is_carried_out(mirror: Mirror) -> None:
    _, tag = signed(mirror)
    spec = mirror.spec()
    ran = mirror.cli("plan", spec, "--format", "json")
    jsonschema.Draft7Validator(mirror.cli("schema", "--plan").json()).validate(ran.json())
    (action,) = ran.json()["actions"]
    assert (action["action"], [one["destination"]["tag"] for one in action["attachments"]]) == ("attach", [tag])
    mirror.cli("plan", spec, "-o", "plan.json")
    assert mirror.cli("apply", spec, "--plan", "plan.json").code == 0
    assert tag in mirror.tags()


def test_an_approved_plan_lets_no_later_signature_through(mirror: Mirror) -> None:
    """Decisions 8: exit code 3, and the tag stays as it is."""
    mirror.fill("1")
    spec = mirror.spec()
    mirror.cli("plan", spec, "-o", "plan.json")
    image = mirror.source.repository("app").resolve(mirror.source.repository("app").list_tags()[0])
    tag = tag_of(image.digest, AttachmentType.SIGNATURES)
    push_image(mirror.source.repository("app"), make_signature(image.digest, "mallory"), tag)
    ran = mirror.cli("apply", spec, "--approved", "plan.json")
    assert (ran.code, mirror.tags()) == (3, {})
    assert "has attachments that are not in the approved plan" in ran.out


def test_a_spec_may_leave_them_behind(mirror: Mirror) -> None:
    image, _ = signed(mirror)
    mirror.cli("apply", mirror.spec("{name: app:1, attachments: none}"))
    assert mirror.tags() == {"1": image.digest}


def test_a_copy_takes_them_along_unless_it_is_told_not_to(mirror: Mirror) -> None:
    image, tag = signed(mirror)
    source = f"{mirror.source.host}/app:1"
    mirror.cli("copy", source, f"{mirror.destination.host}/bare", "--attachments", "none")
    assert mirror.tags("bare") == {"1": image.digest}
    mirror.cli("copy", source, f"{mirror.destination.host}/whole")
    assert set(mirror.tags("whole")) == {"1", tag}


def test_a_folder_of_layouts_carries_them_over_an_air_gap(mirror: Mirror) -> None:
    _, tag = signed(mirror)
    assert mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:airgap:1").code == 0
    assert mirror.cli("copy", "oci:airgap/app:1", f"{mirror.destination.host}/far/app").code == 0
    assert set(mirror.tags("far/app")) == {"1", tag}
    assert mirror.cli("copy", "oci:airgap/app:1", f"{mirror.destination.host}/far/app").out.startswith("No changes.")


def test_referrers_that_a_layout_keeps_by_subject_alone_reach_a_registry_and_come_back(mirror: Mirror) -> None:
    """As oras and others write layouts: no list under a tag. A second run finds nothing to do."""
    image = make_image("named")
    store = LayoutRepository(Path("folder/app"))
    push_image(store, image, "1")
    sbom = push_image(store, make_referrer(image.root))
    host = mirror.destination.host
    assert mirror.cli("copy", "oci:folder/app:1", f"{host}/app").code == 0
    assert mirror.destination.repository("app").fetch_manifest(sbom.digest).raw == sbom.root.raw
    assert mirror.cli("copy", "oci:folder/app:1", f"{host}/app").out.startswith("No changes.")
    assert mirror.cli("copy", f"{host}/app:1", "oci:back").code == 0
    back = LayoutRepository(Path("back/app"))
    assert [entry.digest for entry in back.list_referrers(image.digest) or ()] == [sbom.digest]
    assert back.list_tags() == ("1",)
    late = push_image(mirror.destination.repository("app"), make_referrer(image.root, "late"))
    assert mirror.cli("copy", f"{host}/app:1", "oci:back").code == 0
    found = LayoutRepository(Path("back/app")).list_referrers(image.digest) or ()
    assert {entry.digest for entry in found} == {sbom.digest, late.digest}
