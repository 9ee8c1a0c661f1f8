"""Release files: a version of a promotion whose images have versions of their own, written down for review."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import make_image, push_image

FILE = Path("releases/shop-2.0.yaml")


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    """dev has api:1.4.0 and worker:1.3.9."""
    made = Shop(cli, (make_registry(), make_registry(), make_registry()))
    made.write()
    push_image(made.hosts[0].repository("shop/api"), make_image("api"), "1.4.0")
    push_image(made.hosts[0].repository("shop/worker"), make_image("worker"), "1.3.9")
    return made


def create(shop: Shop, *more: str) -> tuple[int, str]:
    images = ("--image", "api=1.4.0", "--image", "worker=1.3.9")
    ran = shop.cli("release", "create", "sync.yaml", "shop:2.0", *(more or images))
    return ran.code, ran.text


def test_a_release_is_written_with_the_tag_and_digest_of_every_image(shop: Shop) -> None:
    assert create(shop) == (0, f"Wrote {FILE}: api 1.4.0, worker 1.3.9.\n")
    assert FILE.read_text() == (
        "# What this release is made of: written by `imagesync release create`, taken by `imagesync promote`.\n"
        'release: shop\nversion: "2.0"\nimages:\n'
        f'  "api": "1.4.0@{make_image("api").digest}"\n  "worker": "1.3.9@{make_image("worker").digest}"\n'
    )


def test_its_images_come_to_the_next_stage_under_its_version(shop: Shop) -> None:
    create(shop)
    assert shop.promote("2.0", "staging").code == 0
    assert shop.tags(1, "api") == {"2.0": make_image("api").digest}
    assert shop.tags(1, "worker") == {"2.0": make_image("worker").digest}
    assert shop.promote("2.0", "production").code == 0
    assert shop.tags(2, "worker") == {"2.0": make_image("worker").digest}


def test_what_a_tag_points_to_by_now_does_not_count(shop: Shop) -> None:
    create(shop)
    push_image(shop.hosts[0].repository("shop/api"), make_image("another"), "1.4.0")
    assert shop.promote("2.0", "staging").code == 0
    assert shop.tags(1, "api") == {"2.0": make_image("api").digest}


def test_a_saved_plan_belongs_to_its_release_file(shop: Shop) -> None:
    create(shop)
    shop.promote("2.0", "staging", "-o", "plan.json")
    text = FILE.read_text()
    FILE.write_text(text + "# edited\n")
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, f"{FILE} has changed since the plan was made" in ran.err) == (4, True), ran.text
    FILE.write_text(text)
    assert shop.cli("apply", "sync.yaml", "--plan", "plan.json").code == 0


def test_a_release_is_not_written_over(shop: Shop) -> None:
    create(shop)
    push_image(shop.hosts[0].repository("shop/api"), make_image("another"), "1.4.0")
    code, text = create(shop)
    assert (code, "says something else already" in text) == (4, True)


def test_an_image_that_is_missing_or_of_no_promotion_is_told(shop: Shop) -> None:
    code, text = create(shop, "--image", "api=1.4.0")
    assert (code, "shop/worker:2.0" in text) == (1, True), text
    code, text = create(shop, "--image", "apy=1")
    assert (code, "shop has no image 'apy'" in text) == (4, True)
    assert not FILE.exists()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"worker"', '"werker"', "5:3: shop has no image 'werker'\n    did you mean worker?"),
        ('"worker"', '"werker"', "1:1: image worker is missing"),
        ("release: shop", "release: shed", "2:10: 'shed' stands where shop was looked for"),
        ('version: "2.0"', "version: 2.0", "quote it"),
        ('version: "2.0"', 'version: "2.1"', "3:10: '2.1' stands where 2.0 was looked for"),
        ("@sha256:", "@", "is not a digest"),
        ("1.4.0@", "1.4.0#", "is no tag with its digest"),
        ("images:", "imges:", "unknown key 'imges'"),
        ("release: shop", "- release", "not YAML"),
    ],
)
def test_a_damaged_file_is_refused_with_every_place_and_nothing_is_touched(
    before: str, after: str, said: str, shop: Shop
) -> None:
    create(shop)
    FILE.write_text(FILE.read_text().partition("\n")[2].replace(before, after))
    shop.forget()
    ran = shop.promote("2.0", "staging")
    assert (ran.code, shop.writes()) == (4, [])
    assert said.split(": ", 1)[-1] in ran.err, ran.err
    assert "nothing was touched" in ran.err
