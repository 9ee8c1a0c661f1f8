"""What becomes of a release that is due where something happened at its stage while the run was at something else."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from imagesync.promotion.entries import Kind
from imagesync.promotion.journal import Journal
from imagesync.promotion.record import Record
from imagesync.promotion.recording import begin
from imagesync.promotion.seal import NoSeal
from imagesync.reference import Repository, Tag
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.fakes.registry import Entry
from tests.images import make_image, push_image
from tests.promotion.values import make_record

PREFIXES = ("shop", "staging", "production")


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    """In one registry, so that no byte of a release moves, beside a sync entry of which some do."""
    here, elsewhere = make_registry(), make_registry()
    made = Shop(cli, (here, here, here), more={"staging": "auto: true"})
    push_image(elsewhere.repository("built/base"), make_image("base"), "1")
    entry = f"sync:\n  - source: {elsewhere.host}/built\n    destination: {here.host}/mirror\n    images: ['base:1']\n"
    made.write(prefixes=PREFIXES)
    cli.file(f"{Path('sync.yaml').read_text()}{entry}")
    made.push("1.4.0")
    return made


def while_images_are_brought(shop: Shop, record: Record) -> None:
    """Let another put this on record of staging once the run has begun to write."""
    registry, done = shop.hosts[1], threading.Lock()
    store = registry.repository("staging/imagesync-journal")

    def enter(request: Entry) -> None:
        if "/mirror/base/blobs/uploads" in request.path and done.acquire(blocking=False):
            begin(record, Journal(Repository(registry.host, "staging/imagesync-journal"), store, NoSeal()))

    registry.call_before_each(enter)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (make_record(Kind.HOLD, version=Tag("1.3.0")), "staging is held at 1.3.0 by octocat"),
        (make_record(Kind.FINISHED, version=Tag("1.6.0")), "staging runs 1.6.0 by now, and no release goes back by"),
    ],
)
def test_a_release_stays_where_its_stage_was_held_or_went_on_while_images_were_brought(
    shop: Shop, record: Record, reason: str
) -> None:
    while_images_are_brought(shop, record)
    ran = shop.cli("apply", "sync.yaml")
    assert (ran.code, shop.tags(1, "api", "staging")) == (3, {}), ran.text
    assert reason in ran.text
    assert shop.entries(1, "staging") == [record.kind.value]
