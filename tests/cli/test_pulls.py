"""A budget of pulls, as a user meets it: what the plan shows, where apply stops, and what the next run goes on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.plan.attachments import tag_of
from imagesync.spec.model import AttachmentType
from tests.cli.command import Cli, Mirror
from tests.images import list_of, make_image, make_index, make_referrer, make_signature, push_image

TAGS = ("a", "b", "c", "d")


@pytest.fixture
def mirror(cli: Cli, mirror: Mirror) -> Mirror:
    for tag in TAGS:
        mirror.fill(tag, image=make_image(tag, layers=1))
    return mirror


def spec(mirror: Mirror, pulls: str) -> str:
    text = f"""
        version: 1
        registries:
          {mirror.source.host}: {{concurrency: 1, {pulls}}}
        sync:
          - source: {mirror.source.host}
            destination: {mirror.destination.host}
            images:
              - name: app
                tags: ["*"]
    """
    return mirror.cli.file(text)


def reads(mirror: Mirror) -> int:
    return len(mirror.source.log.entries("GET", "/manifests/"))


def test_apply_stops_before_it_overspends_and_says_what_is_left(cli: Cli, mirror: Mirror) -> None:
    """LIM-04: the rest is carried out, and the exit code is that of a limit."""
    ran = cli("apply", spec(mirror, "pulls: {budget: 3/6h}"))
    assert ran.code == 3
    assert reads(mirror) == 3
    assert "… app:d" in ran.out
    assert "the budget of 3 pulls in 6 hours is spent" in ran.out
    assert "Not all done: 3 added, 0 updated, 1 waiting" in ran.out
    assert f"Used 3 pulls on {mirror.source.host}, 0 left, at least 1 more needed." in ran.out


def test_a_budget_that_defers_is_no_failure(cli: Cli, mirror: Mirror) -> None:
    ran = cli("apply", spec(mirror, "pulls: {budget: 3/6h, when_spent: defer}"))
    assert ran.code == 0
    assert "Done: 3 added, 0 updated, 1 waiting" in ran.out


def test_a_plan_shows_what_it_has_used_and_what_is_left(cli: Cli, mirror: Mirror) -> None:
    ran = cli("plan", spec(mirror, "pulls: {budget: 80/6h}"), "-o", "plan.json")
    assert ran.code == 0
    assert f"Used 4 pulls on {mirror.source.host}, 76 left." in ran.out
    assert '"left": 76' in Path("plan.json").read_text()


def test_what_a_registry_says_is_left_binds_too(cli: Cli, mirror: Mirror) -> None:
    """LIM-04: `ratelimit-remaining: 3`, four are needed."""
    headers = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "3;w=21600"}
    mirror.source.script("HEAD", "/manifests/", headers=headers)
    ran = cli("plan", spec(mirror, "timeouts: {read: 60s}"))
    assert ran.code == 3
    assert reads(mirror) == 3
    assert "waits: " in ran.out
    assert "no pull is left" in ran.out
    assert "0 left, at least 1 more needed" in ran.out


def test_with_a_cache_the_next_run_counts_what_this_one_has_used(cli: Cli, mirror: Mirror) -> None:
    name = spec(mirror, "pulls: {budget: 3/6h}")
    assert cli("apply", name, "--cache", "cache").code == 3
    ran = cli("apply", name, "--cache", "cache")
    assert ran.code == 3
    assert reads(mirror) == 3
    assert "Used 0 pulls" in ran.out


def test_without_a_limit_pulls_are_not_spoken_of(cli: Cli, mirror: Mirror) -> None:
    assert "pull" not in cli("plan", spec(mirror, "timeouts: {read: 60s}")).out


def spec_of_all(mirror: Mirror, budget: int) -> str:
    """Every tag of `many`, with many slots and few pulls."""
    return mirror.cli.file(f"""
        version: 1
        registries:
          {mirror.source.host}: {{pulls: {{budget: {budget}/6h}}}}
        sync:
          - source: {mirror.source.host}
            destination: {mirror.destination.host}
            images:
              - name: many
                tags: ["*"]
    """)


def test_a_small_budget_is_spent_on_whole_images(cli: Cli, mirror: Mirror) -> None:
    """Six images of three manifests each, six pulls, many slots: two images are copied, and not none."""
    for number in range(6):
        mirror.fill(f"index-{number}", path="many", image=make_index(f"many {number}"))
    ran = cli("apply", spec_of_all(mirror, 6))
    assert ran.code == 3
    assert "2 added, 0 updated, 4 waiting" in ran.out


def test_a_small_budget_is_spent_on_whole_images_with_what_speaks_of_them(cli: Cli, mirror: Mirror) -> None:
    """A manifest and its signature are two pulls: of six, three images are copied, and none is read in half."""
    for number in range(6):
        image = mirror.fill(f"v{number}", path="many", image=make_image(f"signed {number}", layers=1))
        signature = make_signature(image.digest, "alice")
        push_image(mirror.source.repository("many"), signature, tag_of(image.digest, AttachmentType.SIGNATURES))
    ran = cli("apply", spec_of_all(mirror, 6))
    assert ran.code == 3
    assert "3 added, 0 updated, 3 waiting" in ran.out


def test_what_speaks_of_tags_that_stay_is_read_one_image_at_a_time(cli: Cli, mirror: Mirror) -> None:
    """A list of referrers and what it lists are two pulls: of six, three tags get theirs."""
    mirror.source.script("GET", "/referrers/", status=404)
    for number in range(6):
        image = mirror.fill(f"v{number}", path="many", image=make_image(f"there {number}", layers=1))
        mirror.stand(image, f"v{number}", path="many")
        listed = list_of(make_referrer(image.root))
        push_image(mirror.source.repository("many"), listed, tag_of(image.digest, AttachmentType.REFERRERS))
    ran = cli("apply", spec_of_all(mirror, 6))
    assert ran.code == 3
    assert "0 added, 0 updated, 3 attached to, 3 waiting" in ran.out
