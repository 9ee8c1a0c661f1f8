"""Records where a registry lists no referrers: in the list that clients keep, which others may write meanwhile."""

from __future__ import annotations

import threading

import pytest

from imagesync.plan.attachments import RECORD_TYPE
from imagesync.reference import Tag
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.fakes.registry import Entry
from tests.images import MadeImage, list_of, make_image, make_referrer, push_image

IMAGE = make_image("api 1.4.0")
LIST = IMAGE.digest.as_tag


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    """Stages within one repository."""
    one = make_registry()
    one.list_no_referrers()
    made = Shop(cli, (one, one, one), images=("api",), more={"staging": "current: staging", "production": "current: x"})
    made.write()
    made.push("1.4.0", api=IMAGE)
    return made


def list_from(shop: Shop, kind: str) -> MadeImage:
    """The list as another client writes it, who knows of nothing but this referrer."""
    referrer = push_image(shop.hosts[0].repository("shop/api"), make_referrer(IMAGE.root, kind))
    return list_of(referrer, artifactType=kind)


def asked_of_list(shop: Shop) -> list[str]:
    found = [line.split() for line in shop.hosts[0].log.lines(path=f"/manifests/{LIST}$")]
    return [f"{method} {status}" for method, _, status in found]


def listed(shop: Shop) -> list[str | None]:
    found = shop.hosts[0].repository("shop/api").fetch_manifest(Tag(LIST))
    return [entry.artifact_type for entry in found.successors()]


def test_a_list_that_a_record_begins_is_not_read_back(shop: Shop) -> None:
    assert shop.promote("1.4.0", "staging").code == 0
    assert asked_of_list(shop) == ["GET 404", "PUT 201"]
    assert listed(shop) == [RECORD_TYPE]


def test_a_list_that_others_write_is_read_back_and_a_record_that_they_lose_is_added_again(shop: Shop) -> None:
    repository, moved = shop.hosts[0].repository("shop/api"), threading.Lock()
    first, second = list_from(shop, "application/a"), list_from(shop, "application/b")
    push_image(repository, first, LIST)

    def overwrite(request: Entry) -> None:
        if request.line.startswith(f"HEAD /v2/shop/api/manifests/{LIST}") and moved.acquire(blocking=False):
            push_image(repository, second, LIST)

    shop.hosts[0].call_before_each(overwrite)
    assert shop.promote("1.4.0", "staging").code == 0
    assert asked_of_list(shop) == ["GET 200", "PUT 201", "HEAD 200"] * 2
    assert listed(shop) == ["application/b", RECORD_TYPE]


def test_a_list_that_others_write_without_end_ends_the_promotion_and_says_what_to_do(shop: Shop) -> None:
    repository = shop.hosts[0].repository("shop/api")
    lists = [list_from(shop, f"application/{number}") for number in range(6)]
    push_image(repository, lists.pop(), LIST)

    def overwrite(request: Entry) -> None:
        if request.line.startswith(f"HEAD /v2/shop/api/manifests/{LIST}"):
            push_image(repository, lists.pop(), LIST)

    shop.hosts[0].call_before_each(overwrite)
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.entries(0)) == (1, ["started"])
    assert "others have written the list of referrers, 5 times in a row" in ran.text
    assert "run the same command again when they are done" in ran.text


def test_a_later_stage_of_the_same_repository_adds_to_the_list(shop: Shop) -> None:
    shop.promote("1.4.0", "staging")
    shop.forget()
    assert shop.promote("1.4.0", "production").code == 0
    assert asked_of_list(shop) == ["GET 200", "PUT 201", "HEAD 200"]
    assert listed(shop) == [RECORD_TYPE] * 2
