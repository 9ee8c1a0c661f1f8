"""What was checked is what moves: each tag is read once, and from then on its digest alone is asked for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from imagesync.plan.attachments import tag_of
from imagesync.spec.model import AttachmentType
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.fakes.registry import Entry
from tests.images import MadeImage, make_image, make_index, push_image
from tests.signature.artifacts import make_evidence
from tests.signature.signers import make_ecdsa, make_payload

OWNER = make_ecdsa()
GATES = "current: live\ngates: [{signature: {key: owner.pub}}, {size: {total: 1GB}}, {labels: {config: {seed: /.+/}}}]"


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    """Two images that are signed, and a stage that looks at signature, size and labels."""
    made = Shop(cli, (make_registry(), make_registry(), make_registry()), more={"staging": GATES})
    Path("owner.pub").write_text(OWNER.pem)
    made.write()
    for name in made.images:
        push_signed(made, name, make_index(name))
    return made


def push_signed(shop: Shop, name: str, image: MadeImage) -> None:
    repository = shop.hosts[0].repository(f"shop/{name}")
    push_image(repository, image, "1.4.0")
    signature = make_evidence(OWNER.signature(make_payload(image.digest)))
    push_image(repository, signature, tag_of(image.digest, AttachmentType.SIGNATURES))


def asked_of_tags(shop: Shop) -> list[str]:
    """The requests to dev for the tag of the version."""
    return sorted(shop.hosts[0].log.lines(path=r"/manifests/1\.4\.0$"))


def test_between_check_and_copy_no_tag_is_read_twice(shop: Shop) -> None:
    shop.forget()
    ran = shop.promote("1.4.0", "staging")
    assert ran.code == 0, ran.text
    assert asked_of_tags(shop) == [f"GET /v2/shop/{name}/manifests/1.4.0 200" for name in shop.images]
    read = shop.hosts[0].log.lines("GET", r"/manifests/(?!sha256|1\.4\.0$)")
    assert read == [], "all else is read by its digest"


def test_a_saved_plan_reads_no_tag_of_the_source_again(shop: Shop) -> None:
    assert shop.promote("1.4.0", "staging", "-o", "plan.json").code == 0
    shop.forget()
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, asked_of_tags(shop)) == (0, []), ran.text


@pytest.mark.parametrize("moment", [r"/manifests/sha256:", r"/manifests/sha256-", r"/blobs/"])
def test_a_tag_that_moves_once_it_was_resolved_moves_nothing_else_along(shop: Shop, moment: str) -> None:
    """Be it while gates are asked, or while content is brought."""
    checked = shop.tags(0, "api")["1.4.0"]
    moved = threading.Lock()

    def move(request: Entry) -> None:
        if f"/api{moment}" in request.path and moved.acquire(blocking=False):
            push_image(shop.hosts[0].repository("shop/api"), make_image("forged"), "1.4.0")

    shop.hosts[0].call_before_each(move)
    ran = shop.promote("1.4.0", "staging")
    assert moved.locked()
    assert shop.tags(0, "api")["1.4.0"] != checked
    assert ran.code == 0, ran.text
    assert shop.tags(1, "api") == dict.fromkeys(("1.4.0", "live"), checked)
    (event,) = shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json").json()["events"]
    assert event["images"][0]["digest"] == checked
