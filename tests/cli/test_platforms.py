"""Platforms on the command line: what a plan says of a narrowed copy, and every command that meets one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagesync.selection import IndexForm
from tests.cli.command import Mirror
from tests.images import MadeImage, make_index
from tests.traces.narrowing import AMD64, INDEX, ONE, keep, narrowed

AMD64_ALONE = '{name: app, tags: "1", platforms: linux/amd64}'


@pytest.fixture
def spec(mirror: Mirror) -> str:
    """Of an index for two platforms with attestations, of which one is kept."""
    mirror.fill("1", image=INDEX)
    return mirror.spec(AMD64_ALONE)


def test_a_plan_says_that_the_digest_changes_and_what_stays_behind(mirror: Mirror, spec: str) -> None:
    ran = mirror.cli("plan", spec, "-o", "plan.json")
    assert f"+ app:1  {narrowed(INDEX).short}  1 platform" in ran.out
    assert f"(narrowed from {INDEX.digest.short}: signatures of that index stay behind)" in ran.out
    (action,) = json.loads(Path("plan.json").read_text())["actions"]
    assert (action["source"]["digest"], action["narrowed"]) == (INDEX.digest, narrowed(INDEX))
    assert action["platforms"] == ["linux/amd64"]
    assert mirror.cli("apply", spec, "--plan", "plan.json").code == 0
    assert mirror.tags() == {"1": narrowed(INDEX)}


def test_a_second_apply_changes_nothing_and_with_a_cache_asks_for_two_heads(mirror: Mirror, spec: str) -> None:
    """PLT-04."""
    assert mirror.cli("apply", spec, "--cache", "cache").code == 0
    mirror.forget()
    assert mirror.cli("apply", spec, "--cache", "cache").out.startswith("No changes. 1 tag is as the spec wants it.")
    manifests = [line for line in mirror.requests() if "/manifests/" in line]
    assert manifests == ["HEAD /v2/app/manifests/1 200", "HEAD /v2/app/manifests/1 200"]
    assert mirror.writes() == []


def test_a_report_has_both_digests(mirror: Mirror, spec: str) -> None:
    for status in ("copied", "unchanged"):
        mirror.cli("apply", spec, "--report", "report.json")
        (outcome,) = json.loads(Path("report.json").read_text())["outcomes"]
        assert outcome["status"] == status
        assert (outcome["source_digest"], outcome["destination_digest"]) == (INDEX.digest, narrowed(INDEX))
    assert f"= app:1  {narrowed(INDEX).short}" in mirror.cli("plan", spec, "-v").out


def test_an_approved_plan_of_one_platform_approves_no_other(mirror: Mirror, spec: str) -> None:
    mirror.cli("plan", spec, "-o", "plan.json")
    wider = mirror.spec('{name: app, tags: "1", platforms: [linux/amd64, linux/arm64]}', name="wider.yaml")
    ran = mirror.cli("apply", wider, "--approved", "plan.json")
    assert (ran.code, mirror.tags()) == (3, {})
    assert "not in the approved plan" in ran.out
    assert mirror.cli("apply", spec, "--approved", "plan.json").code == 0


def test_an_audit_is_content_with_what_is_kept_and_a_repair_brings_it_back(mirror: Mirror, spec: str) -> None:
    mirror.cli("apply", spec)
    assert mirror.cli("audit", spec, "--deep").code == 0
    (stored,) = (mirror.destination.root / "app").rglob(AMD64.digest.encoded)
    stored.unlink()
    assert "missing child" in mirror.cli("audit", spec).out
    ran = mirror.cli("apply", spec, "--repair")
    assert ran.code == 0, ran.text
    assert mirror.cli("audit", spec).code == 0


def test_a_platform_that_the_source_lacks_is_an_error_that_names_what_it_has(mirror: Mirror) -> None:
    """PLT-02."""
    mirror.fill("1", image=INDEX)
    ran = mirror.cli("apply", mirror.spec('{name: app, tags: "1", platforms: linux/s390x}'))
    assert (ran.code, mirror.tags()) == (1, {})
    assert "nothing is that: there is linux/amd64, linux/arm64" in ran.out
    assert "keep one of these, or leave the image out" in ran.out


def test_what_a_server_calls_a_platform_is_shown_without_its_control_characters(mirror: Mirror) -> None:
    mirror.fill("1", image=make_index(platforms=("linux/\x1b[31mred", "linux/arm64")))
    ran = mirror.cli("plan", mirror.spec('{name: app, tags: "1", platforms: linux/amd64}'))
    assert ran.code == 1
    assert "\x1b[31m" not in ran.text
    assert "linux/arm64" in ran.out


def test_a_platform_is_copied_by_hand(mirror: Mirror) -> None:
    mirror.fill("1", image=INDEX)
    sides = f"{mirror.source.host}/app:1", f"{mirror.destination.host}/app"
    assert mirror.cli("copy", *sides, "--platform", "linux/amd64").code == 0
    assert mirror.tags() == {"1": narrowed(INDEX)}
    assert mirror.cli("copy", *sides, "--platform", "linux/arm64", "--index", "flatten").code == 0
    flat = keep("linux/arm64", form=IndexForm.FLATTEN)
    assert mirror.tags() == {"1": narrowed(INDEX, flat)}
    every = ("--platform", "linux/arm64", "--platform", "linux/amd64")
    assert mirror.cli("copy", *sides, *every).code == 0
    assert mirror.tags() == {"1": INDEX.digest}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--platform", "linux/amd46"], "did you mean amd64?"),
        (["--index", "sparse"], "add --platform"),
        (["--platform", "linux/*", "--platform", "linux/arm64", "--index", "flatten"], "name one"),
    ],
)
def test_a_wrong_platform_by_hand_is_a_usage_error(mirror: Mirror, options: list[str], said: str) -> None:
    ran = mirror.cli("copy", f"{mirror.source.host}/app:1", f"{mirror.destination.host}/app", *options)
    assert ran.code == 4
    assert said in ran.err
    assert mirror.requests() == []


def test_a_folder_of_layouts_takes_what_is_kept(mirror: Mirror) -> None:
    mirror.fill("1", image=INDEX)
    ran = mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:out:1", "--platform", "linux/amd64")
    assert ran.code == 0, ran.text
    again = mirror.cli("copy", f"{mirror.source.host}/app:1", "oci:out:1", "--platform", "linux/amd64")
    assert again.out.startswith("No changes.")
    further = mirror.cli("copy", "oci:out/app:1", "oci:two:1", "--platform", "linux/amd64")
    assert further.code == 0, further.text
    refused = mirror.cli(
        "copy", f"{mirror.source.host}/app:1", "oci:three:1", "--platform", "linux/amd64", "--index", "sparse"
    )
    assert refused.code == 1
    assert "`index: rewrite` writes one that lists just what is there" in refused.out


def test_a_counted_pull_is_told_where_pulls_are_counted(mirror: Mirror) -> None:
    """Without a cache a rerun reads one index more."""
    mirror.fill("1", image=INDEX)
    limits = {mirror.source.host: "{pulls: {budget: 20/1h}}"}
    spec = mirror.spec(AMD64_ALONE, registries=limits)
    assert f"Used 3 pulls on {mirror.source.host}" in mirror.cli("apply", spec).out
    assert f"Used 1 pull on {mirror.source.host}" in mirror.cli("plan", spec).out


def test_a_narrowed_tag_that_the_budget_does_not_cover_waits(mirror: Mirror) -> None:
    mirror.fill("1", image=INDEX)
    mirror.cli("apply", mirror.spec(AMD64_ALONE))
    other: MadeImage = mirror.fill("1", path="other", image=INDEX)
    limits = {mirror.source.host: "{pulls: {budget: 1/1h, when_spent: defer}}"}
    ran = mirror.cli("apply", mirror.spec(AMD64_ALONE, AMD64_ALONE.replace("app", "other"), registries=limits))
    assert ran.code == 0, ran.text
    assert "1 waiting" in ran.out
    assert other.digest == INDEX.digest
    assert narrowed(INDEX, ONE) in mirror.tags().values()
