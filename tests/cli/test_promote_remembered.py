"""The state of a spec knows what promotions have written: no other command takes it for another hand's."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.state.document import state_from_json
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import make_image, push_image


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    made = Shop(cli, (make_registry(), make_registry(), make_registry()), more={"staging": "current: live"})
    keep(made)
    return made


def keep(shop: Shop, sync: str = "") -> None:
    """Write the spec with a state, and with entries besides."""
    text = Path(shop.write()).read_text()
    shop.cli.file(f"state: state.json\n{text}{sync}")


def written() -> dict[str, str]:
    """The tags that the state has as written by imagesync, each with its digest."""
    state = state_from_json(Path("state.json").read_bytes(), name="state.json")
    return {str(one.destination): one.digest for one in state.all_owned()}


def test_what_a_promotion_writes_is_remembered_as_written(shop: Shop) -> None:
    made = shop.push("1.4.0")
    assert shop.promote("1.4.0", "staging").code == 0
    host = shop.hosts[1].host
    expected = {f"{host}/shop/{name}:{tag}": made[name].digest for name in made for tag in ("1.4.0", "live")}
    assert written() == expected


def test_what_a_rollback_and_a_saved_plan_write_is_remembered_too(shop: Shop) -> None:
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        shop.promote(version, "staging", "-o", "plan.json")
        assert shop.cli("apply", "sync.yaml", "--plan", "plan.json").code == 0
    live = f"{shop.hosts[1].host}/shop/api:live"
    assert written()[live] == shop.tags(1, "api")["1.5.0"]
    assert shop.cli("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "x", "--confirm").code == 0
    assert written()[live] == shop.tags(1, "api")["1.4.0"]


def test_a_dry_run_and_status_write_nothing_down(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging", "--dry-run")
    shop.cli("status", "sync.yaml")
    assert not Path("state.json").exists()


def test_what_a_promotion_has_written_is_nobody_elses_to_drift(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging")
    push_image(shop.hosts[2].repository("base"), make_image("other"), "1.4.0")
    sync = f"sync:\n  - source: {shop.hosts[2].host}\n    destination: {shop.hosts[1].host}/shop\n    images:\n"
    keep(shop, f"{sync}      - {{name: base, as: api, tags: 1.4.0}}\n")
    ran = shop.cli("drift", "sync.yaml", "--all")
    assert "pending" in ran.out
    assert "unowned" not in ran.out


def test_a_current_tag_that_another_hand_has_moved_is_told_as_drifted_before_it_is_replaced(shop: Shop) -> None:
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
    shop.promote("1.4.0", "staging")
    push_image(shop.hosts[1].repository("shop/api"), make_image("forged"), "live")
    ran = shop.promote("1.5.0", "staging", "--dry-run")
    assert (ran.code, "1 drifted" in ran.out) == (0, True)


def test_a_stage_is_still_not_pruned_though_the_state_has_its_tags(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging")
    sync = f"sync:\n  - source: {shop.hosts[0].host}\n    destination: {shop.hosts[1].host}\n    prune: true\n"
    keep(shop, f"{sync}    images:\n      - {{name: shop/api, tags: ['9.*']}}\n")
    ran = shop.cli("prune", "sync.yaml", "--confirm")
    assert "a rollback may need any version that was there" in ran.text
    assert set(shop.tags(1, "api")) == {"1.4.0", "live"}


def test_a_state_that_cannot_be_written_stops_a_promotion_before_it_begins(shop: Shop) -> None:
    shop.push("1.4.0")
    Path("state.json").mkdir()
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code != 0, shop.writes()) == (True, [])
