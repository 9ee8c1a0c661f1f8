"""status: what every stage runs, what is ahead of it, and what keeps the next release back."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from imagesync.reference import Digest
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import make_image, push_image

CLOSED = 'gates: [{window: {timezone: UTC, allow: ["mon 00:00-00:01"], freeze: [{from: "2020-01-01", to: "2099-01-01"'
CLOSED += ", reason: holidays}]}}]"


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    return Shop.with_two_releases(cli, (make_registry(), make_registry(), make_registry()))


def upcoming(shop: Shop, stage: str) -> Any:
    """What JSON says of the release that is next at a stage."""
    ran = shop.cli("status", "sync.yaml", "--format", "json")
    assert ran.code == 0, ran.text
    return next(one for one in ran.json()["stages"] if one["stage"] == stage)["upcoming"]


def gate(shop: Shop, gates: str) -> None:
    shop.more["production"] = f"current: live\n{gates}"
    shop.write()


def test_each_stage_shows_what_it_runs_and_what_is_ahead(shop: Shop) -> None:
    ran = shop.cli("status", "sync.yaml")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split() == ["shop/dev", "where", "releases", "begin"]
    assert [line.split()[:3] for line in (lines[1], lines[3])] == [
        ["shop/staging", "api", "1.5.0"],
        ["shop/production", "api", "1.4.0"],
    ]
    assert lines[3].endswith("ahead: 1.5.0")
    assert lines[5:] == [
        "",
        "shop/production: 1.5.0 may come",
        "  imagesync promote sync.yaml shop:1.5.0 --to production",
    ]


def test_without_gates_it_costs_a_list_a_record_and_a_head_for_each_image(shop: Shop) -> None:
    ran = shop.cli("status", "sync.yaml", "--no-gates")
    assert "shop/production: 1.5.0 is next" in ran.out
    entry = next(tag for tag in shop.hosts[2].repository("shop/imagesync-journal").list_tags() if "finished" in tag)
    assert sorted(shop.hosts[2].log.lines()) == [
        f"GET /v2/shop/imagesync-journal/manifests/{entry} 200",
        "GET /v2/shop/imagesync-journal/tags/list 200",
        "HEAD /v2/shop/api/manifests/live 200",
        "HEAD /v2/shop/worker/manifests/live 200",
    ]
    assert shop.writes() == []


def test_with_gates_one_release_a_stage_is_looked_at_however_many_are_ahead(shop: Shop) -> None:
    for version in ("1.6.0", "1.7.0", "1.8.0"):
        shop.push(version)
    shop.forget()
    ran = shop.cli("status", "sync.yaml")
    assert "ahead: 1.8.0, 1.7.0, 1.6.0" in ran.out
    assert "shop/staging: 1.8.0 may come" in ran.out
    assert sorted(shop.hosts[0].log.lines(path=r"/manifests/1\.")) == [
        "GET /v2/shop/api/manifests/1.8.0 200",
        "GET /v2/shop/worker/manifests/1.8.0 200",
    ]
    assert shop.writes() == []


def test_a_gate_that_blocks_is_told_with_what_it_wants_and_the_command_that_moves_the_release(shop: Shop) -> None:
    gate(shop, "gates: [{labels: {config: {team: shop}}}]")
    ran = shop.cli("status", "sync.yaml")
    assert ran.code == 0, "a gate says what is to do, and is no fault of a stage"
    lines = ran.out.splitlines()[6:]
    assert lines[0] == "shop/production: 1.5.0 is blocked"
    assert lines[1].startswith("  ! api: gate labels: sha256:")
    assert lines[2] == "    → the gate wants team=shop"
    assert lines[3].startswith("  ! worker: gate labels: sha256:")
    assert lines[5:] == ["  imagesync promote sync.yaml shop:1.5.0 --to production"]
    dry = shop.promote("1.5.0", "production", "--dry-run")
    assert lines[1].partition("gate labels: ")[2] in dry.out, "promote says the same"


def test_a_gate_that_waits_says_until_when(shop: Shop) -> None:
    gate(shop, CLOSED)
    ran = shop.cli("status", "sync.yaml")
    assert "shop/production: 1.5.0 waits\n  … api, worker: gate window: frozen until 2099-01-01" in ran.out
    assert upcoming(shop, "production")["readiness"] == "waits"


def test_each_gate_is_told_for_itself_and_what_says_yes_can_be_typed(shop: Shop) -> None:
    approval = "{approval: {count: 1, from: [alice, bob]}}"
    gate(shop, f"gates: [{{labels: {{config: {{team: shop}}}}}}, {approval}]")
    ran = shop.cli("status", "sync.yaml")
    assert ran.out.count("  ! ") == 2
    assert "  … api, worker: gate approval: 0 of 1 approvals (unsigned)\n    → `imagesync approve" in ran.out
    typed = shlex.split(ran.out.split("`")[1])
    assert shop.cli(*typed[1:], "--by", "alice").code == 0
    assert "approval" not in shop.cli("status", "sync.yaml").out


def test_a_gate_that_only_warns_keeps_nothing_back_and_is_told(shop: Shop) -> None:
    gate(shop, "gates: [{labels: {config: {team: shop}}, mode: warn}]")
    ran = shop.cli("status", "sync.yaml")
    assert "shop/production: 1.5.0 may come\n  ~ api: warns: gate labels" in ran.out


def test_a_stage_that_is_held_says_by_whom_and_how_that_ends(shop: Shop) -> None:
    shop.cli("hold", "sync.yaml", "shop", "--stage", "production", "--reason", "audit")
    ran = shop.cli("status", "sync.yaml")
    assert "shop/production: 1.5.0 is blocked\n  ! api, worker: production is held at 1.4.0 by" in ran.out
    typed = shlex.split(ran.out.split("`")[1])
    assert typed[:6] == ["imagesync", "hold", "sync.yaml", "shop", "--stage", "production"]
    assert shop.cli(*typed[1:]).code == 0
    assert "shop/production: 1.5.0 may come\n" in shop.cli("status", "sync.yaml").out


def test_a_stage_that_is_held_with_nothing_ahead_says_so(shop: Shop) -> None:
    shop.promote("1.5.0", "production")
    shop.cli("hold", "sync.yaml", "shop", "--stage", "production", "--reason", "audit")
    ran = shop.cli("status", "sync.yaml")
    assert "shop/production: held at 1.5.0 by" in ran.out
    assert ran.out.rstrip().endswith("imagesync hold sync.yaml shop --stage production --release --reason TEXT")


def test_what_is_incomplete_comes_before_what_is_ahead(shop: Shop) -> None:
    shop.hosts[2].script("PUT", r"imagesync-journal/manifests/.*finished", status=403)
    assert shop.promote("1.5.0", "production").code == 1
    shop.push("1.6.0")
    shop.promote("1.6.0", "staging")
    ran = shop.cli("status", "sync.yaml")
    assert ran.code == 1
    assert "shop/production: incomplete, the promotion of 1.5.0 began" in ran.out
    shop.hosts[2].unscript()
    assert shop.cli(*shlex.split(ran.out.splitlines()[-1])[1:]).code == 0
    assert "shop/production: 1.6.0 may come" in shop.cli("status", "sync.yaml").out


def test_a_rollback_that_is_incomplete_is_finished_by_a_rollback(shop: Shop) -> None:
    shop.promote("1.5.0", "production")
    shop.hosts[2].script("PUT", r"imagesync-journal/manifests/.*finished", status=403)
    back = ("--stage", "production", "--reason", "login", "--confirm")
    assert shop.cli("rollback", "sync.yaml", "shop", *back).code == 1
    ran = shop.cli("status", "sync.yaml")
    assert (ran.code, "incomplete, the rollback of 1.4.0 began" in ran.out) == (1, True)
    shop.hosts[2].unscript()
    assert shop.cli(*shlex.split(ran.out.splitlines()[-1])[1:]).code == 0
    assert shop.cli("status", "sync.yaml").code == 0


def test_what_a_rollback_has_left_behind_is_not_ahead(shop: Shop) -> None:
    shop.more["staging"] = "current: staging"
    shop.write()
    shop.push("1.6.0")
    assert shop.promote("1.6.0", "staging").code == 0
    back = ("--stage", "staging", "--reason", "login", "--confirm")
    assert shop.cli("rollback", "sync.yaml", "shop", *back).code == 0
    ran = shop.cli("status", "sync.yaml")
    assert "shop/production: 1.5.0 may come" in ran.out
    assert "1.6.0, 1.5.0" not in ran.out


def test_a_first_stage_that_cannot_be_listed_leaves_the_rest_to_be_told(shop: Shop) -> None:
    shop.hosts[0].script("GET", r"worker/tags/list", status=403)
    ran = shop.cli("status", "sync.yaml")
    assert ran.code == 0
    assert "shop/staging: nobody knows what is ahead: " in ran.out
    assert "shop/production: 1.5.0 may come" in ran.out


def test_versions_that_not_all_images_have_and_tags_that_are_none_are_not_ahead(shop: Shop) -> None:
    push_image(shop.hosts[0].repository("shop/api"), make_image("half"), "1.9.0")
    shop.push("latest")
    shop.push("1.6.0-debug")
    assert "ahead" not in shop.cli("status", "sync.yaml").out.splitlines()[1]


def test_a_release_file_is_ahead_by_its_version(shop: Shop) -> None:
    created = shop.cli("release", "create", "sync.yaml", "shop:2.0", "--image", "api=1.4.0", "--image", "worker=1.5.0")
    assert created.code == 0
    ran = shop.cli("status", "sync.yaml")
    assert "shop/staging: 2.0 may come\n  imagesync promote sync.yaml shop:2.0 --to staging" in ran.out


def test_a_release_file_that_is_damaged_ends_nothing(shop: Shop) -> None:
    shop.cli.file("release: other\n", "releases/shop-2.0.yaml")
    ran = shop.cli("status", "sync.yaml")
    assert ran.code == 0
    assert "shop/staging: 2.0 cannot be planned\n  x " in ran.out
    assert "shop/production: 1.5.0 may come" in ran.out


def test_stages_that_share_a_repository_do_not_take_each_others_tags_for_versions(
    cli: Cli, make_registry: MakeRegistry
) -> None:
    one = make_registry()
    more = {"staging": 'retag: "{tag}-staging"', "production": 'retag: "{tag}-production"\ncurrent: live'}
    shop = Shop(cli, (one, one, one), more=more)
    shop.write()
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging")
    ran = shop.cli("status", "sync.yaml")
    assert "ahead" not in ran.out.splitlines()[1]
    assert "shop/production: 1.4.0 may come" in ran.out


def test_a_tag_that_another_hand_has_moved_is_shown_and_ends_with_2(shop: Shop) -> None:
    push_image(shop.hosts[2].repository("shop/api"), make_image("forged"), "live")
    ran = shop.cli("status", "sync.yaml")
    assert ran.code == 2
    assert "but live has sha256:" in ran.out


def test_markdown_for_a_pull_request_has_what_keeps_a_release_back_in_a_second_table(shop: Shop) -> None:
    gate(shop, "gates: [{labels: {config: {team: shop}}}]")
    text = shop.cli("status", "sync.yaml", "--format", "markdown").out
    first, second = text.strip().split("\n\n")
    assert first.startswith("| stage | image | version | digest | since | ahead |")
    lines = second.splitlines()
    assert lines[0] == "| stage | next | image | what keeps it back | what to do |"
    assert lines[2].startswith("| `shop/production` | `1.5.0 is blocked` |")
    assert lines[3].startswith("|  |  | `api` | `gate labels: ")


def test_json_carries_the_same_with_every_verdict(shop: Shop) -> None:
    gate(shop, "gates: [{labels: {config: {team: shop}}}, {size: {total: 1GB}}]")
    found = upcoming(shop, "production")
    assert (found["version"], found["readiness"]) == ("1.5.0", "blocked")
    assert found["command"] == "imagesync promote sync.yaml shop:1.5.0 --to production"
    told = [(one["readiness"], one["images"]) for one in found["obstacles"]]
    assert told == [("blocked", ["api"]), ("blocked", ["worker"])]
    rulings = [(one["image"], one["gate"], one["ruling"]) for one in found["verdicts"]]
    said = [("labels", "blocked"), ("size", "passed")]
    assert rulings == [(image, *one) for image in ("api", "worker") for one in said]
    document = json.loads(shop.cli("status", "sync.yaml", "shop", "--format", "json").out)
    assert [stage["ahead"] for stage in document["stages"]] == [None, None, "1.5.0"]
    assert document["stages"][2]["images"][0]["agreement"] == "as_recorded"
    assert Digest(document["stages"][2]["images"][0]["recorded_digest"])


def test_without_gates_json_says_that_nobody_has_asked(shop: Shop) -> None:
    document = shop.cli("status", "sync.yaml", "--format", "json", "--no-gates").json()
    found = document["stages"][2]["upcoming"]
    assert (found["version"], found["readiness"], found["obstacles"]) == ("1.5.0", None, None)


def test_a_text_from_a_record_reaches_no_terminal_as_it_is(shop: Shop) -> None:
    shop.cli("hold", "sync.yaml", "shop", "--stage", "production", "--reason", "\x1b[31mred")
    ran = shop.cli("status", "sync.yaml")
    assert ("\x1b" in ran.out, "\\x1b[31mred" in ran.out) == (False, True)


def test_an_image_that_a_release_was_made_without_has_a_row_that_says_so(shop: Shop) -> None:
    shop.images = ("api", "worker", "web")
    shop.write()
    ran = shop.cli("status", "sync.yaml")
    assert [line.split()[0] for line in ran.out.splitlines() if "not part of it" in line] == ["web", "web"]
    shop.images = ("web",)
    shop.write()
    ran = shop.cli("status", "sync.yaml")
    assert any(line.startswith("shop/production  web") for line in ran.out.splitlines())
    assert ran.code == 0


def test_the_first_stage_has_no_journal_to_read(shop: Shop) -> None:
    shop.hosts[0].script("GET", "/imagesync-journal/", status=401)
    ran = shop.cli("status", "sync.yaml", "--no-gates")
    assert (ran.code, "where releases begin" in ran.out) == (0, True), ran.text
