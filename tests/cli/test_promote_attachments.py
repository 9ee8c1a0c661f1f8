"""What speaks of an image comes to a stage with it, as the stage says, and later on by the same command."""

from __future__ import annotations

import pytest

from imagesync.plan.attachments import RECORD_TYPE, tag_of
from imagesync.reference import Tag
from imagesync.spec.model import AttachmentType
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import MadeImage, make_image, make_referrer, make_signature, push_image


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    made = Shop(cli, (make_registry(), make_registry(), make_registry()), images=("api",))
    made.write()
    made.push("1.4.0", api=IMAGE)
    return made


IMAGE = make_image("api")
SIGNATURE = tag_of(IMAGE.digest, AttachmentType.SIGNATURES)


def sign(shop: Shop) -> MadeImage:
    return push_image(shop.hosts[0].repository("shop/api"), make_signature(IMAGE.digest, "me"), SIGNATURE)


def attach(shop: Shop) -> MadeImage:
    return push_image(shop.hosts[0].repository("shop/api"), make_referrer(IMAGE.root))


def arrived(shop: Shop, position: int = 1) -> tuple[bool, bool]:
    """Whether a stage has the signature, and what refers to the image."""
    repository = shop.hosts[position].repository("shop/api")
    referrers = [one for one in repository.list_referrers(IMAGE.digest) or () if one.artifact_type != RECORD_TYPE]
    return SIGNATURE in repository.list_tags(), bool(referrers)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("", (True, True)),
        ("attachments: none", (False, False)),
        ("attachments: {types: [signatures]}", (True, False)),
        ("attachments: {types: [referrers]}", (False, True)),
    ],
)
def test_a_stage_says_what_comes_to_it(shop: Shop, stage: str, expected: tuple[bool, bool]) -> None:
    sign(shop)
    attach(shop)
    shop.more["staging"] = stage
    shop.write()
    assert shop.promote("1.4.0", "staging").code == 0
    assert arrived(shop) == expected


def test_it_comes_before_the_first_record_and_the_first_tag(shop: Shop) -> None:
    sign(shop)
    assert shop.promote("1.4.0", "staging").code == 0
    puts = [line.split()[1].rpartition("/manifests/")[2] for line in shop.hosts[1].log.lines("PUT", "/manifests/")]
    started = next(number for number, target in enumerate(puts) if target.endswith("started"))
    assert puts.index(SIGNATURE) < started < puts.index("1.4.0")


def test_it_comes_from_within_the_stage_before_and_the_same_command_brings_what_was_added_since(shop: Shop) -> None:
    sign(shop)
    for stage in ("staging", "production"):
        assert shop.promote("1.4.0", stage).code == 0
    assert arrived(shop, 2) == (True, False)
    attach(shop)
    before = shop.tags(1, "api")
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, arrived(shop), shop.tags(1, "api")) == (0, (True, True), before), ran.text
    assert Tag("1.4.0") in before


def test_what_cannot_be_brought_leaves_every_tag_as_it_was(shop: Shop) -> None:
    sign(shop)
    shop.hosts[1].script("PUT", "sha256-", status=403)
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.tags(1, "api"), shop.entries(1)) == (1, {}, []), ran.text
