"""rollback and hold: a stage runs again what it ran before, and stays there until somebody releases it."""

from __future__ import annotations

import pytest

from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import make_image, push_image


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    """Versions 1.3.0, 1.4.0 and 1.5.0 have come to staging, which runs the last."""
    made = Shop(cli, (make_registry(), make_registry(), make_registry()), more={"staging": "current: live"})
    made.write()
    for version in ("1.3.0", "1.4.0", "1.5.0"):
        made.push(version)
        assert made.promote(version, "staging").code == 0
    made.forget()
    return made


def rollback(shop: Shop, *more: str) -> tuple[int, str]:
    ran = shop.cli("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "broken login", *more)
    return ran.code, ran.text


def test_a_stage_runs_again_what_it_ran_before(shop: Shop) -> None:
    tags = shop.tags(1, "api")
    assert tags["live"] == tags["1.5.0"]
    code, text = rollback(shop, "--confirm")
    assert code == 0, text
    after = shop.tags(1, "api")
    assert after == {**tags, "live": tags["1.4.0"]}, "the tags of versions stay"
    assert shop.tags(1, "worker")["live"] == shop.tags(1, "worker")["1.4.0"]
    assert shop.entries(1)[-3:] == ["hold", "started", "finished"]


def test_without_confirm_it_shows_what_would_be_and_writes_nothing(shop: Shop) -> None:
    code, text = rollback(shop)
    assert (code, shop.writes()) == (0, [])
    assert "2 to update" in text


def test_a_named_version_is_gone_back_to(shop: Shop) -> None:
    assert rollback(shop, "--to", "1.3.0", "--confirm")[0] == 0
    tags = shop.tags(1, "api")
    assert tags["live"] == tags["1.3.0"]


def test_a_second_rollback_goes_back_further(shop: Shop) -> None:
    rollback(shop, "--confirm")
    assert rollback(shop, "--confirm")[0] == 0
    tags = shop.tags(1, "api")
    assert tags["live"] == tags["1.3.0"]


def test_a_version_that_was_never_there_is_refused(shop: Shop) -> None:
    code, text = rollback(shop, "--to", "0.9", "--confirm")
    assert (code, shop.writes()) == (4, [])
    assert "version 0.9 is not on record of shop/staging" in text


def test_the_digest_of_the_record_is_what_comes_back_though_its_tag_has_moved(shop: Shop) -> None:
    recorded = shop.tags(1, "api")["1.4.0"]
    push_image(shop.hosts[1].repository("shop/api"), make_image("forged"), "1.4.0")
    assert rollback(shop, "--confirm")[0] == 0
    assert shop.tags(1, "api")["live"] == recorded


def test_a_stage_without_a_current_tag_has_nothing_to_move_back(shop: Shop) -> None:
    ran = shop.cli("rollback", "sync.yaml", "shop", "--stage", "production", "--reason", "x", "--confirm")
    assert ran.code == 4
    assert "has no `current` tag" in ran.err


def test_a_hold_keeps_other_releases_out_until_it_is_released(shop: Shop) -> None:
    rollback(shop, "--confirm")
    shop.push("1.6.0")
    shop.forget()
    ran = shop.promote("1.6.0", "staging")
    assert (ran.code, shop.writes()) == (3, [])
    assert "staging is held at 1.4.0" in ran.text
    assert "broken login" in ran.text
    assert "imagesync hold sync.yaml shop --stage staging --release" in ran.text
    released = shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--release", "--reason", "fixed")
    assert released.out == "shop/staging is no longer held at 1.4.0.\n"
    assert shop.promote("1.6.0", "staging").code == 0


def test_status_and_history_tell_of_the_rollback_and_the_hold(shop: Shop) -> None:
    rollback(shop, "--confirm")
    status = shop.cli("status", "sync.yaml").out.splitlines()
    assert "shop/staging" in status[1]
    assert "1.4.0" in status[1]
    assert any(line.startswith("  ! api, worker: staging is held at 1.4.0 by") for line in status)
    told = shop.cli("history", "shop", "--spec", "sync.yaml", "--stage", "staging").out.splitlines()
    assert "rollback finished   shop 1.4.0" in told[0]
    assert "broken login" in told[0]
    assert "held" in told[1]


def test_a_stage_can_be_held_where_it_is(shop: Shop) -> None:
    ran = shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--reason", "audit")
    assert (ran.code, ran.out) == (0, "shop/staging is held at 1.5.0.\n")
    assert shop.promote("1.5.0", "staging").code == 0, "it is what the stage is held at"
    shop.push("1.6.0")
    assert shop.promote("1.6.0", "staging").code == 3


def test_what_is_not_held_cannot_be_released_and_what_is_empty_not_held(shop: Shop) -> None:
    ran = shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--release", "--reason", "x")
    assert (ran.code, "shop/staging is not held" in ran.err) == (4, True)
    ran = shop.cli("hold", "sync.yaml", "shop", "--stage", "production", "--reason", "x")
    assert (ran.code, "nothing is on record" in ran.err) == (4, True)


def test_a_rollback_within_the_stage_moves_no_blob(shop: Shop) -> None:
    rollback(shop, "--confirm")
    assert shop.hosts[1].log.entries("", "/blobs/uploads") == []


def test_a_hold_with_a_long_reason_holds(shop: Shop) -> None:
    stage = ("sync.yaml", "shop", "--stage", "staging")
    assert shop.cli("hold", *stage, "--reason", "x" * 5000).code == 0
    shop.push("1.6.0")
    ran = shop.promote("1.6.0", "staging")
    assert (ran.code, "staging is held at 1.5.0 by" in ran.out) == (3, True), ran.text
    assert shop.cli("hold", *stage, "--release", "--reason", "over\udcff").code == 0
